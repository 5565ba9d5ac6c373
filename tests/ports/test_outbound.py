"""One call at a provider over real sockets: what each way to fail means, what is sent along, and that nothing is tried twice."""

from __future__ import annotations

import asyncio
import gzip
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from lgsp.drivers.memory import MemoryVault
from lgsp.drivers.outbound.calls import NativeCalls
from lgsp.errors import BusinessRefusal, Fault, OutcomeUnknown, Unreachable
from lgsp.model.agreed import Auth, Call, Session, Timeouts
from lgsp.model.happening import Exchange
from lgsp.model.parties import Purpose, Right, SubsystemId
from lgsp.telemetry import Telemetry
from tests.unit.small_hub import OPERATION, PROVIDER, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

DESK = SubsystemId("VN/GOV/H99/onestop")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}'
ASK = Call("ask", replace(wire(), path="/in"), lambda s: s["value"])


class Provider:
    """A server that keeps what it was sent and answers as told, once for each connection or request."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.port = 0
        self.connections: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(asyncio.current_task())
        try:
            await self.talk(reader, writer)
        finally:
            writer.close()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await self._head(reader):
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
            self.requests.append(head + await reader.readexactly(length))
            answer = self.answers.pop(0) if self.answers else OK
            if not await self.answer(answer, writer):
                break

    async def answer(self, answer: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(answer)
        await writer.drain()
        return answer == OK

    @staticmethod
    async def _head(reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""


class Dripping(Provider):
    """Sends a byte every tenth of a second."""

    async def answer(self, answer: bytes, writer: asyncio.StreamWriter) -> bool:
        for place in range(len(answer)):
            if writer.is_closing():
                break
            writer.write(answer[place : place + 1])
            await asyncio.sleep(0.1)
        return False


class Silent(Provider):
    """Takes the request and never answers."""

    async def answer(self, answer: bytes, writer: asyncio.StreamWriter) -> bool:  # noqa: ARG002  # as its parent has it
        await asyncio.sleep(5)
        return False


@asynccontextmanager
async def running(provider: Provider) -> AsyncIterator[Provider]:
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    provider.port = server.sockets[0].getsockname()[1]
    yield provider
    server.close()
    for connection in provider.connections:
        connection.cancel()
    await asyncio.gather(*provider.connections, return_exceptions=True)


async def ask(
    port: int,
    native: Any = None,
    *,
    auth: Auth | None = None,
    call: Call = ASK,
    times: int = 1,
    total_s: float = 1.0,
    read_s: float | None = None,
    address: str = "",
) -> Any:
    """Make the same call `times` times at once through one driver; the last reply."""
    address = address or f"http://127.0.0.1:{port}"
    provider = replace(PROVIDER, timeouts=Timeouts(0.5, total_s, read_s), auth=auth or Auth(), in_flight=2)
    operation = replace(OPERATION, provider=provider)
    right = Right(DESK, "parcels", "find", frozenset())
    exchange = Exchange("m1", 0.0, DESK, operation, right, Purpose(), {}, {}, b"", "0af7651916cd43dd8448eb211c80319c")
    bound = {"address": address, "user": "an"}
    calls = NativeCalls(
        lambda _provider, _party: bound, lambda: 1_700_000_000.0, Telemetry(CollectorRegistry()), MemoryVault(time.time, str)
    )
    try:
        request = call.prepare(native or {"n": 1})
        replies = await asyncio.gather(*(calls.call(call, request, exchange) for _ in range(times)), return_exceptions=True)
    finally:
        await calls.close()
    for reply in reversed(replies):
        if isinstance(reply, Exception):
            raise reply
    return replies[-1]


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def test_a_call_carries_the_trace_and_the_declared_headers() -> None:
    auth = Auth(headers=(("Timestamp", lambda scope: scope["now_ms"]), ("X-Who", lambda scope: f"{scope['user']}@{scope['url']}")))
    async with running(Provider()) as provider:
        reply = await ask(provider.port, auth=auth)

    sent = provider.requests[0].lower()
    assert reply == {"ok": True}
    assert b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-" in sent
    assert b"timestamp: 1700000000000" in sent
    assert b"x-who: an@http://127.0.0.1:" in sent
    assert sent.startswith(b"post /in http/1.1")


@pytest.mark.parametrize(
    ("script", "kind", "slug"),
    [
        (answer("401 Unauthorized"), Fault, "provider-denied"),
        (answer("404 Not Found"), BusinessRefusal, "provider-refused"),
        (answer("500 Internal Server Error", b"{}"), Fault, "provider-failed"),
        (answer("502 Bad Gateway", b"<html></html>", "Content-Type: text/html"), OutcomeUnknown, "provider-failed"),
        (answer("503 Service Unavailable", b"", "Retry-After: 7"), Fault, "provider-busy"),
        (answer("302 Found", b"", "Location: http://127.0.0.1:1/"), OutcomeUnknown, "provider-not-understood"),
        (answer("307 Temporary Redirect", b"", "Location: http://127.0.0.1:1/"), Fault, "provider-not-understood"),
        (answer("200 OK", b"<html>bao tri</html>", "Content-Type: text/html"), OutcomeUnknown, "provider-not-understood"),
        (answer("200 OK", b""), OutcomeUnknown, "provider-not-understood"),
        (answer("200 OK", gzip.compress(b'{"ok":true}'), "Content-Encoding: gzip"), OutcomeUnknown, "provider-not-understood"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", OutcomeUnknown, "provider-cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", OutcomeUnknown, "provider-cut"),
        (b"nonsense\r\n\r\n", OutcomeUnknown, "provider-cut"),
        (b"", OutcomeUnknown, "provider-cut"),
    ],
)
async def test_each_answer_means_one_thing_and_is_asked_for_once(script: bytes, kind: type[Fault], slug: str) -> None:
    async with running(Provider(script)) as provider:
        with pytest.raises(Fault) as caught:
            await ask(provider.port)

    assert (type(caught.value), caught.value.slug) == (kind, slug)
    assert len(provider.requests) == 1


async def test_what_only_announces_the_answer_is_passed_over() -> None:
    async with running(Provider(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)) as provider:
        reply = await ask(provider.port)

    assert reply == {"ok": True}


async def test_a_header_of_two_lines_is_not_sent() -> None:
    auth = Auth(headers=(("X-Who", lambda _: "an\r\nX-More: 1"),))
    async with running(Provider()) as provider:
        with pytest.raises(Unreachable):
            await ask(provider.port, auth=auth)

    assert provider.requests == []


@pytest.mark.parametrize("address", ["ftp://127.0.0.1", "http://127.0.0.1:port", "http:///in"])
async def test_an_address_that_is_none_is_a_provider_out_of_reach(address: str) -> None:
    with pytest.raises(Unreachable) as caught:
        await ask(0, address=address)

    assert caught.value.slug == "provider-unreachable"


async def test_a_provider_that_says_when_is_heard() -> None:
    async with running(Provider(answer("503 Service Unavailable", b"", "Retry-After: 7"))) as provider:
        with pytest.raises(Fault) as caught:
            await ask(provider.port)

    assert caught.value.retry_after_s == 7


async def test_nobody_listening_means_that_nothing_was_sent() -> None:
    async with running(Provider()) as provider:
        port = provider.port

    with pytest.raises(Unreachable) as caught:
        await ask(port)
    assert caught.value.slug == "provider-unreachable"


@pytest.mark.parametrize("kind", [Silent, Dripping])
async def test_the_total_deadline_holds_for_silence_and_for_a_slow_drip(kind: type[Provider]) -> None:
    loop = asyncio.get_running_loop()
    async with running(kind(OK)) as provider:
        began = loop.time()
        with pytest.raises(OutcomeUnknown) as caught:
            await ask(provider.port, total_s=0.5)

    assert caught.value.slug == "provider-timeout"
    assert loop.time() - began < 1.5


async def test_silence_ends_a_call_before_its_whole_time_is_up() -> None:
    loop = asyncio.get_running_loop()
    async with running(Silent()) as provider:
        began = loop.time()
        with pytest.raises(OutcomeUnknown, match="provider-timeout"):
            await ask(provider.port, total_s=4.0, read_s=0.3)

    assert loop.time() - began < 2.0


async def test_more_calls_than_slots_wait_and_then_are_told_so() -> None:
    async with running(Silent()) as provider:
        with pytest.raises(Fault) as caught:
            await ask(provider.port, times=3, total_s=2.0)

    assert caught.value.slug == "no-free-place"


async def test_no_more_wait_for_a_slot_than_there_are_slots() -> None:
    async with running(Silent()) as provider:
        with pytest.raises(Fault, match="no-free-place") as caught:
            await ask(provider.port, times=5, total_s=2.0)

    assert "as many calls wait" in caught.value.detail


async def test_many_calls_share_one_login_and_an_ended_session_is_opened_once_more() -> None:
    login = replace(ASK, name="login", to_native=lambda scope: {"login": scope["uses"]["user"]})
    session = Session(login, ("session",), "session", lambda reply: reply.get("code") == -1)
    opened, ended = answer_json(b'{"session":"s1"}'), answer_json(b'{"code":-1}')
    again = answer_json(b'{"session":"s2"}')
    async with running(Keeping(opened, ended, again)) as provider:
        reply = await ask(provider.port, auth=Auth(session=session))

    bodies = [request.partition(b"\r\n\r\n")[2] for request in provider.requests]
    assert reply == {"ok": True}
    assert bodies == [b'{"login":"an"}', b'{"n":1,"session":"s1"}', b'{"login":"an"}', b'{"n":1,"session":"s2"}']


async def test_two_calls_at_once_log_in_once() -> None:
    login = replace(ASK, name="login", to_native=lambda _: {"login": True})
    session = Session(login, ("session",), "session", lambda reply: reply.get("code") == -1)
    async with running(Keeping(answer_json(b'{"session":"s1"}'))) as provider:
        await ask(provider.port, auth=Auth(session=session), times=2)

    assert sum(b'{"login":true}' in request for request in provider.requests) == 1


async def test_a_login_without_an_answer_is_told_in_time_to_all_who_wait_and_nothing_else_was_sent() -> None:
    loop = asyncio.get_running_loop()
    session = Session(replace(ASK, name="login"), ("session",), "session", lambda _: False)
    async with running(Silent()) as provider:
        began = loop.time()
        with pytest.raises(Unreachable, match="provider-timeout"):
            await ask(provider.port, auth=Auth(session=session), times=16, total_s=0.3)

    assert loop.time() - began < 1.5
    assert len(provider.requests) == 1


async def test_a_second_login_ends_with_the_whole_time_of_the_exchange() -> None:
    login = replace(ASK, name="login", to_native=lambda _: {"login": True})
    session = Session(login, ("session",), "session", lambda reply: reply.get("code") == -1)
    async with running(Late(answer_json(b'{"session":"s1"}'), answer_json(b'{"code":-1}'))) as provider:
        with pytest.raises(Unreachable, match="no session was opened in time"):
            await ask(provider.port, auth=Auth(session=session), total_s=0.5)

    assert [b'{"login":true}' in request for request in provider.requests[:2]] == [True, False]


class Keeping(Provider):
    """Keeps the connection open, whatever it answered."""

    async def answer(self, answer: bytes, writer: asyncio.StreamWriter) -> bool:
        await super().answer(answer, writer)
        return True


class Late(Keeping):
    """Answers after 0.2 s each."""

    async def answer(self, answer: bytes, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(0.2)
        return await super().answer(answer, writer)


def answer_json(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
