"""The documents of a WSDL: read from its folder or zip and the local catalogue, hardened; nothing is fetched.

An import that names a host is answered by the catalogue, by a file of that name beside the WSDL, or by a schema that the WSDL has inside;
otherwise a Finding says which file to put there.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lxml import etree

from lgsp.contract.wsdl.catalogue import catalogued
from lgsp.contract.wsdl.source import LeadsOut, TooLarge, beside, is_remote
from lgsp.contract.zipped import MOST_BYTES, MOST_FILES
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from lgsp.contract.wsdl.source import Files

WSDL = "http://schemas.xmlsoap.org/wsdl/"
XSD = "http://www.w3.org/2001/XMLSchema"
XML = "http://www.w3.org/XML/1998/namespace"
SCHEMA = f"{{{XSD}}}schema"
DEFINITIONS = f"{{{WSDL}}}definitions"

_LINKS = {
    f"{{{WSDL}}}import": "location",
    f"{{{XSD}}}import": "schemaLocation",
    f"{{{XSD}}}include": "schemaLocation",
    f"{{{XSD}}}redefine": "schemaLocation",
}


@dataclass
class Documents:
    """What was read: roots by their path, `main` being the WSDL itself; notes are findings that stop nothing."""

    files: Files
    main: str
    roots: dict[str, _Element] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    digest: str = ""
    _targets: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def target(self, file: str, node: _Element) -> str | None:
        """The document that an import or include in `file` (or a copy of it) means; None where it means none."""
        return self._targets.get((file, *_said(node)))

    def point(self, file: str, node: _Element, target: str) -> None:
        """Remember which document a link means."""
        self._targets[file, *_said(node)] = target

    def has(self, file: str) -> bool:
        """Whether there is such a file that may be read."""
        try:
            return self.files.read(file) is not None
        except (LeadsOut, TooLarge):
            return False

    def note(self, place: tuple[str, _Element], rule: str, reason: str, fix: str = "") -> None:
        """Tell something that stops nothing."""
        self.notes.append(Finding(place[0], line_of(place[1]), "", rule, reason, fix))


def read_documents(files: Files, main: str) -> Documents:
    """Read a WSDL and everything that it imports; ContractError tells of every file that cannot be used."""
    documents = Documents(files, main)
    waiting = [(main, main, 0)]
    whole = hashlib.sha256()
    while waiting:
        file, asked_by, line = waiting.pop()
        if file in documents.roots:
            continue
        if len(documents.roots) == MOST_FILES:
            documents.findings.append(Finding(asked_by, line, "", "too-many-files", f"more than {MOST_FILES} documents"))
            break
        data = _bytes(documents, file, asked_by, line)
        root = _parsed(documents, file, data) if data is not None else None
        if root is not None and file != main and root.tag not in {SCHEMA, DEFINITIONS}:
            reason = f"the root element is {root.tag}, neither xs:schema nor wsdl:definitions"
            documents.findings.append(Finding(file, line_of(root), "", "not-schema", reason))
        elif root is not None:
            whole.update(f"{file}\n{len(data or b'')}\n".encode() + (data or b""))
            documents.roots[file] = root
            waiting.extend((target, file, line_of(node)) for node, target in _links(documents, file, root))
    documents.digest = whole.hexdigest()
    _check_main(documents)
    if documents.findings:
        raise ContractError(list(dict.fromkeys(documents.findings)))
    return documents


def _check_main(documents: Documents) -> None:
    root = documents.roots.get(documents.main)
    if root is not None and root.tag != DEFINITIONS:
        kind = "WSDL 2.0" if str(root.tag).endswith("}description") else str(root.tag)
        reason = f"the root element is not wsdl:definitions (WSDL 1.1); it is {kind}"
        documents.findings = [Finding(documents.main, line_of(root), "", "not-wsdl", reason)]


def _bytes(documents: Documents, file: str, asked_by: str, line: int) -> bytes | None:
    known = catalogued(file=file)
    if known is not None:
        return known.read()
    try:
        data = documents.files.read(file)
    except TooLarge:
        documents.findings.append(Finding(file, 0, "", "file-too-large", f"larger than {MOST_BYTES} bytes"))
        return None
    except LeadsOut:
        reason, fix = f"{file} leads out of the WSDL's folder", f"put {file} itself beside the WSDL"
        documents.findings.append(Finding(asked_by, line, "", "path-escape", reason, fix))
        return None
    if data is None:
        documents.findings.append(Finding(asked_by, line, "", "missing-file", f"{file} cannot be read", f"put {file} beside the WSDL"))
    return data


def _parsed(documents: Documents, file: str, data: bytes) -> _Element | None:
    try:
        root = etree.fromstring(data, parser())
    except etree.XMLSyntaxError as error:
        documents.findings.append(Finding(file, error.position[0], "", "not-xml", f"not well-formed XML: {error.msg}"))
        return None
    if root.getroottree().docinfo.internalDTD is not None:
        reason = "the document has a DOCTYPE"
        documents.findings.append(Finding(file, 1, "", "dtd", reason, "remove the DOCTYPE and write its entities out"))
        return None
    return root


def parser() -> etree.XMLParser:
    """Hardened, for contracts: entities stay unresolved, nothing outside is loaded, comments are dropped."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def line_of(node: Any) -> int:
    """The 1-based line of an element, 0 if there is none."""
    return int(node.sourceline or 0) if node is not None else 0


