"""A service of an OpenAPI contract as SOAP consumers see it: by a WSDL made of the contract, or by one that people wrote beside it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.lexical import Unwritable
from lgsp.contract.adapter.place import BODY
from lgsp.contract.bridge.pair import RESULT, Pairs
from lgsp.contract.bridge.to_soap import Wrapped, carried, document_of, ports_of, wrapped
from lgsp.contract.wsdl.face import Crossed, face_of, published_wsdl, wsdl_offered
from lgsp.contract.wsdl.files import read_documents
from lgsp.contract.wsdl.published import published_documents
from lgsp.contract.wsdl.source import ZipFiles, open_source
from lgsp.errors import ContractError, Finding
from lgsp.model.face import SoapOffer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from lgsp.codec.soap.speech import Speech
    from lgsp.contract.bridge.pair import Carry
    from lgsp.contract.openapi.read import OpenApi
    from lgsp.contract.wsdl.files import Documents
    from lgsp.model.face import SoapFace

MAIN = "service.wsdl"


def derived_offer(contract: OpenApi, name: str, names: Sequence[str], receipts: Collection[str]) -> SoapOffer | None:
    """These operations by a WSDL made of their contract; without those that SOAP cannot carry, None if none is left.

    A codec costs six times what the rest of an adapter does, in time and in memory, and most services are never asked in SOAP:
    the face is made when somebody asks. ContractError then: XML Schema does not bear so many elements, or XML cannot tell alternatives
    apart; such a service is not offered in SOAP, and REST is there.
    """
    able = carried(contract, names)
    if not able:
        return None

    def documents() -> Documents:
        made = document_of(wrapped(contract, able, receipts, []), name, contract.title)
        return read_documents(ZipFiles({MAIN: made}), MAIN)

    def face() -> SoapFace:
        return face_of(documents(), able, _Crossings(wrapped(contract, able, receipts, []), MAIN))

    return SoapOffer(wsdl_offered(lambda: published_documents(documents(), ports_of(name), able)), face)


def written_offer(path: Path, contract: OpenApi, names: Sequence[str], receipts: Collection[str]) -> SoapOffer:
    """The same by a WSDL that people wrote or edited; its files are read now.

    Raises ContractError where they cannot be, or SOAP cannot carry the contract; `face` with what would be lost between the two.
    """
    findings: list[Finding] = []
    operations = wrapped(contract, names, receipts, findings)
    if findings:
        raise ContractError(findings)
    read = read_documents(*open_source(path))
    texts = {file: text for file in read.roots if (text := read.files.read(file)) is not None}

    def documents() -> Documents:
        return read_documents(ZipFiles(texts), main)

    main, crossings = read.main, _Crossings(operations, path.name)
    return SoapOffer(published_wsdl(documents, names), lambda: face_of(documents(), names, crossings))


@dataclass(frozen=True, slots=True)
class _Crossings:
    """Pairs each operation of a contract with what the WSDL (`file`) has for it."""

    operations: Mapping[str, Wrapped]
    file: str

    def __call__(self, name: str, speech: Speech) -> Crossed:
        """How the operation's values cross."""
        findings: list[Finding] = []

        def tell(at: str, reason: str, fix: str) -> None:
            findings.append(Finding(self.file, 0, at, "lossy", reason, fix))

        each = self.operations[name]
        pairs = Pairs(speech.grammar.shapes, tell)
        request = pairs.message(each.request, speech.operation.request, f"/{name}/request")
        reply = pairs.message(each.reply, speech.operation.reply, f"/{name}/reply")
        if findings:
            raise ContractError(list(dict.fromkeys(findings)))
        return Crossed(_reading(each, request.up), _writing(each, reply.down))


def _reading(operation: Wrapped, up: Carry | None) -> Callable[[Any], tuple[Mapping[str, str], Any]]:
    def read(native: Any) -> tuple[Mapping[str, str], Any]:
        members = native if up is None else up(native)
        if not operation.parameters and not operation.body:
            return {}, members if operation.has_body else None
        texts = {name: _text_of(members[name], name) for name in operation.parameters if members.get(name) is not None}
        return texts, members.get(BODY)

    return read


def _writing(operation: Wrapped, down: Carry | None) -> Callable[[Any], Any]:
    def write(reply: Any) -> Any:
        value = {RESULT: reply} if operation.result else {} if reply is None else reply
        return value if down is None else down(value)

    return write


def _text_of(value: Any, name: str) -> str:
    """A parameter as a URL has it."""
    if isinstance(value, list):
        texts = [_text_of(item, name) for item in value]
        if any("," in text for text in texts):
            raise Unwritable("holds a comma, which parts the items of a list in a URL", name)
        return ",".join(texts)
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
