"""One whole request and its whole answer over a connection of aiohttp's pool, past aiohttp's session.

The session builds anew for each call what is equal in all: URL, headers, cookies, redirects, a task that writes, an object to read from.
That costs as much as the call itself. Here are only the pool, the parser and the deadlines of aiohttp.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import aiohttp
from yarl import URL

from lgsp.errors import OutcomeUnknown, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from aiohttp.connector import Connection
    from aiohttp.http import RawResponseMessage

    from lgsp.model.agreed import Timeouts

    Read = Callable[[int, Mapping[str, str]], Callable[[AsyncIterator[bytes]], Awaitable[bytes]] | None]

ANSWER_LIMIT_BYTES = 16 << 20
BODYLESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "DELETE"})
"""Methods that need not say that they have no body (RFC 9110 section 8.6)."""
SCHEMES = frozenset({"http", "https"})
FINAL = 200
"""Statuses below announce another one (RFC 9110 section 15.2)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (names in any case), body bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Sends(Protocol):
    """What a request leaves by: connections to a provider, or the way to one that runs in this process."""

    async def send(
        self,
        method: str,
        url: str | URL,
        headers: Mapping[str, str],
        body: bytes | AsyncIterator[bytes] | None,
        read: Read | None = None,
    ) -> Answer:
        """One request, once; raises Unreachable or OutcomeUnknown."""


class Connections:
    """Of one connector. Who calls keeps the deadline of the whole call."""

    def __init__(self, connector: aiohttp.TCPConnector, timeouts: Timeouts) -> None:
        self._connector = connector
        self._read_s = timeouts.read_s
        self._timeout = aiohttp.ClientTimeout(sock_connect=timeouts.connect_s)
        self._ends: dict[str, aiohttp.ClientRequest] = {}

    async def ask(self, method: str, address: str | URL, headers: Mapping[str, str], body: bytes, read: Read | None = None) -> Answer:
        """`read` as Pool.send has it. Raises Unreachable if nothing was sent; else aiohttp's own errors, or OutcomeUnknown."""
        try:
            url = URL(address)
        except ValueError as error:
            raise Unreachable("provider-unreachable", "InvalidURL") from error
        end = self._end(url)
        head = _head(f"{method} {url.raw_path_qs} HTTP/1.1", _headers(method, end.headers, headers, len(body)))
        try:
            connection = await self._connector.connect(end, [], self._timeout)
        except TimeoutError as error:
            raise Unreachable("provider-unreachable", "ConnectionTimeoutError") from error
        try:
            message, content = await self._asked(connection, method, head, body)
            answer = Answer(message.code, message.headers, await taken(message.code, message.headers, content, read))
            # a provider may answer before it took the whole request: the next would wait behind the rest
            if connection.transport is not None and not connection.transport.get_write_buffer_size():
                connection.release()
        finally:
            connection.close()  # what was released stays open
        return answer

    def _end(self, url: URL) -> aiohttp.ClientRequest:
        """What aiohttp asks to connect to this address, with the headers that it would send to it."""
        key = f"{url.scheme}://{url.authority}"
        end = self._ends.get(key)
        if end is None:
            if url.scheme not in SCHEMES:
                raise aiohttp.InvalidURL(key)
            end = self._ends[key] = aiohttp.ClientRequest("GET", url, loop=asyncio.get_running_loop())
        return end

    async def _asked(self, connection: Connection, method: str, *request: bytes) -> tuple[RawResponseMessage, aiohttp.StreamReader]:
        protocol = connection.protocol
        if protocol is None or protocol.transport is None or protocol.should_close:
            # closed, or something came in while it was idle, which must not be taken for the answer to this request
            raise Unreachable("provider-unreachable", "the connection ended before anything was sent")
        protocol.set_response_params(skip_payload=method == "HEAD", read_until_eof=True, auto_decompress=False, read_timeout=self._read_s)
        protocol.transport.writelines(request)
        protocol.start_timeout()
        message, content = await protocol.read()
        while message.code < FINAL:
            message, content = await protocol.read()
        return message, content


async def taken(status: int, headers: Mapping[str, str], content: aiohttp.StreamReader, read: Read | None) -> bytes:
    """The body, as `read` makes it of the pieces or whole, up to the limit."""
    pieces = read(status, headers) if read is not None else None
    if pieces is not None:
        return await pieces(content.iter_any())
    length = headers.get("Content-Length", "")
    if length.isdigit() and int(length) <= ANSWER_LIMIT_BYTES:
        return await content.read()
    parts, size = [], 0
    async for part in content.iter_any():
        size += len(part)
        if size > ANSWER_LIMIT_BYTES:
            raise OutcomeUnknown("provider-not-understood", f"the answer is larger than {ANSWER_LIMIT_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


def _headers(method: str, usual: Mapping[str, str], own: Mapping[str, str], size_bytes: int) -> dict[str, str]:
    """The usual ones where there is none of our own by that name in any case."""
    given = {name.lower() for name in own}
    headers = {name: value for name, value in usual.items() if name.lower() not in given}
    headers.update(own)
    if size_bytes or method not in BODYLESS:
        headers["Content-Length"] = str(size_bytes)
    return headers


def _head(start: str, headers: Mapping[str, str]) -> bytes:
    """RFC 9112 sections 3 and 5; Unreachable where a value would begin a line of its own."""
    lines = [start, *[f"{name}: {value}" for name, value in headers.items()], "\r\n"]
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) or head.count("\r") != len(lines) or "\0" in head:
        raise Unreachable("provider-unreachable", "a header has a line break in it")
    return head.encode()
