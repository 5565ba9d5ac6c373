"""Plays the golden examples of an adapter, both ways: what is sent for each request, and what each answer becomes.

An example is NAME.request.json (null: no body) with what must come of it: NAME.native.{xml,json} (what goes out), NAME.native_reply.* (what
comes back) and NAME.reply.json, or NAME.problem.json (slug, and the pointers of its errors where they are named). NAME.headers.json has the
Lgsp-* headers, NAME.parameters.json path and query; bound.json the values of `uses`. A `.json` native is one body, or a list of {call,
body, path} where the operation takes several calls or an address of its own. An example that has an operation's name is of that operation.
"""

from __future__ import annotations

import json as plain_json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lxml import etree

from lgsp.codec import json
from lgsp.contract.adapter.place import in_url
from lgsp.errors import CodecError, Finding, MappingError
from lgsp.model.agreed import Pattern, SoapFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lgsp.model.agreed import Call, Operation, Service

MESSAGE_ID = "0190f3c2-7a10-7c3e-9d4b-5a1f00000001"
SESSION = "phien-mau-0001"
KEPT = frozenset({Pattern.MAILBOX, Pattern.PUBLISH})
"""Nothing is sent, so nothing but a refused request can be shown."""
NOW = 1_772_413_200.0  # 2026-03-02T08:00:00+07:00
PURPOSE = {
    "slug": "Lgsp-Purpose",
    "official": "Lgsp-Official",
    "public_service": "Lgsp-Public-Service",
    "dossier": "Lgsp-Dossier",
    "represented_party": "Lgsp-Represented-Party",
}


class Sent(NamedTuple):
    """What goes over the wire in one call: its body, and path and query where they are not the same for every call."""

    call: str
    body: bytes
    path: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one example: what was sent by call, and the reply or the slug and pointers of a problem."""

    sent: tuple[Sent, ...]
    reply: Any = None
    slug: str = ""
    pointers: tuple[str, ...] = ()


def check_examples(folder: Path, services: Sequence[Service]) -> list[Finding]:
    """A finding for every example that comes out otherwise than its files say."""
    operations = [operation for service in services for operation in service.operations]
    findings = []
    for request in sorted((folder / "examples").glob("*.request.json")):
        example = Example(request)
        differences = [example.difference(example.play(operation), operation) for operation in example.meant(operations)]
        if differences and all(differences):
            findings.append(Finding(f"{folder.name}/examples/{request.name}", 0, "", "example", min(filter(None, differences), key=len)))
    return findings


class Example:
    """One golden example by the path of its request."""

    def __init__(self, request: Path) -> None:
        self.name = request.name.removesuffix(".request.json")
        self._folder = request.parent
        self.request = json.decode(request.read_bytes())
        self.parameters: Mapping[str, Any] = self._json("parameters") or {}
        self.sent = self._bodies("native")
        self._answers = {each.call: each.body for each in self._bodies("native_reply")}

    def meant(self, operations: Sequence[Operation]) -> Sequence[Operation]:
        """The operations that this example may be of: the one whose name it has, those whose calls it names, or all."""
        named = [operation for operation in operations if operation.name == self.name]
        if named:
            return named
        calls = [each.call for each in self.sent if each.call]
        return [operation for operation in operations if not calls or calls[-1] in {call.name for call in operation.calls}]

    def play(self, operation: Operation) -> Played:
        """What the operation makes of the request and of the provider's answers; nothing leaves the process."""
        violations = operation.check_request(self.request)
        if violations:
            return Played((), slug="body-invalid", pointers=tuple(violation.pointer for violation in violations))
        scope = self.scope()
        scope["param"], violations = operation.read_parameters({name: in_url(value) for name, value in self.parameters.items()})
        if violations:
            return Played((), slug="parameter-invalid", pointers=tuple(violation.pointer for violation in violations))
        sent: list[Sent] = []
        answer: Any = None
        for call in operation.calls:
            try:
                sent.append(_ask(call, scope, operation))
            except MappingError as error:
                return Played(tuple(sent), slug="native-invalid", pointers=tuple(each.pointer for each in error.violations))
            answer, slug = (None, "") if operation.pattern in KEPT else self._answer(call)
            if slug:
                return Played(tuple(sent), slug=slug)
            if call.binds:
                scope["known"][call.binds] = answer
        return _finished(operation, scope, answer, tuple(sent))

    def difference(self, played: Played, operation: Operation) -> str:
        """Why what came of the example is not what its files say; empty if it is."""
        problem, reply = self._json("problem"), self._json("reply")
        if problem is not None and played.slug != problem["slug"]:
            return f"gives {played.slug or 'a reply'} instead of {problem['slug']}"
        wanted = {error["pointer"] for error in (problem or {}).get("errors", ())}
        if not wanted <= set(played.pointers):
            return f"names {', '.join(played.pointers) or 'no place'} instead of {', '.join(sorted(wanted))}"
        if reply is not None and played.reply != reply:
            return f"gives {played.slug or _first_difference(played.reply, reply)}"
        return next(_unlike(played.sent, self.sent, operation), "")

    def scope(self) -> dict[str, Any]:
        """What the mappings of this example read."""
        headers, bound = self._json("headers") or {}, self._folder / "bound.json"
        return {
            "value": self.request,
            "request": self.request,
            "message": {"id": MESSAGE_ID, "received_at": NOW},
            "purpose": {name: headers.get(header) for name, header in PURPOSE.items()},
            "param": {},
            "uses": json.decode(bound.read_bytes()) if bound.exists() else {},
            "known": {},
            "now": NOW,
        }

    def _answer(self, call: Call) -> tuple[Any, str]:
        body = self._answers.get(call.name, self._answers.get(""))
        if body is None:
            return None, "no-answer"
        try:
            answer = call.wire.decode(body)
        except CodecError:
            return None, "provider-not-understood"
        if isinstance(answer, SoapFault):
            consumer = answer.code.rpartition(":")[2].partition(".")[0] in {"Client", "Sender"}
            return None, "provider-refused" if consumer else "provider-failed"
        refused = call.ok_when is not None and not call.ok_when(answer)
        return answer, "provider-refused" if refused else ""

    def _bodies(self, kind: str) -> Sequence[Sent]:
        for path in sorted(self._folder.glob(f"{self.name}.{kind}.*")):
            if path.suffix != ".json":
                return [Sent("", path.read_bytes())]
            value = json.decode(path.read_bytes())
            return [_step(step) for step in value] if isinstance(value, list) else [Sent("", json.encode(value))]
        return []

    def _json(self, kind: str) -> Any:
        path = self._folder / f"{self.name}.{kind}.json"
        return json.decode(path.read_bytes()) if path.exists() else None


