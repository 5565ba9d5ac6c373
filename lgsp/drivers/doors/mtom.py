"""MTOM: binary content beside the envelope (W3C XOP and MTOM 1.0; WS-I Basic Profile 2.0 section 3.4), both ways.

A part that comes in is put where `xop:Include` names it: a small one as base64, a large one as the stand-in of a file in the vault, so that
it is never in memory as a whole. What goes out to somebody who speaks MTOM leaves the envelope again.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from lgsp.codec.soap.inbound import MEDIA_TYPES, read_content_type
from lgsp.drivers.doors.multipart import Part, parts
from lgsp.errors import Fault
from lgsp.model.files import stand_in
from lgsp.model.happening import Reply
from lgsp.stages.fill import Attachment, Outgoing, cut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from lxml.etree import _Element

    from lgsp.codec.soap.envelope import Envelope
    from lgsp.model.files import File

    Keep = Callable[[AsyncIterator[bytes], str], Awaitable[File]]

RELATED, XOP = "multipart/related", "application/xop+xml"
XOP_SPACE = "http://www.w3.org/2004/08/xop/include"
INCLUDE = f"{{{XOP_SPACE}}}Include"
LONG = 16 << 10
"""From so many characters on, base64 leaves the envelope."""
_BASE64 = rb"([A-Za-z0-9+/]{%d,}={0,2})<" % LONG
INLINE_BYTES = 64 << 10
"""Up to here a part stands in the message itself (DESIGN decision 12)."""


@dataclass(frozen=True, slots=True)
class Package:
    """What came: media type and charset of the envelope, action, the envelope's bytes, the parts that follow (None: it came alone)."""

    media_type: str
    charset: str | None
    action: str
    root: bytes
    rest: AsyncIterator[Part] | None


