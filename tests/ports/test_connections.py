"""Whose answer a connection that is used again brings: never one that came before the request, and never behind half a request."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from lgsp.drivers.outbound.connection import Connections
from lgsp.errors import Unreachable
from lgsp.model.agreed import Timeouts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
STRAY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
LARGE = 32 * 1024 * 1024


@asynccontextmanager
async def connections_to(talk: Talk) -> AsyncIterator[tuple[Connections, str]]:
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        try:
            await talk(reader, writer)
        finally:
            writer.transport.abort()

    connector = aiohttp.TCPConnector(limit=2)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Connections(connector, Timeouts(1.0, 5.0, 2.0)), f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        await connector.close()
        server.close()
        for each in talks:
            each.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def test_an_answer_that_comes_while_nobody_asks_is_given_to_nobody() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await asyncio.sleep(0.05)
        writer.write(STRAY)
        await asyncio.sleep(3)

    async with connections_to(talk) as (connections, address):
        first = await connections.ask("POST", address, {}, b"")
        await asyncio.sleep(0.2)
        with pytest.raises(Unreachable):
            await connections.ask("POST", address, {}, b"")
        again = await connections.ask("POST", address, {}, b"")

    assert (first.body, again.body) == (b"first", b"first")


async def test_a_request_that_was_answered_before_it_was_taken_is_the_last_of_its_connection() -> None:
    opened = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await asyncio.sleep(3)

    async with connections_to(talk) as (connections, address):
        await connections.ask("POST", address, {}, bytes(LARGE))
        answer = await connections.ask("POST", address, {}, b"")

    assert (answer.body, len(opened)) == (b"first", 2)
