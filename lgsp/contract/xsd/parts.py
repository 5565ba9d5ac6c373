"""The XML schemas of a WSDL, pooled by namespace: each stands alone, without the links and prefixes of the document around it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree

from lgsp.contract.wsdl.files import SCHEMA, WSDL, XSD, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.etree import _Element

    from lgsp.contract.wsdl.files import Documents

_LINKS = {f"{{{XSD}}}{name}" for name in ("import", "include", "redefine")}
_QNAMES = {"type", "base", "ref", "itemType", "memberTypes", "substitutionGroup", "refer"}
_REDEFINE = f"{{{XSD}}}redefine"
_FORMER = "-before-redefine"


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """One xs:schema as it takes part: the namespace that it fills (an include may lend it one) and its element, links removed."""

    namespace: str
    file: str
    root: _Element


def schema_parts(documents: Documents) -> list[SchemaPart]:
    """Every xs:schema that the WSDL has or reaches, once for each namespace that it fills."""
    parts: list[SchemaPart] = []
    seen: set[tuple[_Element, str]] = set()
    schemas = [(file, schema) for file, root in documents.roots.items() for schema in root.iter(SCHEMA)]
    included = {target for file, schema in schemas for target in _included(documents, file, schema)}
    waiting = [(file, root, "") for file, root in documents.roots.items() if root.tag == SCHEMA and file not in included]
    waiting += [(file, node, "") for file, root in documents.roots.items() for node in root.findall(f"{{{WSDL}}}types/{SCHEMA}")]
    while waiting:
        file, node, lent = waiting.pop(0)
        namespace = node.get("targetNamespace") or lent
        if (node, namespace) in seen:
            continue
        seen.add((node, namespace))
        _note_mismatches(documents, file, node)
        parts.append(SchemaPart(namespace, file, _standalone(node, namespace)))
        for link in node.findall(f"{{{XSD}}}include") + node.findall(_REDEFINE):
            target = documents.target(file, link)
            if target is not None and documents.roots[target].tag == SCHEMA:
                waiting.append((target, _changed(documents.roots[target], link), namespace))
    return parts


def _changed(schema: _Element, link: _Element) -> _Element:
    """An included schema as it is, a redefined one with its changes, whose names keep their meaning in it."""
    if link.tag != _REDEFINE or not len(link):
        return schema
    spaces: dict[Any, str] = dict(schema.nsmap)
    pairs = [(change, deepcopy(change)) for change in link]
    renamed = [found for change, copy in pairs for found in _hoisted(change, copy, spaces)]
    changed = etree.Element(schema.tag, {str(name): str(value) for name, value in schema.attrib.items()}, nsmap=spaces)
    changed.extend(deepcopy(child) for child in schema)
    for (node, name), value in renamed:
        node.set(name, value)
    _redefine(changed, [copy for _, copy in pairs])
    return changed


def _included(documents: Documents, file: str, node: _Element) -> list[str]:
    targets = (documents.target(file, item) for kind in ("include", "redefine") for item in node.findall(f"{{{XSD}}}{kind}"))
    return [target for target in targets if target in documents.roots and documents.roots[target].tag == SCHEMA]


def _note_mismatches(documents: Documents, file: str, schema: _Element) -> None:
    """Imports and includes whose document has another namespace than they say: accepted, since names are looked up by what is there."""
    for link in schema.iter(*_LINKS):
        target = documents.roots.get(documents.target(file, link) or "")
        if target is None or target.tag != SCHEMA:
            continue
        said = link.get("namespace") or "" if link.tag == f"{{{XSD}}}import" else schema.get("targetNamespace") or ""
        found = target.get("targetNamespace") or ""
        if said != found and (found or link.tag == f"{{{XSD}}}import"):
            reason = f"{documents.target(file, link)} has the namespace {found or '(none)'} where {said or '(none)'} is expected"
            documents.note((file, link), "namespace-mismatch", reason, "correct the namespace")


def _standalone(schema: _Element, namespace: str) -> _Element:
    """A copy whose meaning needs nothing around it: the prefixes of its ancestors, a lent namespace, and no links.

    Prefixes that are declared further down are declared at its root instead, where xmlschema looks for them.
    """
    spaces: dict[Any, str] = dict(schema.nsmap)
    attributes = {str(name): str(value) for name, value in schema.attrib.items()}
    if namespace and not schema.get("targetNamespace"):
        attributes["targetNamespace"] = namespace
        spaces.setdefault(None, namespace)
    pairs = [(child, deepcopy(child)) for child in schema if child.tag not in _LINKS]
    children = [copy for _, copy in pairs]
    renamed = [found for child, copy in pairs if _declares(child) for found in _hoisted(child, copy, spaces)]
    alone = etree.Element(schema.tag, attributes, nsmap=spaces)
    alone.extend(children)
    for (node, name), value in renamed:
        node.set(name, value)
    _open_schemas(alone)
    if line_of(schema):
        alone.sourceline = line_of(schema)  # type: ignore[assignment]  # lxml-stubs knows no setter
    return alone


def _open_schemas(schema: _Element) -> None:
    """Let a wildcard stand for a schema inside a message, as in .NET's DataSet: nobody declares that element."""
    for node in schema.iter(f"{{{XSD}}}element"):
        prefix, _, local = (node.get("ref") or "").rpartition(":")
        if local == "schema" and schema.nsmap.get(prefix or None) == XSD:
            node.tag = f"{{{XSD}}}any"
            del node.attrib["ref"]
            node.attrib.update({"namespace": XSD, "processContents": "skip"})


