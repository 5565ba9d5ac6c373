"""The Outbound port: a native request out, a native value back; once, except that an ended session is opened anew."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from yarl import URL

from lgsp.drivers.outbound.auth import Sessions, header_values
from lgsp.drivers.outbound.callback import judge_callback
from lgsp.drivers.outbound.pool import Pool
from lgsp.drivers.outbound.rest import judge_rest, refusal_of
from lgsp.drivers.outbound.sift import is_large, sifted
from lgsp.drivers.outbound.soap import judge_soap
from lgsp.drivers.outbound.wss import seal, unseal
from lgsp.drivers.outbound.xroad import Letter, addressed, judge_envelope, judge_fault, judge_road
from lgsp.errors import BusinessRefusal, CodecError, Fault, OutcomeUnknown, Unreachable, Violation
from lgsp.model.conformity import Remark
from lgsp.model.files import MARK
from lgsp.stages.fill import cut_at_files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from lgsp.drivers.outbound.connection import Answer, Read, Sends
    from lgsp.model.agreed import Call, Prepared, Provider, Session
    from lgsp.model.files import File
    from lgsp.model.happening import Exchange
    from lgsp.ports.engine import Vault
    from lgsp.stages.fill import Outgoing
    from lgsp.telemetry import Telemetry

    Bound = Callable[[Provider, str | None], Mapping[str, str]]

FILE_BYTES = 128 << 20
OPAQUE = "application/octet-stream"
SIGNED_BYTES = 16 << 20
"""Up to here a document with its files is put together to be signed."""
JUDGES: Mapping[str, Callable[[Answer], None]] = {"rest": judge_rest, "soap": judge_soap, "callback": judge_callback}


class NativeCalls:
    """Speaks to every provider; keeps a pool and the sessions of each."""

    def __init__(self, bound: Bound, now: Callable[[], float], telemetry: Telemetry, vault: Vault, file_bytes: int = FILE_BYTES) -> None:
        self._bound = bound
        self._file_bytes = file_bytes
        self._now = now
        self._telemetry = telemetry
        self._vault = vault
        self._pools: dict[str, Pool] = {}
        self._former: dict[asyncio.Task[None], Pool] = {}
        self._sessions: dict[str, tuple[Session, Sessions]] = {}

    async def call(self, call: Call, request: Prepared, exchange: Exchange) -> Any:
        """One call; the native reply, or a SoapFault. Raises Unreachable, OutcomeUnknown or another Fault."""
        session = exchange.operation.provider.auth.session
        if session is None:
            return await self._exchange(call, request, exchange)
        return await self._in_session(session, call, request.native, exchange)

    async def _in_session(self, session: Session, call: Call, native: Any, exchange: Exchange) -> Any:
        provider, party = exchange.operation.provider, exchange.purpose.represented_party
        sessions = self._sessions_of(provider.code, session)

        async def ask(step: Call, value: Any) -> Any:
            return await self._exchange(step, step.prepare(value), exchange)

        until = asyncio.get_running_loop().time() + provider.timeouts.total_s
        for _ in range(2):
            try:
                async with asyncio.timeout_at(until):  # so that logins and calls together stay within a lease
                    token = await sessions.token(party or "", self._bound(provider, party), ask)
            except TimeoutError as error:
                raise Unreachable("provider-timeout", "no session was opened in time") from error
            exchange.remarks.clear()  # those of a login, or of an answer that only said that the session had ended
            reply = await ask(call, {**native, session.sends: token})
            if not session.renew_when(reply):
                return reply
            sessions.ended(party or "", token)
        raise Fault("provider-denied", "a new session was refused at once")

    def _sessions_of(self, code: str, session: Session) -> Sessions:
        """One login for each provider, and a new one where another way to log in was published."""
        known = self._sessions.get(code)
        if known is None or known[0] is not session:
            known = self._sessions[code] = (session, Sessions(session))
        return known[1]

    async def _exchange(self, call: Call, request: Prepared, exchange: Exchange) -> Any:
        provider = exchange.operation.provider
        bound = self._bound(provider, exchange.purpose.represented_party)
        letter = await self._sealed(addressed(self._letter(call, request, bound, exchange), call, bound, exchange), bound, exchange)
        headers, body = await self._filled(letter, exchange)
        answer = await self._pool(provider).send(call.wire.method, letter.url, headers, body, self._sift(call, exchange))
        judge_road(answer, letter, provider)
        try:
            JUDGES[provider.kind](answer)
        except BusinessRefusal as refusal:
            if call.one_form and exchange.right.fields is None:
                refusal.extra = {**refusal.extra, **refusal_of(answer)}
            raise
        reply = self._read(call, letter.content, answer, exchange, bound)
        judge_fault(reply, provider)
        return reply

    def _letter(self, call: Call, request: Prepared, bound: Mapping[str, str], exchange: Exchange) -> Letter:
        wire, trace_id = call.wire, exchange.trace_id
        headers = {
            **({"Content-Type": wire.media_type} if request.content else {}),
            "Accept-Encoding": "identity",
            "traceparent": f"00-{trace_id}-{trace_id[16:]}-01",
            **dict(wire.headers),
            **header_values(exchange.operation.provider.auth, bound, bound["address"], self._now()),
        }
        url = bound["address"] + request.path
        return Letter(url if wire.locate is None else URL(url, encoded=True), headers, request.content, request.path)

    async def _sealed(self, letter: Letter, bound: Mapping[str, str], exchange: Exchange) -> Letter:
        """WS-Security, then what is signed over the bytes as they will be sent."""
        provider, now = exchange.operation.provider, self._now()
        auth, content = provider.auth, letter.content
        is_hashed = provider.xroad is not None and provider.kind == "soap"
        if auth.wss is None and auth.signs is None and not is_hashed:
            return letter
        if MARK in content:
            content = await _whole(await cut_at_files(content, exchange.consumer, self._vault))  # signed or hashed as it is sent
        content = await seal(content, auth.wss, bound, now)
        headers = dict(letter.headers)
        if auth.signs is not None:
            headers |= auth.signs(exchange.message_id, now, content)
        return replace(letter, content=content, headers=headers)

    async def _filled(self, letter: Letter, exchange: Exchange) -> tuple[Mapping[str, str], bytes | AsyncIterator[bytes] | None]:
        """Headers and body with the content of files where their stand-ins are, streamed."""
        if MARK not in letter.content:
            return letter.headers, letter.content or None
        files = await cut_at_files(letter.content, exchange.consumer, self._vault)
        return {**letter.headers, "Content-Length": str(files.size_bytes)}, files.filled()

    def _sift(self, call: Call, exchange: Exchange) -> Read | None:
        """How a large answer is read: its long base64 texts into the vault; whole where there are none, or a signature covers them."""
        names = call.wire.binary
        auth = exchange.operation.provider.auth
        if not names or (auth.wss is not None and auth.wss.answered_by):
            return None

        def keep(content: AsyncIterator[bytes]) -> Awaitable[File]:
            return self._vault.keep(content, exchange.consumer, OPAQUE, self._file_bytes)

        return lambda status, headers: partial(sifted, names=names, keep=keep) if is_large(status, headers) else None

    def _pool(self, provider: Provider) -> Sends:
        pool = self._pools.get(provider.code)
        if pool is None or not pool.fits(provider):
            if pool is not None:
                self._run_out(pool)
            pool = self._pools[provider.code] = Pool(provider, self._telemetry)
        return pool

    def _run_out(self, pool: Pool) -> None:
        """Other limits were published: what is under way ends by the old ones."""
        task = asyncio.create_task(pool.run_out())
        self._former[task] = pool
        task.add_done_callback(lambda done: self._former.pop(done, None))

    def _read(self, call: Call, sent: bytes, answer: Answer, exchange: Exchange, bound: Mapping[str, str]) -> Any:
        provider = exchange.operation.provider
        try:
            judge_envelope(answer, sent, provider)
            reply, violations = call.wire.read(unseal(answer.body, provider.auth.wss, bound, self._now()))
        except CodecError as error:
            kind = answer.headers.get("content-type", "no media type")
            exchange.remarks.append(Remark(call.name, [Violation(error.pointer, error.reason, "unreadable")], answer.body))
            raise OutcomeUnknown("provider-not-understood", f"status {answer.status}, {kind}: {error}") from error
        if violations:
            self._telemetry.reply_invalid(provider.code, call.name, len(violations))
            exchange.remarks.append(Remark(call.name, violations, answer.body))
        return reply

    async def close(self) -> None:
        """Close every pool."""
        former = dict(self._former)
        for task in former:
            task.cancel()
        await asyncio.gather(*(pool.close() for pool in (*self._pools.values(), *former.values())))


async def _whole(files: Outgoing) -> bytes:
    if files.size_bytes > SIGNED_BYTES:
        raise Fault("body-too-large", f"with its files it has more than the {SIGNED_BYTES} bytes that can be signed")
    return b"".join([piece async for piece in files.filled()])
