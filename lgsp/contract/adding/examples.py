"""Golden examples for a drafted adapter: for each operation a request that the contract allows, what goes out for it, and an answer.

The values are the contract's own examples or invented from its schemas (the same ones each time); the answer is played through the compiled
adapter, so that an example shows what the hub does and not what somebody thinks it does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.contract.adapter.golden import Example
from lgsp.contract.adapter.made import parameter_value, sound_value
from lgsp.contract.openapi.read import ANSWERS, operations_of
from lgsp.contract.wsdl.invent import invented
from lgsp.contract.wsdl.read import read_contract
from lgsp.model.agreed import Pattern

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lgsp.contract.adapter.folder import Adapter
    from lgsp.contract.openapi.read import HttpOperation
    from lgsp.model.agreed import Operation

BOUND = "twin-only"
"""What stands in examples for the accounts and keys that each hub binds."""


@dataclass(slots=True)
class Examples:
    """What was written, and the operations that got none with the reason."""

    written: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


def write_examples(adapter: Adapter, folder: Path, contracts: Path) -> Examples:
    """Examples of every operation in FOLDER/examples."""
    found = Examples()
    place = folder / "examples"
    place.mkdir(parents=True, exist_ok=True)
    if adapter.manifest.uses:
        (place / "bound.json").write_bytes(json.encode(dict.fromkeys(adapter.manifest.uses, BOUND)) + b"\n")
    replies = _Replies(adapter, contracts)
    contract = next(iter(adapter.ours.values()))
    for operation in adapter.services[0].operations:
        reason = _example(place, operation, contract.operations[operation.name], replies)
        if reason:
            found.missing[operation.name] = reason
            for path in place.glob(f"{operation.name}.*"):
                path.unlink()
        else:
            found.written.append(operation.name)
    return found


def _example(place: Path, operation: Operation, http: HttpOperation, replies: _Replies) -> str:
    """Why there is none, or nothing."""
    body = replies.request(operation, http)
    if http.media_types and (body is None or operation.check_request(body)):
        return "no request could be invented that its schema allows"
    texts = {each.name: parameter_value(each.schema, f"{operation.name}/{each.name}") for each in http.parameters if each.required}
    _write(place, operation, "request", body)
    if texts:
        _write(place, operation, "parameters", texts)
    replies.write(place, operation)
    example = Example(place / f"{operation.name}.request.json")
    played = example.play(operation)
    if played.slug:
        return f"{played.slug} {', '.join(played.pointers)}".strip()
    _sent(place, operation, played.sent)
    if operation.pattern is Pattern.REQUEST_REPLY or played.reply is not None:
        _write(place, operation, "reply", played.reply)
    return ""


def _sent(place: Path, operation: Operation, sent: tuple[Any, ...]) -> None:
    if operation.provider.kind == "soap":
        (place / f"{operation.name}.native.xml").write_bytes(sent[-1].body)
        return
    steps = [
        {
            "call": each.call,
            **({"path": each.path} if each.path else {}),
            **({"body": json.decode(each.body)} if each.body else {}),
        }
        for each in sent
    ]
    _write(place, operation, "native", steps)


def _write(place: Path, operation: Operation, kind: str, value: Any) -> None:
    (place / f"{operation.name}.{kind}.json").write_bytes(json.encode(value) + b"\n")


class _Replies:
    """What the provider might answer: its contract's own example, or an invented one."""

    def __init__(self, adapter: Adapter, contracts: Path) -> None:
        binding = adapter.manifest.binding
        self._native = adapter.native
        self._speeches = read_contract(contracts / "wsdl" / binding["wsdl"]).port(binding["port"]).operations if "wsdl" in binding else {}

    def request(self, operation: Operation, http: HttpOperation) -> Any:
        """A canonical request; where nothing is translated, what the XSD finds valid is one."""
        speech = self._speeches.get(operation.calls[-1].name)
        if speech is not None and operation.calls[-1].one_form:
            return invented(speech.request, speech, operation.name, 0)[0]
        return sound_value(http.request_schema, operation.check_request, operation.name) if http.media_types else None

    def write(self, place: Path, operation: Operation) -> None:
        """NAME.native_reply.*, or nothing where nothing is answered."""
        call = operation.calls[-1].name
        if call in self._speeches:
            self._in_xml(place, operation, call)
        elif self._native is not None:
            native = self._native.operations[call]
            if native.reply_schema is None:
                _write(place, operation, "native_reply", [{"call": call}])
                return
            given = _given(self._native.document, call)
            value = given if given is not None and not native.check_reply(given) else None
            if value is None:
                value = sound_value(native.reply_schema, native.check_reply, call)
            _write(place, operation, "native_reply", [{"call": call, "body": value}])

    def _in_xml(self, place: Path, operation: Operation, call: str) -> None:
        speech = self._speeches[call]
        content = b""
        if speech.reply is not None:
            content, _ = speech.reply.write(invented(speech.reply, speech, call, 0)[0])
        (place / f"{operation.name}.native_reply.xml").write_bytes(content)


def _given(document: Mapping[str, Any], call: str) -> Any:
    """The contract's own example of the good answer."""
    item = next(each for _, _, _, each in operations_of(document) if each.get("operationId") == call)
    responses = item.get("responses", {})
    good: Mapping[str, Any] = next((responses[status] for status in ANSWERS if status in responses), {})
    for media, holder in good.get("content", {}).items():
        if "json" in media and "example" in holder:
            return holder["example"]
        for each in holder.get("examples", {}).values() if "json" in media else ():
            return each.get("value")
    return None
