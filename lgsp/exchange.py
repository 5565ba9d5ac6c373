"""The life of a message, top to bottom; here and nowhere else.

`carry` takes what a consumer sent to its answer; `deliver_due` what is stored to its provider, `hand_over` to an addressee that fetches it;
`reconcile_unknown` asks what became of it. Nothing reaches a provider without a durable OPENED row, no answer leaves before its CLOSED row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import Fault
from lgsp.model.agreed import Pattern
from lgsp.model.happening import Outcome, Reply
from lgsp.stages.accept import accept
from lgsp.stages.answer import answer_with
from lgsp.stages.authorise import authorise_again, authorise_new
from lgsp.stages.deduplicate import answer_of, key_claim
from lgsp.stages.deliver import answered_before, deliver
from lgsp.stages.enforce import Judged, enforce, enforce_reply
from lgsp.stages.identify import find_operation, identify
from lgsp.stages.open import record_opened
from lgsp.stages.reconcile import doubt_of, judge, unanswered
from lgsp.stages.record import closed_row, record_fault, record_reply
from lgsp.stages.release import release
from lgsp.stages.resume import admitted, published, resumed
from lgsp.stages.settle import OUTCOMES, after, delivered, resolve, settle
from lgsp.stages.throttle import throttle
from lgsp.stages.translate import request_scope, translate_reply, translate_request, translate_requests
from lgsp.stages.validate import validate_request
from lgsp.telemetry import Trail

if TYPE_CHECKING:
    from lgsp.model.happening import Closed, Due, Exchange, KeyClaim, Message, Settlement
    from lgsp.ports.engine import Ports


async def carry(message: Message, ports: Ports) -> Reply:
    """From a consumer's request to its answer; every refusal and failure is recorded, then raised."""
    trail, claim = Trail(ports.tick, message.id, message.trace_id), None
    try:
        exchange, quota_headers = await _admit(message, ports, trail)
        claim = key_claim(message, exchange, ports)
        served = _ask if exchange.operation.pattern is Pattern.REQUEST_REPLY else _accept
        reply = await served(exchange, claim, ports, trail)
    except Fault as caught:
        fault = caught.after_acting() if trail.acted else caught
        await record_fault(fault, message, claim, ports, trail)
        raise fault from caught.__cause__
    return Reply(reply.status, reply.body, (*reply.headers, *quota_headers), reply.spoken)


async def _admit(message: Message, ports: Ports, trail: Trail) -> tuple[Exchange, tuple[tuple[str, str], ...]]:
    """Who, what, may they, how often, and is it sound."""
    consumer = trail.passed("identify", identify(message, ports))
    trail.consumer = consumer.id
    operation, variables = find_operation(message, consumer.id, ports)
    trail.operation = operation
    right = trail.passed("authorise", authorise_new(message, consumer.id, operation, ports.directory))
    headers = trail.passed("throttle", await throttle(right, operation, message.received_at, ports))
    parameters, request = trail.passed("validate_request", validate_request(message, operation, variables))
    return admitted(message, right, operation, parameters, request), (*headers, *operation.notices)


async def _ask(exchange: Exchange, claim: KeyClaim | None, ports: Ports, trail: Trail) -> Reply:
    """Request-reply: the consumer waits for the provider's answer."""
    holder = await record_opened(exchange, claim, ports, trail)
    if holder is not None:
        return await record_reply(answer_of(holder, claim), None, ports, trail, Outcome.REPLAYED)
    return await record_reply(answer_with(await _through(exchange, ports, trail), exchange), claim, ports, trail)


async def _accept(exchange: Exchange, claim: KeyClaim | None, ports: Ports, trail: Trail) -> Reply:
    """What is stored: every limit of the provider is told now; then the message is durable, and its receipt is the answer."""
    trail.passed("translate", translate_requests(exchange, ports))
    reply, holder = trail.passed("accept", await accept(exchange, claim, ports))
    if holder is not None:
        return await record_reply(answer_of(holder, claim), None, ports, trail, Outcome.REPLAYED)
    ports.telemetry.exchange_ended(trail, Outcome.ACCEPTED, reply.status)
    return reply


