"""Files at the data door: `POST /files` streams one into the vault and gives its reference, `GET /files/{ref}` gives it back to its owner.

A file that is fetched shows its digest (RFC 9530) and may be fetched from any byte on (RFC 9110 section 14). It is never shown as a page.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lgsp.codec import json
from lgsp.drivers.doors.asgi import body_pieces, read_path
from lgsp.errors import Fault
from lgsp.model.files import stand_in
from lgsp.model.happening import Reply
from lgsp.stages.identify import known_consumer

if TYPE_CHECKING:
    from lgsp.drivers.doors.asgi import Asked
    from lgsp.model.files import File
    from lgsp.model.parties import SubsystemId
    from lgsp.ports.engine import Ports

PATH = "/files"
OPAQUE = "application/octet-stream"
MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}", re.ASCII)
RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")
DIGEST = re.compile(r"sha-256\s*=\s*:([A-Za-z0-9+/]{43}=):")


class FileDoor:
    """What a consumer keeps for itself; another's files are not there."""

    def __init__(self, ports: Ports, limit_bytes: int) -> None:
        self._ports = ports
        self._limit_bytes = limit_bytes

    async def answer(self, asked: Asked) -> Reply:
        """POST /files and GET /files/{ref}; a refusal before identity is counted, as everywhere."""
        path, method = read_path(asked.scope), asked.scope["method"]
        allowed = "POST" if path == PATH else "GET"
        if method != allowed:
            raise Fault("method-not-allowed", headers=(("Allow", allowed),))
        try:
            consumer = known_consumer(asked.headers.get(b"authorization"), self._ports.now(), self._ports)
        except Fault as fault:
            self._ports.log.refused_unidentified(asked.source, fault.slug, self._ports.now())
            raise
        if path == PATH:
            return await self._keep(asked, consumer.id)
        file = await self._ports.vault.find(path.removeprefix(PATH + "/"), consumer.id)
        if file is None:
            raise Fault("not-found")
        return self._give(file, asked.headers.text(b"range"))

    async def _keep(self, asked: Asked, consumer: SubsystemId) -> Reply:
        media_type = asked.headers.text(b"content-type").partition(";")[0].strip().lower() or OPAQUE
        if not MEDIA_TYPE.fullmatch(media_type):
            raise Fault("media-type-unsupported", "Content-Type is no media type")
        promised = DIGEST.search(asked.headers.text(b"content-digest"))
        file = await self._ports.vault.keep(body_pieces(asked, self._limit_bytes), consumer, media_type, self._limit_bytes)
        if promised is not None and base64.b64decode(promised[1]) != file.digest:
            raise Fault("malformed-body", "the content is not what Content-Digest says")
        href = f"{PATH}/{file.ref}"
        body = {
            "ref": file.ref,
            "href": href,
            "value": stand_in(file.ref),
            "media_type": file.media_type,
            "size": file.size_bytes,
            "digest": _digest(file),
            "kept_at": datetime.fromtimestamp(file.kept_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return Reply(201, json.encode(body), (("Content-Type", "application/json"), ("Location", href), ("Cache-Control", "no-store")))

    def _give(self, file: File, wanted: str) -> Reply:
        headers = (
            ("Content-Type", file.media_type),
            ("Content-Disposition", "attachment"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            ("Accept-Ranges", "bytes"),
            ("Repr-Digest", _digest(file)),
        )
        start, end = _span(file, wanted)
        stream = self._ports.vault.read(file, start, end)
        length = ("Content-Length", str(end - start))
        if (start, end) == (0, file.size_bytes):
            return Reply(200, b"", (*headers, length, ("Content-Digest", _digest(file))), stream=stream)
        place = ("Content-Range", f"bytes {start}-{end - 1}/{file.size_bytes}")
        return Reply(206, b"", (*headers, length, place), stream=stream)


def _digest(file: File) -> str:
    return f"sha-256=:{base64.b64encode(file.digest).decode()}:"


def _span(file: File, wanted: str) -> tuple[int, int]:
    """First byte and the one after the last; a Range that is no single range of bytes asks for all (RFC 9110 section 14.2)."""
    match = RANGE.fullmatch(wanted.replace(" ", ""))
    if match is None:
        return 0, file.size_bytes
    first, last, suffix = match.groups()
    start = max(0, file.size_bytes - int(suffix)) if suffix else int(first)
    end = min(int(last) + 1, file.size_bytes) if last else file.size_bytes
    if start >= end:
        raise Fault("range-not-satisfiable", headers=(("Content-Range", f"bytes */{file.size_bytes}"),))
    return start, end
