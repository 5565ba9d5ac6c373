"""The Outbound port: a native request out, a native value back; once, except that an ended session is opened anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lgsp.drivers.outbound.auth import Sessions, header_values
from lgsp.drivers.outbound.callback import judge_callback
from lgsp.drivers.outbound.pool import Pool
from lgsp.drivers.outbound.rest import judge_rest
from lgsp.drivers.outbound.soap import judge_soap
from lgsp.drivers.outbound.wss import seal, unseal
from lgsp.errors import CodecError, Fault, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lgsp.drivers.outbound.pool import Answer
    from lgsp.model.agreed import Call, Prepared, Provider, Session
    from lgsp.model.happening import Exchange
    from lgsp.telemetry import Telemetry

JUDGES: Mapping[str, Callable[[Answer], None]] = {"rest": judge_rest, "soap": judge_soap, "callback": judge_callback}


class NativeCalls:
    """Speaks to every provider; keeps a pool and the sessions of each."""

    def __init__(self, bound: Callable[[Provider, str | None], Mapping[str, str]], now: Callable[[], float], telemetry: Telemetry) -> None:
        self._bound = bound
        self._now = now
        self._telemetry = telemetry
        self._pools: dict[str, Pool] = {}
        self._sessions: dict[str, Sessions] = {}

    async def call(self, call: Call, request: Prepared, exchange: Exchange) -> Any:
        """One call; the native reply, or a SoapFault. Raises Unreachable, OutcomeUnknown or another Fault."""
        session = exchange.operation.provider.auth.session
        if session is None:
            return await self._exchange(call, request.content, exchange)
        return await self._in_session(session, call, request.native, exchange)

    async def _in_session(self, session: Session, call: Call, native: Any, exchange: Exchange) -> Any:
        provider, party = exchange.operation.provider, exchange.purpose.represented_party
        sessions = self._sessions.setdefault(provider.code, Sessions(session))

        async def ask(step: Call, value: Any) -> Any:
            return await self._exchange(step, step.prepare(value).content, exchange)

        for _ in range(2):
            token = await sessions.token(party or "", self._bound(provider, party), ask)
            reply = await ask(call, {**native, session.sends: token})
            if not session.renew_when(reply):
                return reply
            sessions.ended(party or "", token)
        raise Fault("provider-denied", "a new session was refused at once")

    async def _exchange(self, call: Call, content: bytes, exchange: Exchange) -> Any:
        provider, wire, trace_id = exchange.operation.provider, call.wire, exchange.trace_id
        bound = self._bound(provider, exchange.purpose.represented_party)
        url = bound["address"] + wire.path
        content = await seal(content, provider.auth.wss, bound, self._now())
        headers = {
            "Content-Type": wire.media_type,
            "Accept-Encoding": "identity",
            "traceparent": f"00-{trace_id}-{trace_id[16:]}-01",
            **dict(wire.headers),
            **header_values(provider.auth, bound, bound["address"], self._now()),
        }
        if provider.auth.signs is not None:
            headers |= provider.auth.signs(exchange.message_id, self._now(), content)
        pool = self._pools.get(provider.code)
        if pool is None:
            pool = self._pools[provider.code] = Pool(provider, self._telemetry)
        answer = await pool.send(wire.method, url, headers, content)
        JUDGES[provider.kind](answer)
        return self._read(provider, call, answer, bound)

    def _read(self, provider: Provider, call: Call, answer: Answer, bound: Mapping[str, str]) -> Any:
        try:
            reply, violations = call.wire.read(unseal(answer.body, provider.auth.wss, bound, self._now()))
        except CodecError as error:
            kind = answer.headers.get("content-type", "no media type")
            raise OutcomeUnknown("provider-not-understood", f"status {answer.status}, {kind}: {error}") from error
        if violations:
            self._telemetry.reply_invalid(provider.code, call.name, len(violations))
        return reply

    async def close(self) -> None:
        """Close every pool."""
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))
