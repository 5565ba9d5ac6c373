"""A corrected message in the place of a stored one, made as if its consumer had sent it: judged, translated, accepted by the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.codec import json
from lgsp.errors import Fault, JsonError
from lgsp.model.happening import Exchange
from lgsp.stages.accept import accept
from lgsp.stages.authorise import authorise_again
from lgsp.stages.resume import published
from lgsp.stages.translate import request_scope, translate_request

if TYPE_CHECKING:
    from lgsp.model.agreed import Operation
    from lgsp.ports.engine import Ports


class Successors:
    """The port of the same name."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def check(self, message_id: str, body: bytes) -> None:
        """Successors."""
        await self._exchange(message_id, body)

    async def accept(self, message_id: str, body: bytes, successor_id: str) -> None:
        """Successors; a fault that comes because another process was faster is none."""
        if await self._ports.outbox.stored(successor_id) is not None:
            return
        try:
            exchange = replace(await self._exchange(message_id, body), message_id=successor_id)
            await accept(exchange, None, self._ports)
        except Fault:
            if await self._ports.outbox.stored(successor_id) is None:
                raise

    async def _exchange(self, message_id: str, body: bytes) -> Exchange:
        ports = self._ports
        stored = await ports.outbox.stored(message_id)
        if stored is None:
            raise Fault("not-found", "no stored message has this id")
        operation = published(stored, ports)
        right = authorise_again(stored, operation, ports)
        request, now, new_id = _read(body, operation), ports.now(), ports.new_id()
        trace_id = new_id.replace("-", "")
        who = (stored.consumer, operation, right, stored.purpose)
        exchange = Exchange(new_id, now, *who, stored.parameters, request, body, trace_id, supersedes=message_id)
        if exchange.key_at(operation.order_key) != stored.order_key:
            raise Fault("not-supersedable", "the corrected message is about another matter: its order key differs")
        scope = request_scope(exchange, ports)
        for call in operation.calls:
            translate_request(call, scope, operation.provider.auth.session)
        return exchange


def _read(body: bytes, operation: Operation) -> object:
    """The body, as the contract wants it."""
    try:
        request = json.decode(body)
    except JsonError as error:
        raise Fault("malformed-body", str(error)) from error
    violations = operation.check_request(request)
    if violations:
        raise Fault("body-invalid", errors=violations)
    return request
