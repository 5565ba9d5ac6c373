"""Multipart bodies read part by part as they come (RFC 2046 section 5.1), in constant memory; what could be read in two ways is refused.

No preamble but a line break, no epilogue but blanks, no folded or doubled part headers, no transfer encoding that changes bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

MOST_PARTS = 100
MOST_HEADER_BYTES = 8 << 10
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,60}):[ \t]*([^\r\n\0]*)")
PLAIN = frozenset({"", "binary", "8bit", "7bit"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers by lower-case name, and its content, which must be read before the next part is."""

    headers: Mapping[str, str]
    content: AsyncIterator[bytes]


async def parts(pieces: AsyncIterator[bytes], boundary: str) -> AsyncIterator[Part]:
    """Every part in turn; Fault("malformed-body") where the body is not multipart of this boundary."""
    if not BOUNDARY.fullmatch(boundary):
        raise Fault("malformed-request", "Content-Type has no boundary that could be one")
    reader = _Reader(pieces, boundary.encode())
    await reader.start()
    for _ in range(MOST_PARTS):
        headers = await reader.headers()
        content = reader.content()
        yield Part(headers, content)
        async for _piece in content:
            pass  # what nobody wanted
        if reader.ended:
            await reader.finish()
            return
    raise Fault("malformed-body", f"the body has more than {MOST_PARTS} parts")


class _Reader:
    """The bytes that came and were not given on yet."""

    def __init__(self, pieces: AsyncIterator[bytes], boundary: bytes) -> None:
        self._pieces = pieces
        self._delimiter = b"\r\n--" + boundary
        self._waiting = bytearray(b"\r\n")  # a first delimiter without its line break is as good as one with it
        self.ended = False

    async def start(self) -> None:
        await self._need(len(self._delimiter) + 4)
        if self._waiting.startswith(b"\r\n\r\n"):
            del self._waiting[:2]
        if not self._waiting.startswith(self._delimiter):
            raise Fault("malformed-body", "the body does not begin with its boundary")
        del self._waiting[: len(self._delimiter)]
        await self._end_delimiter()

    async def headers(self) -> Mapping[str, str]:
        while (end := self._waiting.find(b"\r\n\r\n")) < 0 and not self._waiting.startswith(b"\r\n"):
            if len(self._waiting) > MOST_HEADER_BYTES or not await self._more():
                raise Fault("malformed-body", "the headers of a part do not end")
        block = b"" if self._waiting.startswith(b"\r\n") else bytes(self._waiting[:end])
        if len(block) > MOST_HEADER_BYTES:
            raise Fault("malformed-body", "the headers of a part are too long")
        del self._waiting[: len(block) + (4 if block else 2)]
        return _headers(block)

    async def content(self) -> AsyncIterator[bytes]:
        """Up to the next delimiter; what may be its beginning is kept back until more is known."""
        kept = len(self._delimiter)
        while (at := self._waiting.find(self._delimiter)) < 0:
            if len(self._waiting) > kept:
                piece = bytes(self._waiting[:-kept])
                del self._waiting[:-kept]
                yield piece
            if not await self._more():
                raise Fault("malformed-body", "the last part does not end")
        if at:
            yield bytes(self._waiting[:at])
        del self._waiting[: at + len(self._delimiter)]
        await self._end_delimiter()

    async def finish(self) -> None:
        """After the last part nothing comes but blanks."""
        while await self._more():
            if bytes(self._waiting).strip():
                break
            self._waiting.clear()
        if bytes(self._waiting).strip():
            raise Fault("malformed-body", "something follows the last part")

    async def _end_delimiter(self) -> None:
        await self._need(2)
        end = bytes(self._waiting[:2])
        del self._waiting[:2]
        if end not in {b"\r\n", b"--"}:
            raise Fault("malformed-body", "a boundary does not end its line")
        self.ended = end == b"--"

    async def _need(self, count: int) -> None:
        while len(self._waiting) < count and await self._more():
            pass

    async def _more(self) -> bool:
        async for piece in self._pieces:
            self._waiting += piece
            return True
        return False


def _headers(block: bytes) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in block.split(b"\r\n") if block else ():
        match = _HEADER.fullmatch(line)
        name = match[1].decode().lower() if match else ""
        if match is None or name in found:
            raise Fault("malformed-body", "the headers of a part cannot be read")
        found[name] = match[2].decode("latin-1").strip()
    if found.get("content-transfer-encoding", "").lower() not in PLAIN:
        raise Fault("malformed-body", "a part has a Content-Transfer-Encoding that changes its bytes")
    return found