# ---- links -----------------------------------------------------------------------------------------------------------------------------


def _links(documents: Documents, file: str, root: _Element) -> Iterator[tuple[_Element, str]]:
    for node in root.iter(*_LINKS):
        location = (node.get(_LINKS[str(node.tag)]) or "").strip()
        target = _located(documents, file, node, location) if location else _unlocated(root, node)
        if target is not None:
            documents.point(file, node, target)
            yield node, target


def _said(node: _Element) -> tuple[str, str]:
    return (node.get(_LINKS[str(node.tag)]) or "").strip(), node.get("namespace") or ""


def _unlocated(root: _Element, node: _Element) -> str | None:
    known = catalogued(namespace=node.get("namespace") or "")
    is_inside = any(schema.get("targetNamespace") == node.get("namespace") for schema in _inside(root, node))
    return known.file if known is not None and not is_inside else None


def _located(documents: Documents, file: str, node: _Element, location: str) -> str | None:
    namespace = node.get("namespace") or ""
    known = catalogued(location=location) or (catalogued(namespace=namespace) if namespace else None)
    inside = None if is_remote(location) else beside(file, location)
    if inside is not None and (known is None or documents.has(inside)):
        return inside
    if known is not None:
        return known.file
    if not is_remote(location):
        documents.findings.append(_outside(file, node, location))
        return None
    return _instead(documents, file, node, location)


def _instead(documents: Documents, file: str, node: _Element, location: str) -> str | None:
    """What stands in for a remote import: a file of its name, or nothing where the WSDL has a schema of that namespace inside."""
    name = local_name(location, str(node.tag))
    for place in dict.fromkeys(posixpath.join(posixpath.dirname(each), name) for each in (file, documents.main)):
        if documents.has(place):
            documents.note((file, node), "remote-import", f"{location}: {place} is read instead")
            return place
    namespace = node.get("namespace")
    if namespace and any(schema.get("targetNamespace") == namespace for root in documents.roots.values() for schema in _inside(root, node)):
        documents.note((file, node), "remote-import", f"{location}: the schema of {namespace} inside the WSDL is used instead")
        return None
    documents.findings.append(_outside(file, node, location))
    return None


def _inside(root: _Element, node: _Element) -> Iterator[_Element]:
    own = next(node.iterancestors(SCHEMA), None)
    return (schema for schema in root.findall(f"{{{WSDL}}}types/{SCHEMA}") if schema is not own)


def local_name(location: str, tag: str = "") -> str:
    """The name under which a remote document is looked for beside the WSDL."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "import.xsd"
    last = posixpath.basename(parts.path.rstrip("/")) or parts.netloc or "import"
    name = re.sub(r"[^\w.-]+", "_", f"{last}_{parts.query}" if parts.query else last)
    suffix = ".wsdl" if tag == f"{{{WSDL}}}import" else ".xsd"
    return name if name.lower().endswith((".xsd", ".wsdl")) else name + suffix


def _outside(file: str, node: _Element, location: str) -> Finding:
    if is_remote(location):
        name = local_name(location, str(node.tag))
        reason = f"{location} is not in the WSDL's folder; nothing is fetched"
        return Finding(file, line_of(node), "", "remote-import", reason, f"put it beside the WSDL as {name}")
    name = posixpath.basename(location)
    reason = f"{location} leads out of the WSDL's folder; nothing is fetched"
    return Finding(file, line_of(node), "", "path-escape", reason, f"put {name} beside the WSDL and name it by a relative path")


__all__ = ["SCHEMA", "WSDL", "XML", "XSD", "Documents", "line_of", "local_name", "parser", "read_documents"]
