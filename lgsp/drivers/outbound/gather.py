"""The Outbound port with a place before it where requests gather, and travel as one call that a provider's list takes.

Each message waits here for its own outcome and is settled by itself, as if it had travelled alone. The first request goes at once; while it
is under way the next ones gather, until it is back, the list is full or `max_wait_s` is over (Nagle's idea, RFC 896), so that a lone
message loses no time. Requests travel together that are equal but for their item. Where an answer to many does not tell what became of one
of them, that one is sent alone: it has a key by which the provider knows it again, so nothing is doubled, and one bad item fails no other.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import Fault

if TYPE_CHECKING:
    from lgsp.model.agreed import Call, Prepared, Provider
    from lgsp.model.batch import Batch
    from lgsp.model.happening import Exchange
    from lgsp.ports.engine import Outbound
    from lgsp.telemetry import Telemetry

READY_S = 0.005
"""For those that are ready at the same moment as the first."""

Key = tuple[str, str, str, bytes]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message's request, and where its outcome is awaited."""

    request: Prepared
    exchange: Exchange
    outcome: asyncio.Future[Any]

    def hears(self, reply: Any) -> bool:
        """Hand over what it was told; False if that is nothing."""
        if reply is not None and not self.outcome.done():
            self.outcome.set_result(reply)
        return reply is not None

    def fails(self, fault: Fault) -> None:
        """Hand over what its own call would have met."""
        if not self.outcome.done():
            self.outcome.set_exception(fault)


@dataclass(slots=True)
class Group:
    """Requests of one call that will travel together."""

    call: Call
    batch: Batch
    members: list[Waiting] = field(default_factory=list)
    goes: asyncio.Event = field(default_factory=asyncio.Event)


class GatheredCalls:
    """The port Outbound; what is not declared as a batch, or is no stored message, passes through."""

    def __init__(self, calls: Outbound, telemetry: Telemetry) -> None:
        self._calls = calls
        self._telemetry = telemetry
        self._gathering: dict[Key, Group] = {}
        self._under_way: Counter[Key] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots: dict[tuple[str, int], asyncio.Semaphore] = {}

    async def call(self, call: Call, request: Prepared, exchange: Exchange) -> Any:
        """Outbound."""
        if exchange.due is None or exchange.operation.provider.gathers == 1:
            return await self._calls.call(call, request, exchange)
        if call.batch is None:
            return await self._alone(call, request, exchange)
        outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._join(call, call.batch, Waiting(request, exchange, outcome))
        return await outcome

    def _join(self, call: Call, batch: Batch, waiting: Waiting) -> None:
        rest, _ = batch.parted(waiting.request.native)
        party = waiting.exchange.purpose.represented_party or ""
        key = (waiting.exchange.operation.provider.code, call.name, party, json.canonical(rest))
        group = self._gathering.get(key)
        if group is None:
            group = self._gathering[key] = Group(call, batch)
            task = asyncio.create_task(self._carry(key, group))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        group.members.append(waiting)
        if len(group.members) >= batch.max_items:
            del self._gathering[key]
            group.goes.set()

    async def _carry(self, key: Key, group: Group) -> None:
        await asyncio.sleep(READY_S)
        if self._under_way[key] and not group.goes.is_set():
            try:
                async with asyncio.timeout(group.batch.max_wait_s):
                    await group.goes.wait()
            except TimeoutError:
                pass
        if self._gathering.get(key) is group:
            del self._gathering[key]
        self._under_way[key] += 1
        try:
            await self._send(group)
        finally:
            for member in group.members:
                member.fails(Fault("internal-error"))  # a fault of the program leaves nobody waiting
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]
            if key in self._gathering:
                self._gathering[key].goes.set()

    async def _send(self, group: Group) -> None:
        members = [member for member in group.members if not member.outcome.done()]
        if not members:
            return
        self._telemetry.gathered(members[0].exchange.operation.provider.code, len(members))
        if len(members) == 1:
            await self._settle_alone(group.call, members[0])
            return
        natives = [member.request.native for member in members]
        try:
            reply = await self._alone(group.call, group.call.prepare(group.batch.joined(natives)), members[0].exchange)
        except Fault as fault:
            for member in members:
                member.fails(fault)
            return
        for member in members[1:]:
            member.exchange.remarks.extend(members[0].exchange.remarks)
        undecided = [member for member, told in zip(members, group.batch.split(reply, natives), strict=True) if not member.hears(told)]
        await asyncio.gather(*[self._settle_alone(group.call, member) for member in undecided])

    async def _settle_alone(self, call: Call, member: Waiting) -> None:
        try:
            member.hears(await self._alone(call, member.request, member.exchange))
        except Fault as fault:
            member.fails(fault)

    async def _alone(self, call: Call, request: Prepared, exchange: Exchange) -> Any:
        """One call, when the provider has a free connection: more messages gather than it has connections."""
        async with self._slot(exchange.operation.provider):
            return await self._calls.call(call, request, exchange)

    def _slot(self, provider: Provider) -> asyncio.Semaphore:
        return self._slots.setdefault((provider.code, provider.in_flight), asyncio.Semaphore(provider.in_flight))
