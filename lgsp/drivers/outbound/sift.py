"""Sifts a SOAP answer while it arrives: long base64 texts go to the vault, decoded, and their stand-ins take their place in the document.

What is base64 the contract says (local names of elements that are nothing else wherever they stand). expat finds them; the rest stays as it
came. In memory are the document without those texts, and of a text at most a few pieces (DESIGN decision 13).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from lgsp.errors import Fault, OutcomeUnknown
from lgsp.model.files import stand_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from lgsp.model.files import File

    Keep = Callable[[AsyncIterator[bytes]], Awaitable[File]]

LONG = 64 << 10
"""From so many characters on, a text leaves the document (DESIGN decision 12)."""
MOST_DOCUMENT_BYTES = 16 << 20
MOST_PIECES = 4
PLAIN = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
WIDE = (b"\xff\xfe", b"\xfe\xff", b"\0<", b"<\0")
_BLANKS = b" \t\r\n"
ENVELOPES, OK = frozenset({"text/xml", "application/soap+xml"}), 200
BEGIN, END = "begin", "end"


class Sieve:
    """The parsing alone. After each `feed`, `taken` says what happened: BEGIN, decoded bytes, END; `document` joins what is left."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = False
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartCdataSectionHandler = self._cdata
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.XmlDeclHandler = self._declared
        self.taken: list[bytes | str] = []
        self._raw, self._from = bytearray(), 0  # bytes since the last cut, and where in the answer they begin
        self._pieces: list[bytes] = []
        self._is_open = self._is_long = self._is_padded = False
        self._text_from = self._size = 0
        self._left = b""
        self._before: list[bytes] = []

    def feed(self, data: bytes, *, is_last: bool = False) -> None:
        """The next bytes; raises OutcomeUnknown where they are no XML, or base64 is none."""
        if not self._raw and not self._from and data.startswith(WIDE):
            self._names = frozenset()
        self._raw += data
        try:
            self._parser.Parse(data, is_last)
        except expat.ExpatError as error:
            reason = f"not well-formed XML (line {error.lineno}, column {error.offset})"
            raise OutcomeUnknown("provider-not-understood", reason) from error
        if self._is_long:
            self._drop_to(self._text_from)
        if len(self._raw) + sum(map(len, self._before)) > MOST_DOCUMENT_BYTES:
            raise OutcomeUnknown("provider-not-understood", f"the answer is larger than {MOST_DOCUMENT_BYTES} bytes without its files")

    def document(self, texts: Sequence[str]) -> bytes:
        """The document with one of these texts in each place of a long one."""
        parts = [part for before, text in zip(self._before, texts, strict=True) for part in (before, text.encode())]
        return b"".join((*parts, self._raw))

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in PLAIN:
            self._names = frozenset()  # positions would not be those of the bytes

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if self._is_long:
            raise OutcomeUnknown("provider-not-understood", f"{_local(name)} stands within base64")
        self._is_open = _local(name) in self._names
        self._text_from, self._size = -1, 0
        self._pieces.clear()

    def _cdata(self) -> None:
        if self._is_open and self._text_from < 0:
            self._text_from = self._parser.CurrentByteIndex

    def _text(self, text: str) -> None:
        if not self._is_open:
            return
        at, data = self._parser.CurrentByteIndex, text.encode()
        self._text_from = at if self._text_from < 0 or self._is_long else self._text_from
        if self._is_long:
            self._take(data)
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._size > LONG:
            self._before.append(bytes(self._raw[: self._text_from - self._from]))
            self._drop_to(at)
            self._is_long, self._is_padded, self._left = True, False, b""
            self.taken.append(BEGIN)
            for piece in self._pieces:
                self._take(piece)
            self._pieces.clear()
            self._text_from = at

    def _end(self, _name: str) -> None:
        if self._is_long:
            self._take(b"", is_last=True)
            self._drop_to(self._parser.CurrentByteIndex)
            self.taken.append(END)
        self._is_open = self._is_long = False
        self._pieces.clear()

    def _take(self, text: bytes, *, is_last: bool = False) -> None:
        whole = self._left + text.translate(None, _BLANKS)
        end = len(whole) if is_last else len(whole) // 4 * 4
        self._left = whole[end:]
        if not end:
            return
        if self._is_padded:
            raise OutcomeUnknown("provider-not-understood", "a base64 text goes on behind its end")
        self._is_padded = whole[:end].endswith(b"=")
        try:
            self.taken.append(base64.b64decode(whole[:end], validate=True))
        except binascii.Error as error:
            raise OutcomeUnknown("provider-not-understood", "a text that must be base64 is none") from error

    def _drop_to(self, at: int) -> None:
        del self._raw[: at - self._from]
        self._from = at


def is_large(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer is an envelope, in an encoding that can be sifted, that may hold a long text."""
    media_type, _, parameters = headers.get("Content-Type", "").lower().partition(";")
    charset = parameters.partition("charset=")[2].partition(";")[0].strip(' "')
    size = headers.get("Content-Length", "")
    is_short = size.isdecimal() and int(size) <= LONG
    return status == OK and media_type.strip() in ENVELOPES and charset in PLAIN | {""} and not is_short


async def sifted(pieces: AsyncIterator[bytes], names: frozenset[str], keep: Keep) -> bytes:
    """The document, with stand-ins for the files that `keep` has taken from it."""
    sieve, filing = Sieve(names), Filing(keep)
    try:
        async for piece in _with_end(pieces):
            sieve.feed(piece or b"", is_last=piece is None)
            taken, sieve.taken = sieve.taken, []
            for each in taken:
                await filing.take(each)
    finally:
        await filing.drop()
    return sieve.document(filing.stand_ins)


async def _with_end(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes | None]:
    async for piece in pieces:
        yield piece
    yield None


class Filing:
    """Files on their way into the vault, one after another; what comes faster than the vault takes it, waits."""

    def __init__(self, keep: Keep) -> None:
        self.stand_ins: list[str] = []
        self._keep = keep
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_PIECES)
        self._task: asyncio.Future[Any] | None = None

    async def take(self, happened: bytes | str) -> None:
        """BEGIN, a piece, or END; raises what the vault raised."""
        if happened == BEGIN:
            self._queue = asyncio.Queue(MOST_PIECES)
            self._task = asyncio.ensure_future(self._keep(self._content()))
        elif happened == END:
            await self._put(None)
            self.stand_ins.append(stand_in((await self._kept()).ref))
        elif isinstance(happened, bytes):
            await self._put(happened)

    async def _content(self) -> AsyncIterator[bytes]:
        while (piece := await self._queue.get()) is not None:
            yield piece

    async def _put(self, piece: bytes | None) -> None:
        """Hand a piece over, unless the vault takes no more: then it raises why."""
        putting: asyncio.Future[Any] = asyncio.ensure_future(self._queue.put(piece))
        waiting = {putting} if self._task is None else {putting, self._task}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not putting.done():
            putting.cancel()
            await self._kept()

    async def _kept(self) -> File:
        task, self._task = self._task or asyncio.Future(), None
        try:
            file: File = await task
        except Fault as fault:
            if fault.slug != "body-too-large":
                raise
            raise OutcomeUnknown("provider-not-understood", f"a file in the answer: {fault.detail}") from fault
        return file

    async def drop(self) -> None:
        """Keep nothing of a file that is not complete."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):  # why the answer failed is told already
                await self._task


def _refuse_doctype(*_: object) -> None:
    raise OutcomeUnknown("provider-not-understood", "the document has a DOCTYPE, which SOAP forbids")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


__all__ = ["LONG", "Sieve", "is_large", "sifted"]