def _declares(node: _Element) -> bool:
    """Whether prefixes are declared on or below an element."""
    above = set(node.getparent().nsmap.items()) if node.getparent() is not None else set()  # type: ignore[union-attr]
    return any(event not in above for _, event in etree.iterwalk(node, events=("start-ns",)))


def _hoisted(child: _Element, copy: _Element, spaces: dict[Any, str]) -> Iterator[tuple[tuple[_Element, str], str]]:
    """Names in a copy whose prefix means something else at its new root, with what they are called there; `spaces` gains the prefixes."""
    for node, twin in zip(child.iter(), copy.iter(), strict=True):
        for name in _QNAMES & {str(key) for key in node.attrib}:
            words = (node.get(name) or "").split()
            called = [_called(word, node.nsmap, spaces) for word in words]
            if called != words:
                yield (twin, name), " ".join(called)


def _called(word: str, here: dict[Any, str], spaces: dict[Any, str]) -> str:
    prefix, _, local = word.rpartition(":")
    space = here.get(prefix or None)
    if prefix == "xml" or spaces.get(prefix or None) == space:
        return word
    if not space:
        return word  # a name without a namespace where the root has a default one: nothing can say that at the root
    known = next((each for each, uri in spaces.items() if uri == space and each), None)
    if known is None:
        known = prefix if prefix and prefix not in spaces else f"h{len(spaces)}"
        spaces[known] = space
    return f"{known}:{local}"


# ---- xs:redefine -----------------------------------------------------------------------------------------------------------------------


def _redefine(schema: _Element, changes: Sequence[_Element]) -> None:
    """Put changes into a schema: the former definition gets another name, the new one builds on it."""
    for new in changes:
        name = new.get("name")
        former = next((node for node in schema if node.tag == new.tag and node.get("name") == name), None)
        if former is None or name is None:
            continue
        former.set("name", f"{name}{_FORMER}")
        built_on = [(node, attribute) for node in new.iter() for attribute in ("base", "ref")]
        for node, attribute in built_on:
            if (node.get(attribute) or "").rpartition(":")[2] == name:
                node.set(attribute, f"{node.get(attribute)}{_FORMER}")
        schema.append(new)


__all__ = ["SchemaPart", "schema_parts"]
