"""The documents of a WSDL: read from its own folder and nowhere else, hardened, and its XML schemas pooled by namespace.

Nothing is fetched: an address with a scheme, a host or a way out of the folder becomes a Finding that says which file to put there.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lxml import etree

from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lxml.etree import _Element

WSDL = "http://schemas.xmlsoap.org/wsdl/"
XSD = "http://www.w3.org/2001/XMLSchema"
MOST_BYTES = 8 * 1024 * 1024
MOST_FILES = 400
_SCHEMA = f"{{{XSD}}}schema"

_LINKS = {
    f"{{{WSDL}}}import": "location",
    f"{{{XSD}}}import": "schemaLocation",
    f"{{{XSD}}}include": "schemaLocation",
    f"{{{XSD}}}redefine": "schemaLocation",
}


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """One xs:schema as it takes part: the namespace that it fills (an include may lend it one) and its element, links removed."""

    namespace: str
    file: str
    root: _Element


@dataclass
class Folder:
    """What was read: documents by their path below the WSDL's folder; `main` is the WSDL itself."""

    path: Path
    main: str
    documents: dict[str, _Element] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def target(self, file: str, node: _Element) -> str | None:
        """The document that an import or include in `file` means; None where it means none (or a finding was made of it)."""
        location = (node.get(_LINKS[str(node.tag)]) or "").strip()
        return self._inside(file, location) if location else None

    def _inside(self, file: str, location: str) -> str | None:
        parts = urlsplit(location)
        if parts.scheme or parts.netloc:
            return None
        found = (self.path / file).parent.joinpath(unquote(parts.path)).resolve()
        return found.relative_to(self.path).as_posix() if found.is_relative_to(self.path) else None


def read_folder(path: Path) -> Folder:
    """Read a WSDL and everything that it imports from its folder; ContractError tells of every file that cannot be used."""
    folder = Folder(path.parent.resolve(), path.name)
    waiting = [(folder.main, folder.main, 0)]
    while waiting:
        file, asked_by, line = waiting.pop()
        if file in folder.documents:
            continue
        if len(folder.documents) == MOST_FILES:
            folder.findings.append(Finding(asked_by, line, "", "too-many-files", f"more than {MOST_FILES} documents"))
            break
        root = _read(folder, file, asked_by, line)
        if root is not None:
            folder.documents[file] = root
            waiting.extend((target, file, line_of(node)) for node, target in _links(folder, file, root))
    main = folder.documents.get(folder.main)
    if main is not None and main.tag != f"{{{WSDL}}}definitions":
        reason = "the root element is not wsdl:definitions (WSDL 1.1)"
        folder.findings.append(Finding(folder.main, line_of(main), "", "not-wsdl", reason))
    if folder.findings:
        raise ContractError(folder.findings)
    return folder


def _read(folder: Folder, file: str, asked_by: str, line: int) -> _Element | None:
    try:
        source = folder.path / file
        if source.stat().st_size > MOST_BYTES:
            folder.findings.append(Finding(file, 0, "", "file-too-large", f"larger than {MOST_BYTES} bytes"))
            return None
        data = source.read_bytes()
    except OSError:
        folder.findings.append(Finding(asked_by, line, "", "missing-file", f"{file} cannot be read", f"put {file} beside the WSDL"))
        return None
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        folder.findings.append(Finding(file, error.position[0], "", "not-xml", f"not well-formed XML: {error.msg}"))
        return None
    if root.getroottree().docinfo.internalDTD is not None:
        folder.findings.append(Finding(file, 1, "", "dtd", "the document has a DOCTYPE", "remove the DOCTYPE and write its entities out"))
        return None
    return root


def _parser() -> etree.XMLParser:
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


def _links(folder: Folder, file: str, root: _Element) -> Iterator[tuple[_Element, str]]:
    for node in root.iter(*_LINKS):
        location = (node.get(_LINKS[str(node.tag)]) or "").strip()
        if not location:
            continue
        target = folder.target(file, node)
        if target is None:
            folder.findings.append(_outside(file, node, location))
        else:
            yield node, target


def _outside(file: str, node: _Element, location: str) -> Finding:
    name = urlsplit(location).path.rpartition("/")[2] or "it"
    is_remote = bool(urlsplit(location).scheme or urlsplit(location).netloc)
    kind, why = ("remote-import", "is not in the WSDL's folder") if is_remote else ("path-escape", "leads out of the WSDL's folder")
    fix = f"put {name} beside the WSDL and name it by a relative path"
    return Finding(file, line_of(node), "", kind, f"{location} {why}; nothing is fetched", fix)


# ---- schemas -------------------------------------------------------------------------------------------------------------------------


def schema_parts(folder: Folder) -> list[SchemaPart]:
    """Every xs:schema that the WSDL has or reaches, once for each namespace that it fills."""
    parts: list[SchemaPart] = []
    seen: set[tuple[_Element, str]] = set()
    waiting = [(file, root, "") for file, root in folder.documents.items() if root.tag == _SCHEMA and not _is_included(folder, file)]
    waiting += [(file, node, "") for file, root in folder.documents.items() for node in root.findall(f"{{{WSDL}}}types/{_SCHEMA}")]
    while waiting:
        file, node, lent = waiting.pop(0)
        namespace = node.get("targetNamespace") or lent
        if (node, namespace) in seen:
            continue
        seen.add((node, namespace))
        parts.append(SchemaPart(namespace, file, _standalone(node, namespace)))
        waiting.extend((target, folder.documents[target], namespace) for target in _included(folder, file, node))
        folder.findings.extend(
            Finding(file, line_of(item), "", "xs:redefine", "xs:redefine is not spoken") for item in node.findall(f"{{{XSD}}}redefine")
        )
    return parts


def _included(folder: Folder, file: str, node: _Element) -> list[str]:
    targets = (folder.target(file, item) for item in node.findall(f"{{{XSD}}}include"))
    return [target for target in targets if target in folder.documents]


def _is_included(folder: Folder, file: str) -> bool:
    return any(
        file in _included(folder, other, schema)
        for other, root in folder.documents.items()
        if other != file
        for schema in root.iter(_SCHEMA)
    )


def _standalone(schema: _Element, namespace: str) -> _Element:
    """A copy whose meaning needs nothing around it: the prefixes of its ancestors, a lent namespace, and no links."""
    spaces: dict[Any, str] = dict(schema.nsmap)
    attributes = {str(name): str(value) for name, value in schema.attrib.items()}
    if namespace and not schema.get("targetNamespace"):
        attributes["targetNamespace"] = namespace
        spaces.setdefault(None, namespace)
    alone = etree.Element(schema.tag, attributes, nsmap=spaces)
    alone.extend(deepcopy(child) for child in schema if child.tag not in _LINKS)
    alone.sourceline = schema.sourceline
    return alone
