"""The archive of the bundle as a provider on a real socket (an echo, or what a test makes it answer), and a canary that nobody may call."""

from __future__ import annotations

import asyncio
import contextlib
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.hub import Running, running_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

BUNDLE = Path(__file__).parent / "bundle"
ENVELOPE = re.compile(rb"^.*?<soap:Body>(.*)</soap:Body>.*$", re.DOTALL)


@dataclass
class Archive:
    """`answer`: what is sent back in place of the echo, raw, or a function that yields it; `seen`: the bodies that came."""

    answer: bytes | Callable[[], Iterator[bytes]] | None = None
    seen: list[bytes] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *([0-9]+)", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            self.seen.append(body)
            for piece in self._answers(body):
                writer.write(piece)
                await writer.drain()
        writer.close()

    def _answers(self, body: bytes) -> Iterator[bytes]:
        if self.answer is None:
            yield answered(body.replace(b":store>", b":storeResponse>"))
        elif isinstance(self.answer, bytes):
            yield self.answer
        else:
            yield from self.answer()


def answered(body: bytes, content_type: str = "text/xml; charset=utf-8", *more: str) -> bytes:
    """A whole HTTP answer."""
    head = ["HTTP/1.1 200 OK", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", "Connection: close", *more]
    return "\r\n".join([*head, "", ""]).encode() + body


def reply(inside: str) -> bytes:
    """An answer of the archive, as bytes of an envelope."""
    space = "http://schemas.xmlsoap.org/soap/envelope/"
    content = f'<a:storeResponse xmlns:a="urn:archive:1">{inside}</a:storeResponse>'
    return f'<s:Envelope xmlns:s="{space}"><s:Body>{content}</s:Body></s:Envelope>'.encode()


@dataclass
class Canary:
    """Listens where attacks want the hub to call; `calls` counts."""

    address: str = ""
    calls: int = 0

    async def serve(self, _reader: Any, writer: asyncio.StreamWriter) -> None:
        """Whoever comes is one too many."""
        self.calls += 1
        writer.close()


@asynccontextmanager
async def listening(server: Archive | Canary) -> AsyncIterator[int]:
    """Serve on a free port while the block runs."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 24)
    port: int = listener.sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        listener.close()


@asynccontextmanager
async def archive_hub(folder: Path) -> AsyncIterator[tuple[Running, Archive, Canary]]:
    """A hub in front of the archive, with a consumer that may use everything, and a canary."""
    archive, canary = Archive(), Canary()
    async with listening(archive) as port, listening(canary) as canary_port:
        canary.address = f"127.0.0.1:{canary_port}"
        places = {"adapters": BUNDLE / "adapters", "contracts": BUNDLE / "contracts"}
        async with running_hub(folder, more_bindings={"ARCHIVE_URL": f"http://127.0.0.1:{port}/"}, **places) as running:
            await running.register()
            yield running, archive, canary
