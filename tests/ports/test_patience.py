"""Doors that wait only so long for clients that are slow to write or to read; real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
import uvicorn

from lgsp.drivers.doors.patience import PatientProtocol

pytestmark = pytest.mark.enable_socket


class Hasty(PatientProtocol):
    """The same with short deadlines."""

    head_s = body_s = read_s = 0.3
    look_s = 0.05


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, answers with as many bytes as the path says."""
    while (event := await receive())["type"] == "http.request" and event.get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * int(scope["path"].strip("/") or 2)})


@contextlib.asynccontextmanager
async def served() -> Any:
    config = uvicorn.Config(app, port=0, http=Hasty, ws="none", lifespan="off", log_config=None, timeout_keep_alive=5)
    server = uvicorn.Server(config)
    with contextlib.suppress(asyncio.CancelledError):
        task = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
        await task


async def ended(parts: list[bytes], pause_s: float, *, reads: bool = True) -> bool:
    """Whether the door ends the connection within two seconds of these parts, each sent after a pause."""
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        if not reads:
            writer.transport.pause_reading()
        try:
            async with asyncio.timeout(2):
                for part in parts:
                    writer.write(part)
                    await asyncio.sleep(pause_s)
                while not writer.is_closing() and (not reads or await reader.read(1024)):
                    await asyncio.sleep(0.01)
        except (TimeoutError, ConnectionError) as error:
            return isinstance(error, ConnectionError)
        finally:
            writer.transport.abort()
        return True


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="nothing"),
        pytest.param([b"GET / HTTP/1.1\r\nHost: h\r\nX: ", *[b"a"] * 20], id="a header without end"),
        pytest.param([b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 90\r\n\r\n", *[b"a"] * 20], id="a body without end"),
    ],
)
async def test_a_client_that_is_slow_to_write_is_let_go(parts):
    assert await ended(parts, 0.05)


async def test_a_client_that_sends_and_reads_is_kept():
    request = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"

    assert not await ended([request] * 10, 0.15)


async def test_a_client_may_send_some_requests_ahead_and_no_more():
    request = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"

    assert not await ended([request * (Hasty.ahead + 1)], 0.1)
    assert await ended([request * (Hasty.ahead * 4)], 0.1)
