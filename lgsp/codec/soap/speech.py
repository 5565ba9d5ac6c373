"""Speaks one operation of a SOAP binding, both directions and from either end; pure."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from lgsp.codec.soap.envelope import Envelope, open_envelope
from lgsp.codec.soap.fault import Faults
from lgsp.codec.soap.fragment import parse
from lgsp.codec.soap.inbound import write_envelope
from lgsp.codec.soap.lexical import Doubt, Unwritable, pointer_of
from lgsp.codec.soap.side import Side
from lgsp.codec.soap.tables import ANY_KEY, SOAP_12, Message
from lgsp.errors import CodecError
from lgsp.model.agreed import SoapFault, Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.codec.soap.tables import Grammar, Operation
    from lgsp.codec.soap.verdict import Verdict
    from lgsp.errors import Violation


BASE64 = "base64Binary"


class Speech:
    """One operation: `request`, `reply` (None: one-way) and `faults`, each compiled when it is first used."""

    def __init__(self, operation: Operation, grammar: Grammar, verdict: Verdict) -> None:
        self.operation = operation
        self.grammar = grammar
        self._verdict = verdict

    @cached_property
    def request(self) -> Side:
        """What the consumer sends."""
        return Side(self.operation.request, self.operation.version, self.grammar, self._verdict)

    @cached_property
    def reply(self) -> Side | None:
        """What the provider sends, if it does; an empty body answers where nothing else is agreed."""
        reply = self.operation.reply
        return Side(reply, self.operation.version, self.grammar, self._verdict) if reply is not None else None

    @cached_property
    def faults(self) -> Faults:
        """How the provider says no."""
        return Faults(self.operation.faults, self.grammar)

    @cached_property
    def binary(self) -> frozenset[str]:
        """Local names in the reply that are base64 wherever they stand."""
        kinds: dict[str, set[bool]] = {}
        seen: set[str] = set()
        reply = self.operation.reply
        waiting = [] if reply is None or reply.body is None else [reply.body]
        while waiting:
            field = waiting.pop()
            if field.key == ANY_KEY:
                continue
            shape = self.grammar.shapes[field.shape]
            kinds.setdefault(field.name.rpartition("}")[2], set()).add(shape.form == BASE64)
            if field.shape not in seen:
                seen.add(field.shape)
                waiting.extend(shape.fields)
        return frozenset(name for name, found in kinds.items() if found == {True})

    def fault_element(self, name: str, value: Any) -> bytes:
        """The typed detail of a declared fault as an element of its own; nothing where there is no such one or the XSD refuses it."""
        field = next((each for each in self.operation.faults if each.key == name), None)
        if field is None:
            return b""
        try:
            element = self.faults.element(name, value)
        except (Unwritable, LookupError, TypeError, RecursionError, UnicodeEncodeError):
            return b""
        root = parse(write_envelope(self.operation.version, b"", element))
        return b"" if self._verdict.violations(root, Message(field)) else element

    def side(self, *, reply: bool) -> Side:
        """One of the directions; CodecError where a one-way operation is asked for its reply."""
        found = self.reply if reply else self.request
        if found is None:
            raise CodecError("the operation is one-way; it has no reply")
        return found

    # ---- the consumer's end, for Wire -----------------------------------------------------------------------------------------------

    def write(self, native: Any) -> tuple[bytes, Sequence[Violation]]:
        """A request, and what in it breaks the contract."""
        return self.request.write(native)

    def decode(self, data: bytes) -> Any:
        """The value of an answer, or a SoapFault."""
        envelope = self._opened(data)
        return self.faults.read(envelope) if envelope.is_fault else self._answer(envelope)

    def check_reply(self, data: bytes) -> Sequence[Violation]:
        """What in an answer breaks the contract; a fault breaks nothing."""
        envelope = self._opened(data)
        return () if envelope.is_fault or self.reply is None else self.reply.violations(envelope)

    def read(self, data: bytes) -> tuple[Any, Sequence[Violation]]:
        """Both at once."""
        if self.reply is not None:
            with suppress(Doubt, ValueError):
                return self.reply.recognised(data), ()
        envelope = self._opened(data)
        if envelope.is_fault:
            return self.faults.read(envelope), ()
        return (self._answer(envelope), ()) if self.reply is None else self.reply.read(envelope)

    def _opened(self, data: bytes) -> Envelope:
        version = self.operation.version
        if self.reply is None and not data.strip():
            return Envelope(version, None, (), ())  # type: ignore[arg-type]  # a one-way call is answered by nothing at all
        return open_envelope(data, version)

    def _answer(self, envelope: Envelope) -> Any:
        return {} if self.reply is None else self.reply.value(envelope)


class Speaker(Protocol):
    """What speaks an operation from the consumer's end: a Speech, or whatever stands in for it."""

    operation: Operation

    def write(self, native: Any) -> tuple[bytes, Sequence[Violation]]: ...

    def decode(self, data: bytes) -> Any: ...

    def check_reply(self, data: bytes) -> Sequence[Violation]: ...

    def read(self, data: bytes) -> tuple[Any, Sequence[Violation]]: ...


def wire(speech: Speaker) -> Wire:
    """One operation as the engine knows it, from the consumer's end."""
    media_type, headers = _transport(speech.operation)
    return Wire(
        method="POST",
        path="",
        media_type=media_type,
        headers=headers,
        write=speech.write,
        decode=speech.decode,
        check_reply=speech.check_reply,
        read_once=speech.read,
        binary=speech.binary if isinstance(speech, Speech) else frozenset(),
    )


def encode(speech: Speech, value: Any, *, reply: bool = False) -> bytes:
    """A value, or a SoapFault, as an envelope; CodecError tells the first place that breaks the contract."""
    if isinstance(value, SoapFault):
        try:
            return speech.faults.write(speech.operation.version, value)
        except Unwritable as flaw:
            raise CodecError(flaw.detail, pointer=pointer_of(flaw.steps[::-1])) from flaw
    content, violations = speech.side(reply=reply).write(value)
    for violation in violations:
        raise CodecError(violation.detail, pointer=violation.pointer)
    return content


def decode(speech: Speech, data: bytes, *, reply: bool = False) -> Any:
    """The value of an envelope, or a SoapFault; CodecError tells the first place that breaks the contract."""
    side = speech.side(reply=reply)
    value, violations = speech.read(data) if reply else side.read_once(data)
    for violation in violations:
        raise CodecError(violation.detail, pointer=violation.pointer)
    return value


def _transport(operation: Operation) -> tuple[str, tuple[tuple[str, str], ...]]:
    action = operation.action.replace("\\", "\\\\").replace('"', '\\"')
    if operation.version == SOAP_12:
        parameter = f'; action="{action}"' if action else ""
        return f"application/soap+xml; charset=utf-8{parameter}", ()
    return "text/xml; charset=utf-8", (("SOAPAction", f'"{action}"'),)


__all__ = ["Speaker", "Speech", "decode", "encode", "wire"]
