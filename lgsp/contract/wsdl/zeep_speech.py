"""zeep as the fallback speaker: operations that the codec cannot follow (SOAP encoding, several or typed parts in one body).

What it writes and reads is not judged by the XSD, its dates and floats pass through Python's; only the consumer's end is there. Values have
the codec's form as far as zeep's objects can tell it: `@` and `#text` are translated, `xsi:nil` is null.
"""

from __future__ import annotations

import warnings
from copy import deepcopy
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lxml import etree
from zeep.helpers import serialize_object
from zeep.settings import Settings
from zeep.transports import Transport
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding

from lgsp.codec.soap.envelope import open_envelope
from lgsp.codec.soap.fault import Faults
from lgsp.codec.soap.tables import TEXT_KEY, Grammar, Message, Operation
from lgsp.contract.wsdl.bindings import ROOT, ZEEP_FAULTS
from lgsp.contract.wsdl.catalogue import catalogued
from lgsp.contract.wsdl.files import WSDL, XSD
from lgsp.errors import CodecError, ContractError, Finding, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.contract.wsdl.bindings import ReadPort
    from lgsp.contract.wsdl.files import Documents

_LINKS = {f"{{{WSDL}}}import": "location", **{f"{{{XSD}}}{name}": "schemaLocation" for name in ("import", "include", "redefine")}}


class _Offline(Transport):
    """Gives zeep the documents at hand, and nothing else."""

    binding_classes = (Soap11Binding, Soap12Binding)

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def __del__(self) -> None:
        """Close nothing: there is no HTTP session that zeep would close here."""

    def load(self, url: str) -> bytes:
        known = catalogued(location=url)  # zeep imports the SOAP encoding by itself, from where it is published
        if known is not None:
            return known.read()
        file = url.removeprefix(f"{ROOT}/")
        root = deepcopy(self._documents.roots[file])
        for node in list(root.iter(*_LINKS)):
            target = self._documents.target(file, node)
            name = _LINKS[str(node.tag)]
            if target is not None:
                node.set(name, f"{ROOT}/{target}")
            elif name in node.attrib:
                del node.attrib[name]
        return etree.tostring(root)


def whole_document(documents: Documents) -> Any:
    """Zeep's own reading of a WSDL with its types; ContractError where it cannot."""
    settings = Settings(strict=False, forbid_dtd=True, forbid_entities=True, forbid_external=False)  # `load` knows no outside
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            transport: Any = _Offline(documents)
            return Document(f"{ROOT}/{documents.main}", transport, settings=settings)
    except ZEEP_FAULTS as error:
        reason = f"zeep, which would speak in the codec's place, cannot read it: {type(error).__name__}"
        raise ContractError([Finding(documents.main, 0, "", "zeep", reason)]) from error


class ZeepSpeech:
    """One operation as zeep speaks it, from the consumer's end."""

    def __init__(self, document: Any, port: ReadPort, name: str) -> None:
        self._found = document.services[port.service].ports[port.name].binding.get(name)
        self.operation = Operation(port.version, self._found.soapaction or "", Message(None), Message(None))
        self._faults = Faults((), Grammar({}, {}))

    def write(self, native: Any) -> tuple[bytes, Sequence[Violation]]:
        """The request; what zeep makes of a value is not judged."""
        try:
            envelope = self._found.create(**_to_zeep(native)).content
        except ZEEP_FAULTS as error:
            place = "/" + "/".join(getattr(error, "path", None) or ())
            return b"", (Violation(place.rstrip("/"), f"zeep cannot write it ({type(error).__name__})", "zeep"),)
        return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8"), ()

    def decode(self, data: bytes) -> Any:
        """The answer as zeep reads it, or a SoapFault."""
        envelope = open_envelope(data, self.operation.version)
        if envelope.is_fault:
            return self._faults.read(envelope)
        try:
            return _from_zeep(serialize_object(self._found.process_reply(envelope.root), dict))
        except ZEEP_FAULTS as error:
            raise CodecError(f"zeep cannot read the answer ({type(error).__name__})") from error

    def check_reply(self, data: bytes) -> Sequence[Violation]:
        """Nothing: zeep judges nothing."""
        self.decode(data)
        return ()

    def read(self, data: bytes) -> tuple[Any, Sequence[Violation]]:
        """Both at once."""
        return self.decode(data), ()


def _to_zeep(value: Any) -> Any:
    if isinstance(value, dict):
        names = {"_value_1" if key == TEXT_KEY else str(key).removeprefix("@").rpartition("}")[2]: item for key, item in value.items()}
        return {name: _to_zeep(item) for name, item in names.items()}
    return [_to_zeep(item) for item in value] if isinstance(value, list) else value


def _from_zeep(value: Any) -> Any:
    if isinstance(value, dict):
        return {TEXT_KEY if key == "_value_1" else key: _from_zeep(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_from_zeep(item) for item in value]
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | bool | int | Decimal) else str(value)


def speeches(documents: Documents, wanted: Mapping[tuple[str, str], ReadPort]) -> Mapping[tuple[str, str], ZeepSpeech]:
    """What zeep speaks, by port and operation name; nothing is read where nothing is wanted."""
    if not wanted:
        return {}
    found = {}
    try:
        document = whole_document(documents)
        for key, port in wanted.items():
            found[key] = ZeepSpeech(document, port, key[1])
    except ContractError as error:
        documents.notes += error.findings
    except ZEEP_FAULTS as error:
        reason = f"left out: zeep does not find {key[1]} in port {key[0]} ({type(error).__name__})"
        documents.notes.append(Finding(documents.main, 0, "", "left-out", reason))
    return found


__all__ = ["ZeepSpeech", "speeches"]
