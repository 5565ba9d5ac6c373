"""SOAP faults, 1.1 and 1.2: read with their typed detail, written in the vocabulary of their version."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.envelope import NAMES
from lgsp.codec.soap.lexical import careful
from lgsp.codec.soap.read import Readers, untyped
from lgsp.codec.soap.side import declarations_of, prefixes_of
from lgsp.codec.soap.tables import SOAP_11, SOAP_12
from lgsp.codec.soap.write import Writers
from lgsp.errors import CodecError
from lgsp.model.agreed import SoapFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from lgsp.codec.soap.envelope import Envelope
    from lgsp.codec.soap.tables import Field, Grammar

TO_12: Mapping[str, str] = MappingProxyType({"Client": "Sender", "Server": "Receiver"})
TO_11: Mapping[str, str] = MappingProxyType({new: old for old, new in TO_12.items()})
_START = re.compile(r"<[^\s/>]+")
_SPACE_12 = f"{{{SOAP_12}}}"


class Faults:
    """The declared faults of one operation, compiled."""

    def __init__(self, fields: tuple[Field, ...], grammar: Grammar) -> None:
        readers = Readers(grammar)
        self._readers = {field.name: (field.key, readers.element(field)) for field in fields}
        prefixes = prefixes_of(fields, grammar)
        writers = Writers(grammar, prefixes)
        self._writers = {field.key: writers.element(field) for field in fields}
        self._spaces = declarations_of(prefixes)

    def read(self, envelope: Envelope) -> SoapFault:
        """The fault of an envelope that holds one."""
        node = envelope.bodies[0]
        if envelope.version == SOAP_11:
            code, subcode = _text(node, "faultcode").rpartition(":")[2], ""
            detail = node.find("detail")
            reason, actor = _text(node, "faultstring"), _text(node, "faultactor")
        else:
            code = _text(node, f"{_SPACE_12}Code/{_SPACE_12}Value").rpartition(":")[2]
            subcode = _text(node, f"{_SPACE_12}Code/{_SPACE_12}Subcode/{_SPACE_12}Value").rpartition(":")[2]
            detail = node.find(f"{_SPACE_12}Detail")
            reason, actor = _text(node, f"{_SPACE_12}Reason/{_SPACE_12}Text"), _text(node, f"{_SPACE_12}Role")
        name, value = ("", None) if detail is None else self._detail(detail)
        return SoapFault(code, reason, value, name=name, subcode=subcode, actor=actor)

    def _detail(self, detail: _Element) -> tuple[str, Any]:
        if not len(detail):
            return "", detail.text
        name, read = self._readers.get(str(detail[0].tag), ("", None))
        return (name, read(detail[0])) if read is not None and len(detail) == 1 else ("", untyped(detail))

    def element(self, name: str, value: Any) -> bytes:
        """A declared fault's value as the element of a detail, which brings its namespaces along; raises Unwritable or LookupError."""
        parts: list[str] = []
        self._writers[name](value, parts.append)
        return _START.sub(lambda start: start[0] + self._spaces, "".join(parts), count=1).encode()

    def write(self, version: str, fault: SoapFault, texts: Mapping[str, str] | None = None) -> bytes:
        """The envelope of a fault; where `name` is one of the declared ones, `detail` is its value.

        Raises Unwritable where the detail cannot be written. texts: the reason by language; SOAP 1.1 holds only the first.
        """
        if not fault.name:
            return write_fault(version, fault, texts)
        if fault.name not in self._writers:
            raise CodecError(f"the contract declares no fault {fault.name}; there are {', '.join(self._writers) or 'none'}")
        parts: list[str] = []
        self._writers[fault.name](fault.detail, parts.append)
        return write_fault(version, fault, texts, detail="".join(parts), spaces=self._spaces)


def write_fault(
    version: str,
    fault: SoapFault,
    texts: Mapping[str, str] | None = None,
    *,
    detail: str = "",
    spaces: str = "",
) -> bytes:
    """The envelope of a fault that no contract describes: code, reason by language, and `detail`, XML text that stands for itself.

    The code may be in the vocabulary of either version. A text as `fault.detail` is the detail where `detail` is empty.
    """
    inside = detail or (careful(fault.detail) if isinstance(fault.detail, str) else "")
    spoken = dict(texts or {"en": fault.reason})
    write = _fault_11 if version == SOAP_11 else _fault_12
    names = NAMES[version]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{names.version}"{spaces}><soap:Body><soap:Fault>'
    return f"{head}{write(fault, spoken, inside)}</soap:Fault></soap:Body></soap:Envelope>".encode()


def _fault_11(fault: SoapFault, texts: Mapping[str, str], detail: str) -> str:
    code = TO_11.get(fault.code, fault.code) + (f".{fault.subcode}" if fault.subcode else "")
    language, reason = next(iter(texts.items()))
    actor = f"<faultactor>{careful(fault.actor)}</faultactor>" if fault.actor else ""
    more = f"<detail>{detail}</detail>" if detail else ""
    string = f'<faultstring xml:lang="{_escaped(language)}">{careful(reason)}</faultstring>'
    return f"<faultcode>soap:{careful(code)}</faultcode>{string}{actor}{more}"


def _fault_12(fault: SoapFault, texts: Mapping[str, str], detail: str) -> str:
    plain, _, dotted = fault.code.partition(".")
    subcode = fault.subcode or dotted
    inner = f"<soap:Subcode><soap:Value>{careful(subcode)}</soap:Value></soap:Subcode>" if subcode else ""
    code = f"<soap:Code><soap:Value>soap:{careful(TO_12.get(plain, plain))}</soap:Value>{inner}</soap:Code>"
    reasons = "".join(f'<soap:Text xml:lang="{_escaped(language)}">{careful(text)}</soap:Text>' for language, text in texts.items())
    role = f"<soap:Role>{careful(fault.actor)}</soap:Role>" if fault.actor else ""
    more = f"<soap:Detail>{detail}</soap:Detail>" if detail else ""
    return f"{code}<soap:Reason>{reasons}</soap:Reason>{role}{more}"


def _text(node: _Element, path: str) -> str:
    text: str = (node.findtext(path) or "").strip()
    return text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


__all__ = ["TO_11", "TO_12", "Faults", "write_fault"]
