"""The port Conformity: counts and quarantined answers gather in memory and are written each second; orders are read from a snapshot.

Of one kind of fault (operation, places, rules) the first few in ten minutes are kept, so that a provider that adds one element to every
answer fills no disk; all are counted.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, Protocol

from lgsp.errors import Fault
from lgsp.model.conformity import KEPT_BYTES, KEPT_S, Conformance, Rigour, Suspect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lgsp.model.conformity import Enforcement, Remark
    from lgsp.model.happening import Exchange
    from lgsp.ports.conformity import Enforcements, Quarantine
    from lgsp.telemetry import Telemetry

    class Kept(Enforcements, Quarantine, Protocol):
        """The record."""


KIND_S, KIND_COUNT = 600.0, 5
"""Of each kind so many in so many seconds."""
KINDS, WAITING = 10_000, 1_000
"""How many kinds are told apart, and how many suspects wait to be written while the record is away."""
PLACES_KEPT = 50
HOUR_S = 3600
COUNTS_KEPT_S = 90 * 86_400.0
FORGET_EVERY_S = 600.0
_INDEX = re.compile(r"/\d+(?=/|$)")

Key = tuple[str, str, str, int]


class GatheredConformity:
    """Of one process; `flush` is called each second, and before the record is closed."""

    def __init__(self, record: Kept, telemetry: Telemetry, new_id: Callable[[], str]) -> None:
        self._record = record
        self._telemetry = telemetry
        self._new_id = new_id
        self._kept: Counter[Key] = Counter()
        self._broken: Counter[Key] = Counter()
        self._waiting: deque[Suspect] = deque(maxlen=WAITING)
        self._kinds: defaultdict[object, int] = defaultdict(int)
        self._kinds_until = self._forgets_at = 0.0

    def rigour(self, service: str, now: float) -> Rigour:
        """Conformity."""
        order = standing(self._record.enforcements(), service, now)
        return Rigour.TOLERANT if order is None else order.rigour

    def kept(self, exchange: Exchange, at: float) -> None:
        """Conformity."""
        self._kept[_key(exchange, at)] += 1

    def broken(self, exchange: Exchange, remarks: Sequence[Remark], at: float, *, passed: bool) -> None:
        """Conformity."""
        self._broken[_key(exchange, at)] += 1
        rigour = self.rigour(exchange.operation.service, at)
        if rigour is Rigour.OBSERVE and passed:
            return
        for remark in remarks:
            if self._is_wanted(exchange, remark, at):
                self._waiting.append(self._suspect(exchange, remark, at, (rigour, passed)))

    async def flush(self, now: float) -> None:
        """Write what was told, and erase what is too old; what cannot be written now is written later."""
        kept, broken, suspects = self._kept, self._broken, list(self._waiting)
        self._kept, self._broken = Counter(), Counter()
        self._waiting.clear()
        counted = [Conformance(*key, kept[key] + broken[key], broken[key]) for key in kept.keys() | broken.keys()]
        try:
            if counted:
                await self._record.add_conformance(counted)
                counted = self._tell(counted)
            if suspects:
                await self._record.add_suspects(suspects)
        except Fault:
            self._waiting.extendleft(reversed(suspects))
            if counted:
                self._kept.update(kept)
                self._broken.update(broken)
            raise
        if now >= self._forgets_at:
            self._forgets_at = now + FORGET_EVERY_S
            await self._record.forget_answers(now - KEPT_S, now - COUNTS_KEPT_S)

    def _tell(self, counted: Sequence[Conformance]) -> list[Conformance]:
        for each in counted:
            self._telemetry.answers_judged(each.provider, each.answers - each.invalid, each.invalid)
        return []

    def _is_wanted(self, exchange: Exchange, remark: Remark, at: float) -> bool:
        if at >= self._kinds_until:
            self._kinds.clear()
            self._kinds_until = at + KIND_S
        places = frozenset((_INDEX.sub("/*", each.pointer), each.code) for each in remark.violations)
        kind = (exchange.operation.service, exchange.operation.name, remark.call, places)
        known = kind if kind in self._kinds or len(self._kinds) < KINDS else None
        self._kinds[known] += 1
        return self._kinds[known] <= KIND_COUNT

    def _suspect(self, exchange: Exchange, remark: Remark, at: float, became: tuple[Rigour, bool]) -> Suspect:
        rigour, passed = became
        operation = exchange.operation
        return Suspect(
            id=self._new_id(),
            message_id=exchange.message_id,
            at=at,
            provider=operation.provider.code,
            service=operation.service,
            operation=operation.name,
            call=remark.call,
            rigour=rigour,
            passed=passed,
            is_ours=remark.is_ours,
            places=tuple((each.pointer, each.detail, each.code) for each in list(remark.violations)[:PLACES_KEPT]),
            size_bytes=len(remark.content),
            content=remark.content[:KEPT_BYTES],
        )


def standing(orders: Sequence[Enforcement], service: str, now: float) -> Enforcement | None:
    """The order about this service that is in force now."""
    for order in orders:
        if order.service == service and order.from_at <= now < order.until_at:
            return order
    return None


def _key(exchange: Exchange, at: float) -> Key:
    operation = exchange.operation
    return operation.provider.code, operation.service, operation.name, int(at // HOUR_S) * HOUR_S
