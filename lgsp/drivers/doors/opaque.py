"""Opaque bodies at the REST door: what a contract declares as octet-stream or form is streamed to the vault; JSON with stand-ins goes on.

The canonical value of an octet-stream is the stand-in of its file; that of a form an object of texts and, for its files, stand-ins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.codec import json
from lgsp.codec.soap.inbound import read_content_type
from lgsp.drivers.doors.asgi import body_pieces, read_body
from lgsp.drivers.doors.multipart import parts
from lgsp.errors import Fault
from lgsp.model.files import stand_in
from lgsp.stages.identify import identify

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from lgsp.drivers.doors.asgi import Asked, Limits
    from lgsp.drivers.doors.multipart import Part
    from lgsp.model.files import File
    from lgsp.model.happening import Message
    from lgsp.ports.engine import Ports

    Keep = Callable[[AsyncIterator[bytes], str], Awaitable[File]]

BYTES, FORM = "application/octet-stream", "multipart/form-data"
OPAQUE = frozenset({BYTES, FORM})
MOST_TEXT_BYTES = 64 << 10


async def read_opaque(asked: Asked, message: Message, ports: Ports, limits: Limits) -> bytes:
    """The body as JSON; read as any other where the operation declares nothing opaque, not at all where its sender has no right to it."""
    found = (message.catalogue or ports.catalogue.current()).find(message.method, message.path)
    if found is None or message.media_type not in found[0].media_types:
        return await read_body(asked.receive, asked.headers, limits.body_bytes)
    consumer = identify(message, ports).id
    if ports.directory.right(consumer, found[0].service, found[0].name) is None:
        return b""

    def keep(content: AsyncIterator[bytes], media_type: str) -> Awaitable[File]:
        return ports.vault.keep(content, consumer, media_type, limits.file_bytes)

    pieces = body_pieces(asked, limits.file_bytes)
    if message.media_type == BYTES:
        return json.encode(stand_in((await keep(pieces, BYTES)).ref))
    _, parameters = read_content_type(asked.headers.text(b"content-type"))
    form: dict[str, str] = {}
    async for part in parts(pieces, parameters.get("boundary", "")):
        kind, names = read_content_type(part.headers.get("content-disposition", ""))
        name = names.get("name", "")
        if kind != "form-data" or not name or name in form:
            raise Fault("malformed-body", "a part of the form has no name of its own")
        is_file = "filename" in names or "filename*" in names
        form[name] = stand_in((await keep(part.content, _media_type(part))).ref) if is_file else await _text(part)
    return json.encode(form)


def _media_type(part: Part) -> str:
    return read_content_type(part.headers.get("content-type", BYTES))[0]


async def _text(part: Part) -> str:
    text = bytearray()
    async for piece in part.content:
        text += piece
        if len(text) > MOST_TEXT_BYTES:
            raise Fault("malformed-body", f"a field of the form is longer than {MOST_TEXT_BYTES} bytes; send it as a file")
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise Fault("malformed-body", "a field of the form is not UTF-8") from error
