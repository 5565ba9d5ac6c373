"""Serves any OpenAPI contract as a stand-in, nothing else to set up: it judges requests as the hub would, and its answers are valid.

An answer is the contract's example, or invented (the same for the same seed, operation and count of calls). `Prefer: code=404,
example=name` chooses one. Faults come from the layer around every twin (faults.py), effects are kept in its ledger.
"""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from lgsp.codec import json
from lgsp.contract.invent import Inventor
from lgsp.contract.openapi.read import operations_of
from lgsp.errors import Fault, JsonError, Violation
from lgsp.twin.credentials import challenge
from lgsp.twin.faults import read_whole
from lgsp.twin.negotiation import best_media, preferences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from lgsp.contract.openapi.read import HttpOperation, OpenApi

TRIES = 20
"""Seeds that are tried before an answer is given up: a schema may ask for more than invention knows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the path as it came (percent-encoded), header names in lower case, the query in its order."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    media_type: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """What happened so far, for the ledger of the fault layer."""

    ledger: list[dict[str, Any]] = field(default_factory=list)

    def reset(self) -> None:
        """Forget it."""
        self.ledger.clear()


@dataclass(frozen=True, slots=True)
class Route:
    """An operation with its part of the document, found by method and segments of its path."""

    operation: HttpOperation
    segments: tuple[str, ...]
    described: Mapping[str, Any]

    def variables(self, path: str) -> Mapping[str, str] | None:
        """Path parameters by name, or None for another path."""
        parts = path.split("/")
        if len(parts) != len(self.segments):
            return None
        pairs = list(zip(self.segments, parts, strict=True))
        if any(expected != unquote(part) for expected, part in pairs if expected[:1] != "{"):
            return None
        found = {expected[1:-1]: unquote(part) for expected, part in pairs if expected[:1] == "{"}
        return found if all(found.values()) else None


class RestTwin:
    """The ASGI application. `seed` makes every answer; `state` is what the ledger shows."""

    def __init__(self, contract: OpenApi, seed: int = 0) -> None:
        self._document = contract.document
        self._components = contract.document.get("components", {}).get("schemas", {})
        described = {item.get("operationId"): item for _, _, _, item in operations_of(contract.document)}
        self._routes = [Route(each, tuple(each.path.split("/")), described[name]) for name, each in contract.operations.items()]
        self._prefixes = sorted({urlsplit(str(each.get("url"))).path.rstrip("/") for each in contract.document.get("servers", ())} - {""})
        self._seed = seed
        self.state = State()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        asked = await asked_of(scope, receive)
        try:
            answer = await self.answer(self.judged(asked), asked)
        except Fault as fault:
            answer = problem(fault)
        await send_answer(send, answer)

    def judged(self, asked: Asked) -> Route:
        """The operation that is asked for; a Fault where the request breaks the contract."""
        route, variables = self._find(asked)
        challenged = challenge(route.described.get("security", self._document.get("security", [])), self._schemes, asked)
        if challenged is not None:
            raise Fault("token-missing", "the contract asks for a credential", headers=(("WWW-Authenticate", challenged),))
        keys = {each.get("name") for each in self._schemes.values() if each.get("type") == "apiKey" and each.get("in") == "query"}
        _judge(route.operation, replace(asked, query={name: text for name, text in asked.query.items() if name not in keys}), variables)
        return route

    async def answer(self, route: Route, asked: Asked) -> Answer:
        """What a provider would say; every call is an effect in the ledger."""
        chosen = self._chosen(route, asked)
        self.state.ledger.append({"effect": route.operation.name, "key": f"{asked.method} {asked.path}", "status": chosen.status})
        return chosen

    # ---- the request -------------------------------------------------------------------------------------------------------------------

    @property
    def _schemes(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._document.get("components", {}).get("securitySchemes", {})
        return found

    def _find(self, asked: Asked) -> tuple[Route, Mapping[str, str]]:
        path = next((asked.path.removeprefix(each) for each in self._prefixes if asked.path.startswith(each + "/")), asked.path)
        here = [(route, found) for route in self._routes if (found := route.variables(path)) is not None]
        here.sort(key=lambda each: len(each[1]))  # a path without variables wins
        for route, variables in here:
            if route.operation.method == asked.method:
                return route, variables
        if here:
            allowed = ", ".join(sorted({route.operation.method for route, _ in here}))
            raise Fault("method-not-allowed", headers=(("Allow", allowed),))
        raise Fault("not-found")

    # ---- the answer --------------------------------------------------------------------------------------------------------------------

    def _chosen(self, route: Route, asked: Asked) -> Answer:
        wanted = preferences(asked.headers.get("prefer", ""))
        responses: Mapping[str, Any] = route.described.get("responses", {})
        status = _status(responses, wanted.get("code"))
        content: Mapping[str, Any] = responses.get(status, {}).get("content", {})
        code = int(status) if status.isdigit() else int(wanted.get("code", "") or (status[0] + "00" if status[:1].isdigit() else "200"))
        applied = {"Preference-Applied": ", ".join(f"{name}={wanted[name]}" for name in ("code", "example") if name in wanted)}
        headers = {name: value for name, value in applied.items() if value}
        if not content:
            return Answer(code, headers=headers)
        media = best_media(asked.headers.get("accept", ""), content)
        if media is None:
            raise Fault("not-acceptable", f"this answer is offered as {', '.join(content)}")
        return Answer(code, media, self._body(route, content[media], media, wanted.get("example")), headers)

    def _body(self, route: Route, holder: Mapping[str, Any], media: str, example: str | None) -> bytes:
        examples = _examples(holder)
        if example is not None and example not in examples:
            raise Fault("malformed-request", f"Prefer: there is no example of this name; there are: {', '.join(examples) or 'none'}")
        if examples:
            return _written(examples[example] if example is not None else next(iter(examples.values())), media)
        if "schema" not in holder or not _is_json(media):
            return b""
        return json.encode(self._invented(route, holder["schema"]))

    def _invented(self, route: Route, schema: Any) -> Any:
        """A value that the contract's own check finds sound, where this is the answer that has one."""
        start = zlib.crc32(route.operation.name.encode()) + self._seed * 1_000_003 + len(self.state.ledger)
        is_good = schema == _good_schema(route)
        for seed in itertools.islice(itertools.count(start), TRIES):
            value = Inventor(self._components, seed).value(schema)
            if not is_good or not route.operation.check_reply(value):
                return value
        raise Fault("no-example", f"{route.operation.name}: give the answer an example in the contract")


