"""Clients that mean ill, from a process of their own: idle, slow to write, slow to read, or sending more than anybody asked for.

`python -m lgsp.prove.slow GATEWAY SECONDS KIND=COUNT ...` opens so many connections of each kind, keeps them for so many seconds and prints
JSON: by kind, how many the hub ended (`ended`) and which statuses it told.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvloop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

POST = b"POST /prove/1/keyed HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
MIB = 1 << 20
BLOCK = b"x" * 65_536
TINY_BYTES = 4096


async def idle() -> AsyncIterator[bytes]:
    """Connects and says nothing."""
    await asyncio.sleep(3600)
    yield b""


async def head() -> AsyncIterator[bytes]:
    """A header that never ends, a byte each second."""
    yield POST + b"X-Slow: "
    while True:
        await asyncio.sleep(1)
        yield b"a"


async def body() -> AsyncIterator[bytes]:
    """A body that takes a quarter of an hour, a byte each second."""
    yield POST + b"Content-Length: 900\r\n\r\n"
    while True:
        await asyncio.sleep(1)
        yield b" "


async def read() -> AsyncIterator[bytes]:
    """Asks for the same page again and again, and reads none of the answers."""
    while True:
        yield b"GET /receipts/none HTTP/1.1\r\nHost: hub\r\n\r\n"
        await asyncio.sleep(5)


async def large() -> AsyncIterator[bytes]:
    """50 MiB, as announced."""
    yield POST + b"Content-Length: %d\r\n\r\n" % (50 * MIB)
    for _ in range(50 * MIB // len(BLOCK)):
        yield BLOCK


async def huge() -> AsyncIterator[bytes]:
    """Announces 1 GiB and sends what it can."""
    yield POST + b"Content-Length: %d\r\n\r\n" % (1024 * MIB)
    while True:
        yield BLOCK


async def endless() -> AsyncIterator[bytes]:
    """Chunks without end."""
    yield POST + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"%x\r\n" % len(BLOCK) + BLOCK + b"\r\n"


KINDS: dict[str, Callable[[], AsyncIterator[bytes]]] = {each.__name__: each for each in (idle, head, body, read, large, huge, endless)}


async def client(kind: str, place: tuple[str, int], seconds: float) -> tuple[bool, int]:
    """One connection; whether the hub ended it, and the first status it told (0: none)."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TINY_BYTES)
    sock.setblocking(False)  # noqa: FBT003  # the library's signature
    try:
        await asyncio.get_running_loop().sock_connect(sock, place)
    except OSError:
        sock.close()
        return True, 0
    reader, writer = await asyncio.open_connection(sock=sock, limit=TINY_BYTES)
    pouring = asyncio.create_task(_pour(kind, writer))
    first = b""
    try:
        async with asyncio.timeout(seconds):
            first = await reader.read(15) if kind != "read" else b""
            while kind != "read" and await reader.read(TINY_BYTES):
                pass
            await pouring
            return True, _status(first)
    except TimeoutError:
        return False, _status(first)
    except OSError:
        return True, _status(first)
    finally:
        pouring.cancel()
        writer.transport.abort()


async def _pour(kind: str, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        async for part in KINDS[kind]():
            writer.write(part)
            await writer.drain()


def _status(first: bytes) -> int:
    return int(first[9:12]) if first[9:12].isdigit() else 0


async def main(gateway: str, seconds: float, wanted: list[str]) -> None:
    """As the first line of this file says."""
    place = (str(urlsplit(gateway).hostname), int(urlsplit(gateway).port or 0))
    kinds = [kind for each in wanted for kind, _, count in [each.partition("=")] for _ in range(int(count))]
    told = await asyncio.gather(*(client(kind, place, seconds) for kind in kinds))
    found: dict[str, Any] = {kind: {"clients": 0, "ended": 0, "statuses": Counter()} for kind in kinds}
    for kind, (is_ended, status) in zip(kinds, told, strict=True):
        found[kind]["clients"] += 1
        found[kind]["ended"] += is_ended
        found[kind]["statuses"][status] += 1
    sys.stdout.write(json.dumps(found) + "\n")


async def tried(gateway: str, seconds: float, **wanted: int) -> dict[str, dict[str, Any]]:
    """Run such clients in a process of their own."""
    command = [sys.executable, "-m", "lgsp.prove.slow", gateway, str(seconds), *(f"{kind}={count}" for kind, count in wanted.items())]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    found: dict[str, dict[str, Any]] = json.loads(output)
    return found


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3:]))
