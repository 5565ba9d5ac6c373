"""One HTTP request read and one answer written, in ASGI's terms, with limits; what is ambiguous is refused rather than guessed."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from lgsp.errors import Fault
from lgsp.model.parties import Purpose

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from starlette.types import Receive, Scope, Send

    from lgsp.model.happening import Reply


@dataclass(frozen=True, slots=True)
class Limits:
    """What the doors let in: size of a body and of a file in bytes. `public`: the hub's address as consumers know it, or empty.

    security_servers: addresses whose word on the consumer counts, each with the SHA-256 of the certificate that it must show, or "".
    """

    body_bytes: int
    file_bytes: int
    public: str = ""
    security_servers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request at hand: ASGI's scope and receive, its headers, and what its message and trace are called."""

    scope: Scope
    receive: Receive
    headers: Headers
    message_id: str
    trace_id: str

    @property
    def source(self) -> str:
        """The address that asks, as far as ASGI knows it."""
        client = self.scope.get("client")
        return str(client[0]) if client else ""


TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
SINGLE = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"idempotency-key",
        b"lgsp-purpose",
        b"lgsp-official",
        b"lgsp-public-service",
        b"lgsp-dossier",
        b"lgsp-represented-party",
        b"lgsp-business-key",
        b"soapaction",
    }
)
"""Headers that decide who, what and why: twice is once too often."""
AMBIGUOUS_PATH = re.compile(rb"%2f|%5c|%00|%2e|//|/\.|\\|;", re.IGNORECASE)
TOO_LARGE = 413
LINGER_S, LINGER_BYTES = 2.0, 32 << 20
"""How long and how much of a refused body is thrown away, so that its sender gets to read the refusal (RFC 9112 section 9.6)."""


class Headers:
    """Request headers by lower-case name, read as Latin-1 when asked for; one that decides who and why must not come twice."""

    __slots__ = ("_pairs", "_raw")

    def __init__(self, scope: Scope) -> None:
        self._pairs = scope["headers"]
        self._raw: dict[bytes, bytes] = dict(self._pairs)

    def refuse_doubled(self) -> None:
        """Raise Fault("malformed-request") if one of those that must be single is not."""
        if len(self._raw) < len(self._pairs):
            _refuse_doubled([name for name, _ in self._pairs])

    def get(self, name: bytes) -> str | None:
        """The header's text, or None."""
        value = self._raw.get(name)
        return None if value is None else value.decode("latin-1")

    def text(self, name: bytes) -> str:
        """The header's text, empty where there is none."""
        return self._raw.get(name, b"").decode("latin-1")


def _refuse_doubled(names: Sequence[bytes]) -> None:
    for name in SINGLE:
        if names.count(name) > 1:
            raise Fault("malformed-request", f"header {name.decode()} is there twice")


def read_trace_id(headers: Headers) -> str | None:
    """The trace id of a well-formed `traceparent` (W3C Trace Context)."""
    match = TRACEPARENT.fullmatch(headers.text(b"traceparent"))
    return match[1] if match and match[1].strip("0") else None


def read_path(scope: Scope) -> str:
    """The decoded path; one that could be read in two ways is nobody's address."""
    if AMBIGUOUS_PATH.search(scope["raw_path"]):
        raise Fault("not-found")
    return str(scope["path"])


def read_query(scope: Scope) -> Mapping[str, str]:
    """Query parameters, each at most once."""
    if not scope["query_string"]:
        return {}
    try:
        text = scope["query_string"].decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=100, errors="strict")
    except ValueError as error:
        raise Fault("malformed-request", "the query string cannot be read") from error
    query = dict(pairs)
    if len(query) != len(pairs):
        raise Fault("malformed-request", "a query parameter is there twice")
    return query


def read_purpose(headers: Headers) -> Purpose:
    """The five headers of our own."""
    return Purpose(
        slug=headers.get(b"lgsp-purpose"),
        official=headers.get(b"lgsp-official"),
        public_service=headers.get(b"lgsp-public-service"),
        dossier=headers.get(b"lgsp-dossier"),
        represented_party=headers.get(b"lgsp-represented-party"),
    )


def refuse_packed(headers: Headers) -> None:
    """Nothing is unpacked here: what a few bytes become would be known too late."""
    if headers.text(b"content-encoding").strip().lower() not in {"", "identity"}:
        raise Fault("media-type-unsupported", "send the body without Content-Encoding", headers=(("Accept-Encoding", "identity"),))


def read_business_key(headers: Headers) -> str | None:
    """Of `Lgsp-Business-Key`; UTF-8, as a key may hold Vietnamese letters. In a header, since no identifier stands in a URL."""
    text = headers.get(b"lgsp-business-key")
    try:
        return None if text is None else text.encode("latin-1").decode()
    except UnicodeDecodeError as error:
        raise Fault("malformed-request", "header lgsp-business-key is not UTF-8") from error


async def read_body(receive: Receive, headers: Headers, limit_bytes: int) -> bytes:
    """The whole body; one that says it is too large is refused before it is read, one that lies as soon as it shows."""
    refuse_packed(headers)
    if int(headers.get(b"content-length") or 0) > limit_bytes:
        raise _too_large(limit_bytes)
    event = await receive()
    body: bytes = event.get("body", b"")
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
            raise _too_large(limit_bytes)
    return b"".join(parts)


async def body_pieces(asked: Asked, limit_bytes: int) -> AsyncIterator[bytes]:
    """The body as it comes, never all of it at once; refused as in read_body."""
    refuse_packed(asked.headers)
    if int(asked.headers.get(b"content-length") or 0) > limit_bytes:
        raise _too_large(limit_bytes)
    size, more = 0, True
    while more:
        event = await asked.receive()
        if event["type"] == "http.disconnect":
            raise Fault("malformed-request", "the connection ended within the body")
        piece, more = event.get("body", b""), event.get("more_body", False)
        size += len(piece)
        if size > limit_bytes:
            raise _too_large(limit_bytes)
        yield piece


def _too_large(limit_bytes: int) -> Fault:
    return Fault("body-too-large", f"the limit is {limit_bytes} bytes", headers=(("Connection", "close"),))


async def write_reply(receive: Receive, send: Send, reply: Reply, more_headers: Sequence[tuple[str, str]]) -> None:
    """Send the answer; after a body that was too large, wait a little for its sender to look up."""
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in (*reply.headers, *more_headers)]
    if reply.stream is not None:
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        async for piece in reply.stream:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.status != TOO_LARGE:
        await send({"type": "http.response.body", "body": reply.body})
        return
    await send({"type": "http.response.body", "body": reply.body, "more_body": True})
    await _linger(receive)
    await send({"type": "http.response.body", "body": b""})


async def _linger(receive: Receive) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            await _drain(receive)


async def _drain(receive: Receive) -> None:
    left, more = LINGER_BYTES, True
    while more and left > 0:
        event = await receive()
        more = event.get("more_body", False)
        left -= len(event.get("body", b""))
