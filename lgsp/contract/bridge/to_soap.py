"""From an OpenAPI contract alone to a WSDL 1.1: SOAP 1.1 and 1.2, document/literal wrapped, types from JSON Schema.

The wrapper of an operation holds its path and query parameters, then the members of its body where that is an object, else the body whole;
the wrapper of the reply likewise. What SOAP cannot carry is refused with its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from lgsp.contract.adapter.place import BODY
from lgsp.contract.bridge.form import Form, Forms, Sort
from lgsp.contract.bridge.names import xml_name
from lgsp.contract.bridge.pair import RESULT
from lgsp.contract.bridge.xsd import Schema
from lgsp.contract.wsdl.files import WSDL
from lgsp.errors import ContractError, Finding
from lgsp.model.agreed import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lxml.etree import _Element

    from lgsp.contract.openapi.read import HttpOperation, OpenApi

SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
VERSIONS = ("Soap", SOAP), ("Soap12", SOAP12)
TRANSPORT = "http://schemas.xmlsoap.org/soap/http"
_W = f"{{{WSDL}}}"
NOTHING = Form(Sort.RECORD)
RECEIPT = {
    "type": "object",
    "required": ["id", "state", "href"],
    "properties": {name: {"type": "string"} for name in ("id", "state", "href")},
}
"""What is answered for a message that the hub keeps and delivers later."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One operation as SOAP wraps it.

    request, reply: what the wrappers hold. parameters: members of the request that stand in the URL; body: whether its body stands whole
    beside them, by that name; has_body: whether there is a body at all; result: whether the reply stands whole in its wrapper.
    """

    name: str
    request: Form
    parameters: frozenset[str]
    body: bool
    has_body: bool
    reply: Form
    result: bool


def wsdl_of(contract: OpenApi, name: str, receipts: Collection[str] = ()) -> bytes:
    """The draft of a WSDL; `name` makes its namespace, `receipts` are the operations that answer with one.

    Raises ContractError with each construct that SOAP cannot carry.
    """
    findings: list[Finding] = []
    operations = wrapped(contract, contract.operations, receipts, findings)
    if findings:
        raise ContractError(findings)
    return document_of(operations, name, contract.title)


def carried(contract: OpenApi, names: Iterable[str]) -> Sequence[str]:
    """Those of the operations that SOAP can carry."""
    found = []
    for name in names:
        findings: list[Finding] = []
        wrapped(contract, [name], (), findings)
        if not findings:
            found.append(name)
    return found


def wrapped(contract: OpenApi, names: Iterable[str], receipts: Collection[str], findings: list[Finding]) -> Mapping[str, Wrapped]:
    """Operations of a contract as SOAP wraps them; `findings` takes what SOAP cannot carry."""

    def tell(at: str, reason: str, fix: str) -> None:
        finding = Finding("", 0, at, "soap", f"SOAP cannot carry this: it {reason}", fix)
        if finding not in findings:
            findings.append(finding)

    forms = Forms(tell)
    return {name: _wrapped(contract.operations[name], forms, receipt=name in receipts) for name in names}


def _wrapped(operation: HttpOperation, forms: Forms, *, receipt: bool) -> Wrapped:
    at = f"/paths/{operation.path.replace('~', '~0').replace('/', '~1')}/{operation.method.lower()}"
    members: dict[str, Form] = {}
    required: set[str] = set()
    in_url = [each for each in operation.parameters if each.where in {"path", "query"}]
    for each in in_url:
        members[each.name] = forms.of(each.schema, f"{at}/parameters/{each.name}")
        required |= {each.name} if each.required else set()
    body = forms.of(operation.request_schema, f"{at}/requestBody") if operation.request_schema is not None else NOTHING
    is_beside = bool(members) and operation.request_schema is not None
    whole = body.sort is not Sort.RECORD or body.null or is_beside
    if whole:
        members[BODY] = body
        required |= {BODY} if operation.body_required or not in_url else set()
    schema = RECEIPT if receipt else operation.reply_schema
    reply = forms.of(schema, f"{at}/responses") if schema is not None else NOTHING
    result = reply.sort is not Sort.RECORD or reply.null
    return Wrapped(
        operation.name,
        Form(Sort.RECORD, members=members, required=frozenset(required)) if members else body,
        frozenset(each.name for each in in_url),
        whole,
        operation.request_schema is not None,
        Form(Sort.RECORD, members={RESULT: reply}, required=frozenset({RESULT})) if result else reply,
        result,
    )


# ---- the document --------------------------------------------------------------------------------------------------------------------


def document_of(operations: Mapping[str, Wrapped], name: str, title: str) -> bytes:
    """The WSDL of wrapped operations. Raises ContractError where a text of the contract cannot stand in XML."""
    try:
        return _document(operations, name, title)
    except ValueError as error:
        reason = f"SOAP cannot carry this: {error}"
        raise ContractError([Finding("", 0, "", "soap", reason, "leave control characters out of titles and listed values")]) from error


def _document(operations: Mapping[str, Wrapped], name: str, title: str) -> bytes:
    space = f"urn:lgsp:{name}"
    root = etree.Element(
        f"{_W}definitions",
        {"name": _word(name), "targetNamespace": space},
        nsmap={"wsdl": WSDL, "soap": SOAP, "soap12": SOAP12, "t": space},
    )
    schema = Schema(space)
    etree.SubElement(root, f"{_W}types").append(schema.root)
    for operation in operations.values():
        for element, form in ((xml_name(operation.name), operation.request), (_reply_name(operation.name), operation.reply)):
            schema.message(element, {member: (inner, member in form.required) for member, inner in form.members.items()})
            message = etree.SubElement(root, f"{_W}message", {"name": element})
            etree.SubElement(message, f"{_W}part", {"name": "parameters", "element": f"t:{element}"})
    _port_type(root, operations, _word(name))
    for suffix, soap in VERSIONS:
        _binding(root, operations, (_word(name), suffix), soap)
    service = etree.SubElement(root, f"{_W}service", {"name": _word(name)})
    etree.SubElement(service, f"{_W}documentation").text = title
    for suffix, soap in VERSIONS:
        port = etree.SubElement(service, f"{_W}port", {"name": _word(name) + suffix, "binding": f"t:{_word(name)}{suffix}"})
        etree.SubElement(port, f"{{{soap}}}address", {"location": ADDRESS})
    return etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")


def ports_of(name: str) -> frozenset[str]:
    """The names of the ports in a WSDL that was made under this name."""
    return frozenset(_word(name) + suffix for suffix, _ in VERSIONS)


def _port_type(root: _Element, operations: Iterable[str], name: str) -> None:
    port_type = etree.SubElement(root, f"{_W}portType", {"name": f"{name}PortType"})
    for each in operations:
        operation = etree.SubElement(port_type, f"{_W}operation", {"name": xml_name(each)})
        etree.SubElement(operation, f"{_W}input", {"message": f"t:{xml_name(each)}"})
        etree.SubElement(operation, f"{_W}output", {"message": f"t:{_reply_name(each)}"})


def _binding(root: _Element, operations: Iterable[str], names: tuple[str, str], soap: str) -> None:
    binding = etree.SubElement(root, f"{_W}binding", {"name": "".join(names), "type": f"t:{names[0]}PortType"})
    etree.SubElement(binding, f"{{{soap}}}binding", {"style": "document", "transport": TRANSPORT})
    for each in operations:
        operation = etree.SubElement(binding, f"{_W}operation", {"name": xml_name(each)})
        etree.SubElement(operation, f"{{{soap}}}operation", {"soapAction": f"{root.get('targetNamespace')}/{xml_name(each)}"})
        for side in ("input", "output"):
            etree.SubElement(etree.SubElement(operation, f"{_W}{side}"), f"{{{soap}}}body", {"use": "literal"})


def _reply_name(operation: str) -> str:
    return f"{xml_name(operation)}Response"


def _word(name: str) -> str:
    """A name that programs can be generated from."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name)) or "Service"