def _judge(operation: HttpOperation, asked: Asked, variables: Mapping[str, str]) -> None:
    _, violations = operation.read_parameters({**asked.query, **variables})
    missing = [p for p in operation.parameters if p.where in {"header", "cookie"} and p.required and not _has(asked, p.where, p.name)]
    violations = [*violations, *(Violation(f"/{p.where}/{p.name}", "is missing", "required") for p in missing)]
    if violations:
        raise Fault("parameter-invalid", errors=violations)
    if not operation.media_types or (not asked.body and not operation.body_required):
        return
    media = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in {each.partition(";")[0].strip().lower() for each in operation.media_types}:
        raise Fault("media-type-unsupported", f"expected {' or '.join(operation.media_types)}")
    try:
        body = json.decode(asked.body)
    except JsonError as error:
        raise Fault("malformed-body", str(error)) from error
    if violations := operation.check_request(body):
        raise Fault("body-invalid", errors=violations)


def _has(asked: Asked, where: str, name: str) -> bool:
    return name.lower() in asked.headers if where == "header" else f"{name}=" in asked.headers.get("cookie", "")


def _status(responses: Mapping[str, Any], wanted: str | None) -> str:
    """The response to give: what was preferred, exactly or by its class, or the first good one."""
    if wanted is not None:
        found = next((each for each in (wanted, f"{wanted[:1]}XX", "default") if each in responses), None)
        if found is None or not (wanted.isdigit() and 200 <= int(wanted) <= 599):  # noqa: PLR2004  # what HTTP calls an answer
            raise Fault("malformed-request", f"Prefer: the contract has no answer of this code; it has {', '.join(responses)}")
        return found
    return next((each for each in responses if each.startswith("2")), next(iter(responses), "200"))


def _examples(holder: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: each["value"] for name, each in holder.get("examples", {}).items() if isinstance(each, dict) and "value" in each}
    return named or ({"example": holder["example"]} if "example" in holder else {})


def _good_schema(route: Route) -> Any:
    """The schema of the first good answer, which is the one that has a compiled check."""
    good = [answer for status, answer in route.described.get("responses", {}).items() if status.startswith("2")]
    return next((holder.get("schema") for answer in good for holder in answer.get("content", {}).values()), None)


def _written(value: Any, media: str) -> bytes:
    return value.encode() if isinstance(value, str) and not _is_json(media) else json.encode(value)


def _is_json(media: str) -> bool:
    plain = media.partition(";")[0].strip().lower()
    return plain == "application/json" or plain.endswith("+json")


def problem(fault: Fault) -> Answer:
    """A fault as an RFC 9457 problem."""
    facts: dict[str, Any] = {"title": fault.problem.title["en"], "status": fault.problem.status, "detail": fault.detail, "code": fault.slug}
    facts["errors"] = [{"pointer": each.pointer, "detail": each.detail, "code": each.code} for each in fault.errors]
    return Answer(fault.problem.status, "application/problem+json", json.encode({k: v for k, v in facts.items() if v}), dict(fault.headers))


async def asked_of(scope: Scope, receive: Receive) -> Asked:
    """The request in one piece."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return Asked(scope["method"], scope["raw_path"].decode("latin-1"), query, headers, await read_whole(receive))


async def send_answer(send: Send, answer: Answer) -> None:
    """The answer onto the wire."""
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    headers |= {"Content-Type": answer.media_type} if answer.media_type else {}
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": answer.body})
