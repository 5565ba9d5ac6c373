"""Deliver: one call at a provider, once, and what its answer means: done, already done, refused, failed, or nobody knows.

Nothing is retried here (DESIGN decision 14). An unsafe call that no key protects is recorded before its first byte and after its answer,
so that a crash between them is seen as `unknown` and never becomes a second call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.errors import Blame, BusinessRefusal, Fault, OutcomeUnknown, Unreachable
from lgsp.model.agreed import SoapFault
from lgsp.policy.answer import AMBIGUOUS, again, fault_of, words_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.model.agreed import Call, Prepared
    from lgsp.model.happening import Due, Exchange
    from lgsp.ports.engine import Ports


async def deliver(call: Call, request: Prepared, known: Mapping[str, Any], exchange: Exchange, ports: Ports) -> Any:
    """The native reply of one call that went well."""
    due = exchange.due
    if due is None or call.safe:
        return await _ask(call, request, known, exchange, ports)
    if answered_before(call, exchange):
        return {}
    if call.key is None and call.name in due.began:
        raise OutcomeUnknown("outcome-unknown", f"{call.name} was begun by an earlier attempt and never answered")
    await ports.outbox.begin_call(due, call.name, finished=False)
    reply = await _ask(call, request, known, exchange, ports)
    await _finish(call, due, ports)
    return reply


def answered_before(call: Call, exchange: Exchange) -> bool:
    """Whether an earlier attempt made this unprotected call and heard that it went well; its answer died with that attempt."""
    return exchange.due is not None and not call.safe and call.key is None and call.name in exchange.due.finished


async def _finish(call: Call, due: Due, ports: Ports) -> None:
    """Record that it is done; where that fails and no key protects it, another attempt must not begin it again."""
    try:
        await ports.outbox.begin_call(due, call.name, finished=True)
    except Fault as fault:
        if call.key is not None:
            raise
        raise OutcomeUnknown("outcome-unknown", f"{call.name} went well, but that could not be recorded: {fault.slug}") from fault


async def _ask(call: Call, request: Prepared, known: Mapping[str, Any], exchange: Exchange, ports: Ports) -> Any:
    reply = await _send(call, request, exchange, ports)
    scope = {**reply, "known": known} if isinstance(reply, dict) else {"known": known}
    if call.duplicate_when is not None and call.duplicate_when(scope):
        if not call.again_with:
            return reply
        reply = await _send(call, call.prepare(again(request.native, call, scope)), exchange, ports)
        scope = {**reply, "known": known}
    if call.ok_when is not None and not call.ok_when(scope):
        raise BusinessRefusal("provider-refused", extra={"providerMessage": words_at(reply, call.message_path)})
    return reply


async def _send(call: Call, request: Prepared, exchange: Exchange, ports: Ports) -> Any:
    provider = exchange.operation.provider
    try:
        reply = await ports.outbound.call(call, request, exchange)
        if isinstance(reply, SoapFault):
            raise fault_of(reply, whole=call.one_form and exchange.right.fields is None)
    except Fault as fault:
        if provider.national and fault.blame is Blame.PROVIDER:
            fault.blame = Blame.NATIONAL
        if isinstance(fault, Unreachable) or not (fault.may_have_acted or fault.slug in AMBIGUOUS):
            raise
        if call.safe or call.key:
            raise fault.repeatable() from fault
        raise OutcomeUnknown("outcome-unknown", f"{call.name}: {fault.slug} {fault.detail}", extra=fault.extra) from fault
    return reply