def _step(step: Mapping[str, Any]) -> Sent:
    return Sent(step["call"], json.encode(step["body"]) if "body" in step else b"", step.get("path", ""))


def _ask(call: Call, scope: Mapping[str, Any], operation: Operation) -> Sent:
    native = call.to_native(scope)
    session = operation.provider.auth.session
    if session is not None:
        native[session.sends] = SESSION
    content, violations = call.wire.write(native)
    if violations:
        raise MappingError(violations)
    return Sent(call.name, content, call.wire.locate(native) if call.wire.locate is not None else "")


def _finished(operation: Operation, scope: Mapping[str, Any], answer: Any, sent: tuple[Sent, ...]) -> Played:
    if operation.pattern in KEPT:
        return Played(())
    try:
        reply = operation.to_canonical({**scope, "value": answer})
    except MappingError as error:
        return Played(sent, slug="provider-reply-invalid", pointers=tuple(each.pointer for each in error.violations))
    violations = operation.check_reply(reply)
    if violations:
        return Played(sent, slug="provider-reply-invalid", pointers=tuple(each.pointer for each in violations))
    return Played(sent, reply)


def _unlike(sent: Sequence[Sent], wanted: Sequence[Sent], operation: Operation) -> Iterator[str]:
    if wanted and len(sent) != len(wanted):
        yield f"sends {len(sent)} calls instead of {len(wanted)}"
    for one, other in zip(sent, wanted, strict=False):
        if other.path and one.path != other.path:
            yield f"asks {one.call} at another address than {other.path}"
        read = _tree if operation.provider.kind == "soap" else _value
        if read(one.body) != read(other.body):
            yield f"sends by {one.call}: {_first_difference(read(one.body), read(other.body))}"


def _value(document: bytes) -> Any:
    """What stands in a JSON body, which may be empty."""
    return plain_json.loads(document) if document else None


def _tree(document: bytes) -> Any:
    """An XML document without prefixes and blanks between elements."""
    return _branch(etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)))


def _branch(node: Any) -> Any:
    children = [_branch(child) for child in node]
    return {str(node.tag): children or (node.text or "")}


def _first_difference(found: Any, wanted: Any, at: str = "") -> str:
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in [*wanted, *found]:
            if key not in found or key not in wanted:
                return f"{'no' if key not in found else 'an unexpected'} {at}/{key}"
            if found[key] != wanted[key]:
                return _first_difference(found[key], wanted[key], f"{at}/{key}")
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        place = next(place for place, (one, other) in enumerate(zip(found, wanted, strict=True)) if one != other)
        return _first_difference(found[place], wanted[place], f"{at}/{place}")
    return f"something else at {at or '/'}"
