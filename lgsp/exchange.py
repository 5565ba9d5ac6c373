"""The life of a message, top to bottom; here and nowhere else.

`carry` takes what a consumer sent to its answer, `deliver_due` what the hub has stored to its provider, `reconcile_unknown` asks what
became of it. Nothing reaches a provider without a durable OPENED row, no answer leaves before its CLOSED row; a Fault ends the road.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import Fault
from lgsp.model.agreed import Pattern
from lgsp.model.happening import Outcome, Reply
from lgsp.stages.accept import accept
from lgsp.stages.answer import answer_with
from lgsp.stages.authorise import authorise, authorise_again
from lgsp.stages.deduplicate import answer_of, key_claim
from lgsp.stages.deliver import answered_before, deliver
from lgsp.stages.identify import find_operation, identify
from lgsp.stages.reconcile import doubt_of, judge, unanswered
from lgsp.stages.record import closed_row, record_fault, record_opened, record_repetition, record_reply
from lgsp.stages.release import release
from lgsp.stages.resume import admitted, published, resumed
from lgsp.stages.settle import OUTCOMES, after, delivered, resolve, settle
from lgsp.stages.throttle import throttle
from lgsp.stages.translate import request_scope, translate_reply, translate_request
from lgsp.stages.validate import validate_reply, validate_request
from lgsp.telemetry import Trail

if TYPE_CHECKING:
    from lgsp.model.happening import Due, Exchange, KeyClaim, Message
    from lgsp.ports.engine import Ports


async def carry(message: Message, ports: Ports) -> Reply:
    """From a consumer's request to its answer; every refusal and failure is recorded, then raised."""
    trail, claim = Trail(ports.tick, message.id, message.trace_id), None
    try:
        exchange, quota_headers = await _admit(message, ports, trail)
        claim = key_claim(message, exchange, ports)
        if exchange.operation.pattern is Pattern.ONE_WAY:
            reply = await _accept(exchange, claim, ports, trail)
        else:
            reply = await _ask(exchange, claim, ports, trail)
    except Fault as fault:
        await record_fault(fault, message, claim, ports, trail)
        raise
    return Reply(reply.status, reply.body, (*reply.headers, *quota_headers), reply.spoken)


async def _admit(message: Message, ports: Ports, trail: Trail) -> tuple[Exchange, tuple[tuple[str, str], ...]]:
    """Who, what, may they, how often, and is it sound."""
    consumer = identify(message, ports)
    trail.consumer = consumer.id
    trail.passed("identify")
    operation, variables = find_operation(message, consumer.id, ports)
    trail.operation = operation
    right = authorise(consumer.id, operation, message.purpose, message.received_at, ports.directory)
    trail.passed("authorise")
    headers = await throttle(right, operation, message.received_at, ports)
    trail.passed("throttle")
    parameters, request = validate_request(message, operation, variables)
    trail.passed("validate_request")
    return admitted(message, right, operation, parameters, request), headers


async def _ask(exchange: Exchange, claim: KeyClaim | None, ports: Ports, trail: Trail) -> Reply:
    """Request-reply: the consumer waits for the provider's answer."""
    holder = await record_opened(exchange, claim, ports, trail)
    if holder is not None:
        return await record_repetition(answer_of(holder, claim), ports, trail)
    reply = answer_with(await _through(exchange, ports, trail), exchange)
    await record_reply(reply, claim, ports, trail)
    ports.telemetry.exchange_ended(trail, Outcome.DELIVERED, reply.status)
    return reply


async def _accept(exchange: Exchange, claim: KeyClaim | None, ports: Ports, trail: Trail) -> Reply:
    """One-way: every limit of the provider is told now; then the message is durable, and its receipt is the answer."""
    scope = request_scope(exchange, ports)
    for call in exchange.operation.calls:
        translate_request(call, scope, exchange.operation.provider.auth.session)
    trail.passed("translate")
    reply, holder = await accept(exchange, claim, ports)
    trail.passed("accept")
    if holder is not None:
        return await record_repetition(answer_of(holder, claim), ports, trail)
    ports.telemetry.exchange_ended(trail, Outcome.ACCEPTED, reply.status)
    return reply


async def deliver_due(due: Due, ports: Ports) -> bool:
    """One attempt of one claimed message; False if another worker held it by the end."""
    trail, fault = Trail.of(due, ports.tick), None
    try:
        exchange = _resume(due, ports, trail)
        await record_opened(exchange, None, ports, trail)
        settlement, outcome = delivered(json.encode(await _through(exchange, ports, trail)), ports), Outcome.DELIVERED
    except Fault as caught:
        fault = caught
        settlement, outcome = after(fault, due, trail.operation, ports)
    row = closed_row(outcome, settlement.status, ports, trail, fault=fault)
    ports.telemetry.exchange_ended(trail, outcome, settlement.status, fault)
    return await settle(due, settlement, row, ports, fault)


async def reconcile_unknown(due: Due, ports: Ports) -> bool:
    """Ask the provider once whether it has a message whose outcome is unknown; False if somebody else decided by then."""
    trail = Trail.of(due, ports.tick)
    try:
        exchange = _resume(due, ports, trail)
        doubt, scope = doubt_of(due, exchange.operation, ports), request_scope(exchange, ports)
        await record_opened(exchange, None, ports, trail)
        request = translate_request(doubt.rule.call, scope, exchange.operation.provider.auth.session)
        settlement = judge(await deliver(doubt.rule.call, request, scope["known"], exchange, ports), scope, doubt, exchange)
    except Fault as caught:
        settlement = unanswered(caught, due, trail.operation, ports)
    fault, outcome = Fault(settlement.cause) if settlement.cause else None, OUTCOMES.get(settlement.state, Outcome.FAILED)
    ports.telemetry.exchange_ended(trail, outcome, settlement.status, fault)
    return await resolve(due, settlement, closed_row(outcome, settlement.status, ports, trail, fault=fault), ports)


def _resume(due: Due, ports: Ports, trail: Trail) -> Exchange:
    """The exchange of a stored message, authorised again: a right that was withdrawn while it waited holds no longer."""
    operation = trail.operation = published(due.stored, ports)
    right = authorise_again(due.stored, operation, ports)
    trail.passed("authorise")
    return resumed(due, operation, right)


async def _through(exchange: Exchange, ports: Ports, trail: Trail) -> Any:
    """To the provider and back, by the operation's calls in order; the canonical reply, as far as the right allows."""
    operation = exchange.operation
    scope = request_scope(exchange, ports)
    native = None
    for call in operation.calls:
        request = translate_request(call, scope, operation.provider.auth.session)
        trail.passed("translate")
        native = await deliver(call, request, scope["known"], exchange, ports)
        trail.passed("deliver")
        if call.binds:
            scope["known"][call.binds] = native
    if answered_before(operation.calls[-1], exchange):
        return None  # delivered; what the provider said is lost
    canonical = translate_reply(operation, native, scope)
    trail.passed("translate_reply")
    validate_reply(canonical, operation)
    trail.passed("validate_reply")
    return release(canonical, exchange.right.fields)