async def open_package(pieces: AsyncIterator[bytes], parameters: Mapping[str, str], limit_bytes: int) -> Package:
    """Read the root part, which must come first."""
    rest = parts(pieces, parameters.get("boundary", ""))
    root = await anext(rest)
    start = parameters.get("start", "").strip()
    if start and root.headers.get("content-id", "") != start:
        raise Fault("malformed-body", "the first part is not the root that Content-Type names")
    media_type, inner = read_content_type(root.headers.get("content-type", ""))
    if media_type == XOP:
        media_type = inner.get("type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES or parameters.get("type", "").lower() not in {XOP, media_type}:
        raise Fault("media-type-unsupported", f"expected a root part of {XOP}")
    body = bytearray()
    async for piece in root.content:
        body += piece
        if len(body) > limit_bytes:
            raise Fault("body-too-large", f"the limit of an envelope is {limit_bytes} bytes", headers=(("Connection", "close"),))
    action = parameters.get("action", "") or inner.get("action", "")
    return Package(media_type, inner.get("charset"), action, bytes(body), rest)


async def put_parts(envelope: Envelope, rest: AsyncIterator[Part], keep: Keep) -> None:
    """Put every part in its place; each is named exactly once, and nothing is named that does not come."""
    places = _places(envelope.root)
    async for part in rest:
        place = places.pop(part.headers.get("content-id", "").strip().removeprefix("<").removesuffix(">"), None)
        if place is None:
            raise Fault("malformed-body", "a part has no xop:Include that names it")
        media_type = read_content_type(part.headers.get("content-type", "application/octet-stream"))[0]
        text = await _text(part.content, media_type, keep)
        for include in list(place):
            place.remove(include)
        place.text = text
    if places:
        raise Fault("malformed-body", "an xop:Include names a part that is not there")


def _places(root: _Element) -> dict[str, _Element]:
    """Content-ID -> the element whose whole content an xop:Include is."""
    found: dict[str, _Element] = {}
    for include in root.iter(INCLUDE):
        href, place = include.get("href") or "", include.getparent()
        cid = unquote(href.removeprefix("cid:"))
        is_alone = place is not None and len(place) == 1 and not (place.text or "").strip() and not (include.tail or "").strip()
        if not href.startswith("cid:") or not cid or cid in found or place is None or not is_alone:
            raise Fault("malformed-body", "an xop:Include does not name one part of this message as the whole of its element")
        found[cid] = place
    return found


async def _text(content: AsyncIterator[bytes], media_type: str, keep: Keep) -> str:
    start = bytearray()
    async for piece in content:
        start += piece
        if len(start) > INLINE_BYTES:
            return stand_in((await keep(_chained(bytes(start), content), media_type)).ref)
    return base64.b64encode(start).decode()


async def _chained(start: bytes, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield start
    async for piece in content:
        yield piece


# ---- out -------------------------------------------------------------------------------------------------------------------------------


def cut_at_binary(outgoing: Outgoing, names: frozenset[str]) -> Outgoing:
    """Cut out too what is long and base64 by contract; `names`: the local names of such elements."""
    if not names or max(map(len, outgoing.texts)) < LONG:
        return outgoing
    long_text = re.compile(rb"<(?:[^<>:/\s]+:)?(?:" + b"|".join(re.escape(name.encode()) for name in sorted(names)) + rb")>" + _BASE64)
    texts: list[bytes] = []
    attachments: list[Attachment] = []
    for text, behind in zip(outgoing.texts, [*outgoing.attachments, None], strict=True):
        found = [(match.span(1), _in_memory(match[1])) for match in long_text.finditer(text)]
        inside = cut(text, found)
        texts += inside.texts
        attachments += [*inside.attachments, *([behind] if behind is not None else [])]
    return Outgoing(texts, attachments)


def _in_memory(text: bytes) -> Attachment:
    content = base64.b64decode(text)

    async def read() -> AsyncIterator[bytes]:
        yield content

    return Attachment(len(content), "application/octet-stream", read)


def inline_reply(reply: Reply, outgoing: Outgoing) -> Reply:
    """The document with its attachments as base64, streamed."""
    return Reply(reply.status, b"", (*reply.headers, ("Content-Length", str(outgoing.size_bytes))), stream=outgoing.filled())


def package_reply(reply: Reply, outgoing: Outgoing, boundary: str) -> Reply:
    """The document with an xop:Include for each attachment, and those beside it, streamed; `boundary`: letters and digits."""
    envelope_type = dict(reply.headers)["Content-Type"].partition(";")[0]
    heads = [_head(boundary, f'{XOP}; charset=utf-8; type="{envelope_type}"', "root").removeprefix(b"\r\n")]
    document = bytearray(outgoing.texts[0])
    for number, (attachment, text) in enumerate(zip(outgoing.attachments, outgoing.texts[1:], strict=True)):
        document += f'<xop:Include xmlns:xop="{XOP_SPACE}" href="cid:{number}@lgsp"/>'.encode() + text
        heads.append(_head(boundary, attachment.media_type, str(number)))
    end = f"\r\n--{boundary}--\r\n".encode()
    size = sum(map(len, heads)) + len(document) + sum(each.size_bytes for each in outgoing.attachments) + len(end)
    content_type = f'{RELATED}; type="{XOP}"; start="<root@lgsp>"; start-info="{envelope_type}"; boundary="{boundary}"'
    headers = (("Content-Type", content_type), *(pair for pair in reply.headers if pair[0] != "Content-Type"))

    async def stream() -> AsyncIterator[bytes]:
        yield heads[0] + bytes(document)
        for head, attachment in zip(heads[1:], outgoing.attachments, strict=True):
            yield head
            async for piece in attachment.read():
                yield piece
        yield end

    return Reply(reply.status, b"", (*headers, ("Content-Length", str(size))), stream=stream())


def _head(boundary: str, content_type: str, name: str) -> bytes:
    return (
        f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{name}@lgsp>\r\n\r\n"
    ).encode()
