"""What people ordered about providers, in memory; and messages that wait for a provider to come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.model.happening import Due, State
from lgsp.model.parties import Ruling, RulingKind
from lgsp.ports.office import Act

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.memory.exchanges import Owed

CIRCUIT = frozenset({RulingKind.OPEN, RulingKind.CLOSED})
AWAY = frozenset({"provider", "national", "network"})
_VERBS = {RulingKind.OPEN: "force_open", RulingKind.CLOSED: "force_closed", RulingKind.HOLD: "hold"}


class MemoryProviders:
    """The ports ProviderStates and Patience."""

    _acts: list[Act]
    _owed: dict[str, Owed]

    def __init__(self) -> None:
        self._rulings: list[Ruling] = []

    def rulings(self, provider: str | None = None) -> Sequence[Ruling]:
        """ProviderStates."""
        return tuple(each for each in self._rulings if provider in {None, each.provider})

    async def rule(self, ruling: Ruling, at: float) -> None:
        """ProviderStates."""
        self._rulings = [each for each in self._rulings if each.until_at > at]
        if ruling.kind in CIRCUIT:
            self._end(ruling.provider, CIRCUIT, at, None)
        self._rulings = sorted([*self._rulings, ruling], key=lambda each: (each.from_at, each.id))
        facts = {"from_at": ruling.from_at, "until_at": ruling.until_at, "reason": ruling.reason}
        self._acts.append(Act(at, ruling.author, _VERBS[ruling.kind], ruling.provider, facts))

    async def lift(self, provider: str, kinds: frozenset[RulingKind], author: str, at: float, ruling_id: str | None = None) -> int:
        """ProviderStates."""
        ended = self._end(provider, kinds, at, ruling_id)
        if ended:
            verb = "release" if RulingKind.HOLD in kinds else "free_circuit"
            self._acts.append(Act(at, author, verb, provider, {"ended": ended}))
        return ended

    async def postpone(self, waits: Sequence[tuple[Due, float]]) -> int:
        """Patience."""
        postponed = 0
        for due, due_at in waits:
            owed = self._owed.get(due.stored.message_id)
            if owed is None or owed.state is not State.DELIVERING or owed.lease != due.lease:
                continue
            owed.state, owed.due_at = State.WAITING, due_at
            owed.attempts -= 1
            postponed += 1
        return postponed

    async def hand_back(self, due: Due, now: float) -> bool:
        """Patience."""
        owed = self._owed.get(due.stored.message_id)
        if owed is None or owed.state is not State.DELIVERING or owed.lease != due.lease:
            return False
        owed.due_at = now
        owed.attempts -= 1
        return True

    async def hasten(self, provider: str, now: float) -> int:
        """Patience."""
        waiting = [
            owed
            for owed in self._owed.values()
            if owed.stored.provider == provider and owed.state is State.WAITING and owed.due_at is not None and owed.due_at > now
        ]
        away = [owed for owed in waiting if owed.last is not None and owed.last.blame in AWAY]
        for owed in away:
            owed.due_at = owed.stored.accepted_at
        return len(away)

    def _end(self, provider: str, kinds: frozenset[RulingKind], at: float, ruling_id: str | None) -> int:
        ended = [
            each
            for each in self._rulings
            if each.provider == provider
            and each.kind in kinds
            and each.until_at > at
            and (each.from_at <= at if ruling_id is None else each.id == ruling_id)
        ]
        self._rulings = [each for each in self._rulings if each not in ended]
        return len(ended)
