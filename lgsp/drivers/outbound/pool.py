"""A pool of connections to one provider: its own limit, its own deadlines, and its failures in our words.

aiohttp's own retries and decompression are off; a redirect is an answer like any other. What never reached the provider is Unreachable;
what may have reached it is OutcomeUnknown.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from lgsp.errors import OutcomeUnknown, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from yarl import URL

    from lgsp.model.agreed import Provider
    from lgsp.telemetry import Telemetry

    Read = Callable[[int, Mapping[str, str]], Callable[[AsyncIterator[bytes]], Awaitable[bytes]] | None]

ANSWER_LIMIT_BYTES = 16 << 20
KEEPALIVE_S = 3.0
"""Shorter than common servers keep idle connections (uvicorn 5 s), so that a request seldom meets one that is being closed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (names in any case), body bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Pool:
    """Connections to one provider. Must be made inside the running loop; `close` when done."""

    def __init__(self, provider: Provider, telemetry: Telemetry) -> None:
        self._timeouts, self._in_flight_most = provider.timeouts, provider.in_flight
        self._slots = asyncio.Semaphore(provider.in_flight)
        self._waiting, self._most_waiting = 0, provider.in_flight
        self._in_flight = telemetry.in_flight.labels(provider.code)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=provider.in_flight, keepalive_timeout=KEEPALIVE_S),
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
            async with self._session.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
                pieces = read(response.status, response.headers) if read is not None else None
                content = await _whole(response) if pieces is None else await pieces(response.content.iter_any())
                return Answer(response.status, response.headers, content)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Unreachable("provider-unreachable", type(error).__name__) from error
        except TimeoutError as error:
            raise OutcomeUnknown("provider-timeout", f"no answer in {self._timeouts.total_s:g} s") from error
        except (aiohttp.ClientError, ConnectionError) as error:
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

    async def run_out(self) -> None:
        """Close them after the last call that may be under way."""
        await asyncio.sleep(self._timeouts.total_s + self._timeouts.connect_s)
        await self.close()


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, up to the limit."""
    if response.content_length is not None and response.content_length <= ANSWER_LIMIT_BYTES:
        return await response.read()
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > ANSWER_LIMIT_BYTES:
            raise OutcomeUnknown("provider-not-understood", f"the answer is larger than {ANSWER_LIMIT_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)