async def deliver_due(due: Due, ports: Ports) -> bool:
    """One attempt of one claimed message; False if another worker held it by the end."""
    trail, fault = Trail.of(due, ports.tick), None
    try:
        exchange = await _resume(due, ports, trail)
        settlement = delivered(json.encode(await _through(exchange, ports, trail)), ports)
    except Fault as caught:
        fault, settlement = caught, after(caught, due, trail.operation, ports)
    return await settle(due, settlement, _closed(settlement, ports, trail, fault), ports, fault)


async def hand_over(due: Due, ports: Ports) -> bool:
    """What its addressee fetches: authorised again and recorded before it sees a byte; False, and it rests, if it may not be given out."""
    trail = Trail.of(due, ports.tick)
    try:
        await _resume(due, ports, trail)
        await ports.log.closed(closed_row(Outcome.HANDED_OVER, 200, ports, trail))
    except Fault as fault:
        settlement = after(fault, due, trail.operation, ports)
        await settle(due, settlement, _closed(settlement, ports, trail, fault), ports, fault)
        return False
    return True


async def reconcile_unknown(due: Due, ports: Ports) -> bool:
    """Ask the provider once whether it has a message whose outcome is unknown; False if somebody else decided by then."""
    trail = Trail.of(due, ports.tick)
    try:
        exchange = await _resume(due, ports, trail)
        doubt, scope = doubt_of(due, exchange.operation, ports), request_scope(exchange, ports)
        request = translate_request(doubt.rule.call, scope, exchange.operation.provider.auth.session)
        settlement = judge(await deliver(doubt.rule.call, request, scope["known"], exchange, ports), scope, doubt, exchange)
    except Fault as caught:
        settlement = unanswered(caught, due, trail.operation, ports)
    fault = Fault(settlement.cause) if settlement.cause else None
    return await resolve(due, settlement, _closed(settlement, ports, trail, fault), ports)


async def _resume(due: Due, ports: Ports, trail: Trail) -> Exchange:
    """The exchange of a stored message, authorised again (a right that was withdrawn while it waited holds no longer), and OPENED."""
    operation = trail.operation = published(due.stored, ports)
    exchange = resumed(due, operation, trail.passed("authorise", authorise_again(due.stored, operation, ports)))
    await record_opened(exchange, None, ports, trail)
    return exchange


def _closed(settlement: Settlement, ports: Ports, trail: Trail, fault: Fault | None) -> Closed:
    """The CLOSED row of what an attempt decided, counted."""
    outcome = OUTCOMES.get(settlement.state, Outcome.FAILED)
    ports.telemetry.exchange_ended(trail, outcome, settlement.status, fault)
    return closed_row(outcome, settlement.status, ports, trail, answer=settlement.reply, fault=fault)


async def _through(exchange: Exchange, ports: Ports, trail: Trail) -> Any:
    """To the provider and back, by the operation's calls in order; the canonical reply, as far as the right allows."""
    operation, scope, native = exchange.operation, request_scope(exchange, ports), None
    with Judged(exchange, ports):
        for call in operation.calls:
            request = trail.passed("translate", translate_request(call, scope, operation.provider.auth.session))
            native = trail.passed("deliver", await deliver(call, request, scope["known"], exchange, ports))
            trail.acted |= not (call.safe or call.key)
            enforce(call, exchange, ports)
            if call.binds:
                scope["known"][call.binds] = native
        if answered_before(operation.calls[-1], exchange):
            return None  # delivered; what the provider said is lost
        canonical = trail.passed("translate_reply", translate_reply(exchange, native, scope))
        return release(trail.passed("validate_reply", enforce_reply(canonical, exchange, ports)), exchange, ports, trail)
