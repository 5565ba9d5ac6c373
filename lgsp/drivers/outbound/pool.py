"""A pool of connections to one provider: its own limit, its own deadlines, and its failures in our words.

aiohttp's own retries and decompression are off; a redirect is an answer like any other. A body that is streamed goes through aiohttp's
session, which hears a refusal while it still writes; whole ones, which most are, go past it. What never reached the provider is
Unreachable; what may have reached it is OutcomeUnknown.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.http import HttpProcessingError

from lgsp.drivers.outbound.connection import Answer, Connections, taken
from lgsp.errors import OutcomeUnknown, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from yarl import URL

    from lgsp.drivers.outbound.connection import Read
    from lgsp.model.agreed import Provider
    from lgsp.telemetry import Telemetry

KEEPALIVE_S = 3.0
"""Shorter than common servers keep idle connections (uvicorn 5 s), so that a request seldom meets one that is being closed."""


class Pool:
    """Connections to one provider. Must be made inside the running loop; `close` when done."""

    def __init__(self, provider: Provider, telemetry: Telemetry) -> None:
        self._timeouts, self._in_flight_most = provider.timeouts, provider.in_flight
        self._slots = asyncio.Semaphore(provider.in_flight)
        self._waiting, self._most_waiting = 0, provider.in_flight
        self._in_flight = telemetry.in_flight.labels(provider.code)
        self._connector = aiohttp.TCPConnector(limit=provider.in_flight, keepalive_timeout=KEEPALIVE_S)
        self._connections = Connections(self._connector, provider.timeouts)
        # for bodies that are streamed; none of its connections is kept, for it does not look whether something came in while one was idle
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=provider.in_flight, force_close=True),
            timeout=aiohttp.ClientTimeout(
                total=provider.timeouts.total_s, sock_connect=provider.timeouts.connect_s, sock_read=provider.timeouts.read_s
            ),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._session._retry_connection = False  # noqa: SLF001  # the only switch aiohttp has for its own retries

    def fits(self, provider: Provider) -> bool:
        """Whether its limits are still those that are published."""
        return (self._timeouts, self._in_flight_most) == (provider.timeouts, provider.in_flight)

    async def send(
        self,
        method: str,
        url: str | URL,
        headers: Mapping[str, str],
        body: bytes | AsyncIterator[bytes] | None,
        read: Read | None = None,
    ) -> Answer:
        """One request, once; raises Unreachable (also where no slot becomes free) or OutcomeUnknown.

        read: makes a body of the bytes as they arrive, from the status and headers that came before; whole, without it.
        """
        await self._take_slot()
        self._in_flight.inc()
        try:
            if body is None or isinstance(body, bytes):
                async with asyncio.timeout(self._timeouts.total_s):
                    return await self._connections.ask(method, url, headers, body or b"", read)
            async with self._session.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
                return Answer(response.status, response.headers, await taken(response.status, response.headers, response.content, read))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Unreachable("provider-unreachable", type(error).__name__) from error
        except TimeoutError as error:
            raise OutcomeUnknown("provider-timeout", f"no answer in {self._timeouts.total_s:g} s") from error
        except (aiohttp.ClientError, HttpProcessingError, ConnectionError) as error:
            raise OutcomeUnknown("provider-cut", type(error).__name__) from error
        finally:
            self._in_flight.dec()
            self._slots.release()

    async def _take_slot(self) -> None:
        """At most as many wait as there are slots: a sick provider must not fill the hub with those who wait for it."""
        if not self._slots.locked():
            await self._slots.acquire()
            return
        if self._waiting >= self._most_waiting:
            raise Unreachable("no-free-place", "all connections are in use, and as many calls wait", retry_after_s=1)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeouts.connect_s):
                await self._slots.acquire()
        except TimeoutError as error:
            raise Unreachable("no-free-place", "all connections are in use", retry_after_s=1) from error
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
        await self._connector.close()

    async def run_out(self) -> None:
        """Close them after the last call that may be under way."""
        await asyncio.sleep(self._timeouts.total_s + self._timeouts.connect_s)
        await self.close()
