"""Schemas made ready: components by xmlschema, texts for libxml2; every fault becomes a Finding with file and line.

xmlschema builds the components; that a schema is itself valid is judged by libxml2, which is a hundred times faster at it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import xmlschema
from lxml import etree

from lgsp.codec.soap.tables import SOAP_11, SOAP_12
from lgsp.codec.soap.verdict import SchemaFault, envelope_schema, gathering_schema
from lgsp.contract.wsdl.catalogue import ENTRIES
from lgsp.contract.wsdl.files import XML, XSD, line_of, parser
from lgsp.contract.xsd.extent import too_large
from lgsp.contract.xsd.parts import SchemaPart
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Place = tuple[str, int]  # file and line

# What xmlschema raises over faulty schemas: its own errors, and those of Python where it trusted the document.
_FAULTS = (xmlschema.XMLSchemaException, RecursionError, ValueError, TypeError, LookupError, AttributeError, AssertionError, OSError)
_LENT = {XML, "http://schemas.xmlsoap.org/soap/encoding/"}  # what authors refer to without an import
_OFFLINE: Mapping[str, Any] = {"validation": "skip", "build": False, "allow": "none", "defuse": "always", "use_fallback": False}


def completed(parts: Sequence[SchemaPart]) -> list[SchemaPart]:
    """The parts, each seeing every namespace at hand: authors forget imports, and no meaning depends on their absence."""
    found = [*parts, *lent(parts)]
    spaces = dict.fromkeys(part.namespace for part in found)
    for part in found:
        for link in part.root.findall(f"{{{XSD}}}import"):
            part.root.remove(link)
        for position, space in enumerate(name for name in spaces if name != part.namespace):
            part.root.insert(position, etree.Element(f"{{{XSD}}}import", {"namespace": space} if space else {}))
    return found


def lent(parts: Sequence[SchemaPart]) -> list[SchemaPart]:
    """What the catalogue has for namespaces that are referred to and not at hand."""
    lacking = set().union(*(_used(part) for part in parts)) - {part.namespace for part in parts}
    return [
        SchemaPart(entry.namespace, entry.file, etree.fromstring(entry.read(), parser())) for entry in ENTRIES if entry.namespace in lacking
    ]


def _used(part: SchemaPart) -> set[str]:
    """Namespaces of the catalogue whose declarations a schema refers to; others come with their imports."""
    prefixes = {prefix: space for prefix, space in {**part.root.nsmap, "xml": XML}.items() if prefix and space in _LENT}
    names = (node.get(name) or "" for node in part.root.iter() for name in ("ref", "base", "type")) if prefixes else ()
    return {prefixes[prefix] for name in names if (prefix := name.partition(":")[0]) in prefixes and ":" in name}


def build(parts: Sequence[SchemaPart], places: dict[Any, Place]) -> Any:
    """All components, as maps by xmlschema; `places` is filled with where each of its nodes stands.

    xmlschema works on its own trees (it mixes them with new elements, which lxml's do not allow), so lines are carried over by position.
    """
    refused = too_large(parts)
    if refused:
        raise ContractError(refused)
    schema: Any = None
    own = [part for part in parts if part.namespace != XML]  # xmlschema brings that one along
    try:
        for part in own:
            text = etree.tostring(part.root, encoding="unicode")
            added = xmlschema.XMLSchema10(text, **_OFFLINE) if schema is None else schema.add_schema(text)
            added.validation = "lax"
            schema = schema or added
            places.update((node, (part.file, line_of(at))) for node, at in zip(added.root.iter(), part.root.iter(), strict=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of models that it cannot check; libxml2 does
            schema.build()
    except _FAULTS as error:
        place = place_of(error, places) if places else (own[0].file, 0)
        raise ContractError([Finding(*place, "", "xsd", _first_line(error))]) from error
    spaces = {part.namespace for part in own}
    faults = [error for item in schema.maps.iter_schemas() for error in item.all_errors if item.target_namespace in spaces]
    if faults:
        raise ContractError([Finding(*place_of(error, places), "", "xsd", _first_line(error)) for error in dict.fromkeys(faults)])
    return schema.maps


def place_of(component: Any, places: Mapping[Any, Place]) -> Place:
    """Where a component or an error of xmlschema stands: file and line."""
    return places.get(getattr(component, "elem", None)) or next(iter(places.values()))


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "message", None) or error)
    return text.strip().splitlines()[0] if text.strip() else type(error).__name__


def schema_texts(parts: Sequence[SchemaPart]) -> dict[str, bytes]:
    """Addresses that name nothing outside: `lgsp:N` gathers namespace N, `lgsp:N.M` is the M-th schema that fills it."""
    spaces = {space: f"lgsp:{index}" for index, space in enumerate(dict.fromkeys(part.namespace for part in parts))}
    members: dict[str, list[str]] = {space: [] for space in spaces}
    envelopes = {version: f"lgsp:{version}" for version in (SOAP_11, SOAP_12) if version not in spaces}
    texts = {"lgsp:start": gathering_schema("", {**envelopes, **spaces})}
    texts.update({address: envelope_schema(version, spaces) for version, address in envelopes.items()})
    for part, address in addresses(parts):
        members[part.namespace].append(address)
        for link in part.root.findall(f"{{{XSD}}}import"):
            link.set("schemaLocation", spaces[link.get("namespace") or ""])
        texts[address] = etree.tostring(part.root)
    for space, address in spaces.items():
        gather = etree.Element(f"{{{XSD}}}schema", {"targetNamespace": space} if space else {})
        for member in members[space]:
            etree.SubElement(gather, f"{{{XSD}}}include", {"schemaLocation": member})
        texts[address] = etree.tostring(gather)
    return texts


def addresses(parts: Sequence[SchemaPart]) -> list[tuple[SchemaPart, str]]:
    """Each part with its address among the texts."""
    spaces = {space: index for index, space in enumerate(dict.fromkeys(part.namespace for part in parts))}
    count = dict.fromkeys(spaces, 0)
    found = []
    for part in parts:
        found.append((part, f"lgsp:{spaces[part.namespace]}.{count[part.namespace]}"))
        count[part.namespace] += 1
    return found


def findings_of(fault: SchemaFault, parts: Sequence[SchemaPart], main: str) -> list[Finding]:
    """What libxml2 finds wrong with the schemas, at its place: the texts keep the lines of their documents, counted from their root."""
    known = {address: part for part, address in addresses(parts)}
    found = []
    for address, line, reason in fault.places:
        part = known.get(address)
        file, at = (part.file, line_of(part.root) + line - 1) if part is not None else (main, 0)
        found.append(Finding(file, max(at, 0), "", "xsd-libxml2", reason))
    return found


__all__ = ["build", "completed", "findings_of", "lent", "place_of", "schema_texts"]
