"""The port Usage: operations are counted and fields sampled in memory, and written every few seconds.

Every use counts; fields are looked at in the first FIRST uses of an operation by a consumer and then in one of EVERY, so that what is
optional and rare is seen within hundreds of uses and most exchanges pay for a counter only. Names that do not look like the name of a
field (a map keyed by citizens' numbers) are kept as `*`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lgsp.errors import Fault
from lgsp.model.agreed import Pattern
from lgsp.model.usage import PARAMETER, Use
from lgsp.schema import is_member_name

if TYPE_CHECKING:
    from lgsp.model.happening import Exchange
    from lgsp.model.parties import SubsystemId
    from lgsp.ports.usage import Uses

    Key = tuple[SubsystemId, str, int, str]

FIRST, EVERY = 20, 64
MOST_FIELDS, MOST_NODES = 500, 2_000
"""Of one operation and consumer so many fields are told apart, and of one value so many places looked at."""
DAY_S = 86_400
FLUSH_S = 5.0
KEPT_S = 400 * 86_400.0
ITEM = "*"

_HOLDERS = frozenset({dict, list})
_is_name = lru_cache(maxsize=4096)(is_member_name)


class _Seen:
    """One consumer's use of one operation in this process."""

    __slots__ = ("count", "fresh", "known", "uses")

    def __init__(self) -> None:
        self.uses = self.count = 0
        self.known: tuple[set[str], set[str]] = (set(), set())
        self.fresh: tuple[set[str], set[str]] = (set(), set())

    def note(self, side: int, fields: set[str]) -> None:
        new = fields - self.known[side]
        if new and len(self.known[side]) < MOST_FIELDS:
            self.known[side].update(new)
            self.fresh[side].update(new)

    def begin_day(self) -> None:
        """What is used today is found and noted again."""
        self.uses = 0
        for known in self.known:
            known.clear()


class SampledUsage:
    """Of one process; `flush` is called each second, and before the record is closed."""

    def __init__(self, record: Uses) -> None:
        self._record = record
        self._seen: dict[Key, _Seen] = {}
        self._day = 0
        self._flushes_at = 0.0

    def used(self, exchange: Exchange, answer: Any, at: float) -> None:  # noqa: ARG002 -- the port's signature; the day is told by flush
        """Usage."""
        operation = exchange.operation
        if operation.pattern is Pattern.CALLBACK or operation.granted != operation.name:
            return  # the hub's own sendings
        key = (exchange.consumer, operation.service, operation.major, operation.name)
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = _Seen()
        seen.uses += 1
        seen.count += 1
        if seen.uses <= FIRST or not seen.uses % EVERY:
            seen.note(0, fields_of(exchange.request) | {PARAMETER + name for name in exchange.parameters})
            seen.note(1, fields_of(answer))

    async def flush(self, now: float, *, at_once: bool = False) -> None:
        """Write what was counted, every FLUSH_S or at once; what cannot be written now is written later."""
        if now < self._flushes_at and not at_once:
            return
        self._flushes_at = now + FLUSH_S
        day = int(now // DAY_S) * DAY_S
        counted = [(key, seen, seen.count) for key, seen in self._seen.items() if seen.count]
        uses = [Use(*key, day, count, frozenset(seen.fresh[0]), frozenset(seen.fresh[1])) for key, seen, count in counted]
        if uses:
            await self._record.add_uses(uses)
        for (_, seen, count), use in zip(counted, uses, strict=True):
            seen.count -= count
            seen.fresh[0].difference_update(use.sent)
            seen.fresh[1].difference_update(use.got)
        if day != self._day:
            await self._new_day(day, now)

    async def _new_day(self, day: int, now: float) -> None:
        """Fields that are still used are noted anew each day; an old operation is forgotten here."""
        self._day = day
        self._seen = {key: seen for key, seen in self._seen.items() if seen.count}
        for seen in self._seen.values():
            seen.begin_day()
        try:
            await self._record.forget_uses(now - KEPT_S)
        except Fault:
            self._day = 0
            raise


def fields_of(value: Any) -> set[str]:
    """JSON pointers of every member in a value, `*` for items."""
    found: set[str] = set()
    ahead = [(value, "")]
    looked = 0
    while ahead and looked < MOST_NODES:
        node, at = ahead.pop()
        looked += 1
        if type(node) is list:
            ahead += [(item, f"{at}/{ITEM}") for item in node[:MOST_NODES] if type(item) in _HOLDERS]
            continue
        members = (
            [(inner, f"{at}/{name}" if _is_name(name) else f"{at}/{ITEM}") for name, inner in node.items()] if type(node) is dict else []
        )
        found.update([place for _, place in members])
        ahead += [member for member in members if type(member[0]) in _HOLDERS]
    return found
