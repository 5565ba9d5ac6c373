"""The data plane's REST door: a SpecMiddleware of connexion's own stack, placed first (DESIGN decision 4).

It reads one HTTP request with limits, hands it to exchange.carry, and writes the answer. The catalogue owns the contracts; connexion is
given their routes, and the door refuses to start where the two disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import structlog
from connexion.middleware import SpecMiddleware

from lgsp import exchange
from lgsp.drivers.doors.problems import language_of, problem_reply
from lgsp.drivers.doors.receipts import receipt_reply
from lgsp.errors import ContractError, Fault, Finding
from lgsp.model import Message, Purpose, Reply
from lgsp.stages.identify import identify

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from connexion.spec import Specification

    from lgsp.drivers.doors.token import TokenDoor
    from lgsp.ports import Ports

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
SINGLE = ("authorization", "content-type", "idempotency-key", "lgsp-purpose", "lgsp-official", "lgsp-public-service", "lgsp-dossier")
AMBIGUOUS_PATH = re.compile(rb"%2f|%5c|%00|%2e|//|/\.|\\|;", re.IGNORECASE)
RECEIPTS = "/receipts/"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the door lets in: body size in bytes, exchanges at one time."""

    body_bytes: int
    exchanges: int


class RestDoor(SpecMiddleware):
    """The ASGI application in front; everything that is not HTTP goes on to connexion."""

    def __init__(self, app: Any, *, ports: Ports, token_door: TokenDoor, limits: Limits, issuer: str) -> None:
        self._app = app
        self._ports = ports
        self._token_door = token_door
        self._limits = limits
        self._issuer = issuer
        self._under_way = 0
        self._log = structlog.get_logger().bind(logger="lgsp.door")

    def add_api(self, specification: Specification, *, base_path: str, **_: Any) -> None:
        """Called by connexion for each contract: each of its routes must be an operation of the catalogue."""
        catalogue = self._ports.catalogue.current()
        for path, methods in specification["paths"].items():
            for method in methods:
                if catalogue.find(method.upper(), base_path + path) is None:
                    raise ContractError([Finding(base_path, 0, path, "route", f"{method.upper()} is in no catalogue")])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request to one answer, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        message_id = self._ports.new_id()
        headers, trace_id, language = {}, message_id.replace("-", ""), "vi"
        try:
            headers = _headers(scope)
            trace_id = _trace_id(headers) or trace_id
            reply = await self._answer(scope, receive, headers, message_id, trace_id)
        except Fault as fault:
            language = language_of(headers.get("accept-language", ""))
            reply = problem_reply(fault, language, self._issuer, message_id, trace_id)
        except Exception:  # noqa: BLE001  # the outermost layer: a bug answers as a problem, and never leaks
            self._log.exception("internal_error", message_id=message_id, trace_id=trace_id)
            reply = problem_reply(Fault("internal-error"), language, self._issuer, message_id, trace_id)
        await _send(send, reply, headers, message_id)

    async def _answer(self, scope: Scope, receive: Receive, headers: Mapping[str, str], message_id: str, trace_id: str) -> Reply:
        if self._under_way >= self._limits.exchanges:
            raise Fault("overloaded", retry_after_s=1)
        self._under_way += 1
        try:
            message = await self._read(scope, receive, headers, message_id, trace_id)
            if message.path == "/token":
                return await self._token(message)
            if message.path.startswith(RECEIPTS):
                return await self._receipt(message, language_of(headers.get("accept-language", "")))
            return await exchange.carry(message, self._ports)
        finally:
            self._under_way -= 1

    async def _read(self, scope: Scope, receive: Receive, headers: Mapping[str, str], message_id: str, trace_id: str) -> Message:
        if AMBIGUOUS_PATH.search(scope["raw_path"]):
            raise Fault("not-found")
        return Message(
            id=message_id,
            received_at=self._ports.now(),
            method=scope["method"],
            path=scope["path"],
            query=_query(scope["query_string"]),
            media_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
            body=await _body(receive, headers, self._limits.body_bytes),
            credential=headers.get("authorization"),
            source=scope["client"][0] if scope.get("client") else "",
            purpose=_purpose(headers),
            idempotency_key=headers.get("idempotency-key"),
            trace_id=trace_id,
        )

    async def _token(self, message: Message) -> Reply:
        if message.method != "POST":
            raise Fault("method-not-allowed", headers=(("Allow", "POST"),))
        return await self._token_door.grant(message.credential, message.media_type, message.body, message.received_at)

    async def _receipt(self, message: Message, language: str) -> Reply:
        if message.method != "GET":
            raise Fault("method-not-allowed", headers=(("Allow", "GET"),))
        consumer = identify(message, self._ports)
        message_id = message.path.removeprefix(RECEIPTS)
        return await receipt_reply(message_id, consumer.id, self._ports.receipts, language, self._issuer)


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name, as Latin-1; one that decides who and why must not come twice."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1")
        if key in headers and key in SINGLE:
            raise Fault("malformed-request", f"header {key} is there twice")
        headers[key] = value.decode("latin-1")
    return headers


def _trace_id(headers: Mapping[str, str]) -> str | None:
    match = TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    return match[1] if match and match[1].strip("0") else None


def _query(query_string: bytes) -> Mapping[str, str]:
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=100, errors="strict")
    except ValueError as error:
        raise Fault("malformed-request", "the query string cannot be read") from error
    query = dict(pairs)
    if len(query) != len(pairs):
        raise Fault("malformed-request", "a query parameter is there twice")
    return query


def _purpose(headers: Mapping[str, str]) -> Purpose:
    return Purpose(
        slug=headers.get("lgsp-purpose"),
        official=headers.get("lgsp-official"),
        public_service=headers.get("lgsp-public-service"),
        dossier=headers.get("lgsp-dossier"),
        represented_party=headers.get("lgsp-represented-party"),
    )


async def _body(receive: Receive, headers: Mapping[str, str], limit_bytes: int) -> bytes:
    """The whole body; one that says it is too large is refused before it is read, one that lies as soon as it shows."""
    if int(headers.get("content-length", "0")) > limit_bytes:
        raise Fault("body-too-large", f"the limit is {limit_bytes} bytes", headers=(("Connection", "close"),))
    event = await receive()
    body = event.get("body", b"")
    if not event.get("more_body", False):
        return body
    parts, size = [body], len(body)
    while event.get("more_body", False):
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Fault("malformed-request", "the connection ended within the body")
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > limit_bytes:
            raise Fault("body-too-large", f"the limit is {limit_bytes} bytes", headers=(("Connection", "close"),))
    return b"".join(parts)


async def _send(send: Send, reply: Reply, request_headers: Mapping[str, str], message_id: str) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in reply.headers]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    headers.append((b"lgsp-message-id", message_id.encode()))
    if "x-request-id" in request_headers:
        headers.append((b"x-request-id", request_headers["x-request-id"].encode("latin-1")))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
