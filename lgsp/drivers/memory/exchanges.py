"""The record of exchanges in memory: message log, outbox, receipts, quotas, and what operators see and steer of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lgsp.errors import Fault
from lgsp.model.happening import Closed, Due, KeyAnswer, KeyClaim, KeyHolder, Opened, Reply, Settlement, State, Stored
from lgsp.policy.drain import Drain, Pace, measured
from lgsp.policy.lifecycle import ACT_FACTS, COMES_AGAIN, IN_RUN, REPLAYABLE, SETTLED, SETTLEMENTS, SUPERSEDABLE, lets_pass
from lgsp.policy.retry import NOT_MADE
from lgsp.policy.turns import place, served_last
from lgsp.ports.office import Act, Backlog, TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lgsp.model.agreed import Quota
    from lgsp.model.parties import SubsystemId


ABANDONED_S = 900.0
"""After so long an exchange that still holds its key died."""


class Owed:
    """One stored message and where it stands."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.state = stored.state
        self.due_at: float | None = stored.accepted_at if stored.state is State.WAITING else None
        self.deadline_at = stored.deadline_at
        self.lease = 0
        self.attempts = 0
        self.last: Settlement | None = None
        self.calls: list[tuple[float, int, str, bool, int]] = []
        self.denials = 0
        self.feed_no: int | None = None

    @property
    def is_moving(self) -> bool:
        """Whether it is under way, or will be by itself."""
        return self.state in {State.WAITING, State.DELIVERING}

    def is_due(self, now: float) -> bool:
        """Whether it may be claimed, apart from its place in the order."""
        return self.state in {State.WAITING, State.DELIVERING} and self.due_at is not None and self.due_at <= now

    def due(self) -> Due:
        """As it is given to who holds its lease."""
        began = frozenset(name for _, _, name, *_ in self.calls)
        finished = frozenset(name for _, _, name, done, _ in self.calls if done)
        has_failed = self.last is not None and bool(self.last.cause)
        stored = replace(self.stored, deadline_at=self.deadline_at)
        return Due(stored, self.attempts, self.lease, began, finished, self.denials, has_failed)

    def lend(self, until: float) -> None:
        """Give it out for one attempt."""
        self.state, self.due_at = State.DELIVERING, until
        self.lease += 1
        self.attempts += 1

    def begin_afresh(self, at: float) -> None:
        """Sent again by a person's will: it gets all its attempts and its whole time anew."""
        self.state, self.due_at, self.attempts, self.feed_no = State.WAITING, at, 0, None
        self.deadline_at = at + self.stored.deadline_at - self.stored.accepted_at

    def forget_doubts(self) -> None:
        """What was begun and not finished had no effect."""
        done = {name for _, _, name, finished, _ in self.calls if finished}
        self.calls = [row for row in self.calls if row[2] in done]


class Key:
    """One idempotency key, who holds it and until when."""

    def __init__(self, claim: KeyClaim, message_id: str, at: float) -> None:
        self.holder = KeyHolder(message_id, claim.fingerprint)
        self.claimed_at = at
        self.expires_at = claim.expires_at


class MemoryExchanges:
    """Message log, outbox, receipts, quotas, and what operators see and steer of them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.rows: list[tuple[Opened | Closed, Settlement | None]] = []
        self.refusals: Counter[tuple[str, int, str]] = Counter()
        self._owed: dict[str, Owed] = {}
        self._keys: dict[tuple[str, str, str], Key] = {}
        self._used: Counter[tuple[str, str, int]] = Counter()
        self._acts: list[Act] = []
        self._settled: Counter[str] = Counter()
        self._paces: dict[str, Pace] = {}
        self._drains: dict[str, Drain] = {}
        self._served: dict[str, str] = {}

    async def opened(self, row: Opened, claim: KeyClaim | None = None) -> KeyHolder | None:
        """MessageLog."""
        holder = self._claim_key(claim, row.message_id, row.at)
        if holder is None:
            self.rows.append((row, None))
        return holder

    async def closed(self, row: Closed, answer: KeyAnswer | None = None) -> None:
        """MessageLog."""
        self.rows.append((row, None))
        if answer is None:
            return
        key = (answer.claim.consumer, answer.claim.operation, answer.claim.key)
        held = self._keys.get(key)
        if held is None or held.holder.message_id != row.message_id:
            return
        if answer.reply is None and not answer.unknown:
            del self._keys[key]
        else:
            held.holder = replace(held.holder, reply=answer.reply, unknown=answer.unknown)

    def refused_unidentified(self, source: str, slug: str, at: float) -> None:
        """MessageLog."""
        self.refusals[source, int(at // 60) * 60, slug] += 1

    async def accept(self, stored: Stored, claim: KeyClaim | None, reply: Reply, parts: Sequence[Stored] = ()) -> KeyHolder | None:
        """Outbox."""
        holder = self._claim_key(claim, stored.message_id, stored.accepted_at, reply)
        if holder is None:
            self._owed.update({part.message_id: Owed(part) for part in parts})
        if holder is None and stored.supersedes is None:
            self._owed[stored.message_id] = Owed(stored)
        elif holder is None:
            self._supersede(stored, claim)
        return holder

    def _supersede(self, stored: Stored, claim: KeyClaim | None) -> None:
        old = self._owed.get(stored.supersedes or "")
        if old is None or old.state not in SUPERSEDABLE or _line(old.stored) != _line(stored):
            if claim is not None:
                del self._keys[claim.consumer, claim.operation, claim.key]
            raise Fault("not-supersedable", f"message {stored.supersedes}")
        at = stored.accepted_at
        old.feed_no = None
        old.state, old.due_at, old.last = State.SUPERSEDED, None, replace(old.last or Settlement(old.state, at), state=old.state, at=at)
        places = {key: Owed(stored) if owed is old else owed for key, owed in self._owed.items()}
        renamed = {stored.message_id if key == old.stored.message_id else key: owed for key, owed in places.items()}
        self._owed = {**renamed, old.stored.message_id: old}

    async def claim(self, provider: str, limit: int, now: float, lease_s: float) -> Sequence[Due]:
        """Outbox."""
        claimed: list[Due] = []
        after = self._served.get(provider, "")
        for owed in _in_turns(self._due(now, provider), after)[:limit]:
            owed.lend(now + lease_s)
            claimed.append(owed.due())
        self._served[provider] = served_last((due.stored.consumer for due in claimed), after)
        return claimed

    async def claim_finished(self, provider: str, limit: int, now: float) -> Sequence[Due]:
        """Outbox."""
        open_parts = {owed.stored.part_of for owed in self._owed.values() if owed.state not in SETTLED}
        wholes = [owed for owed in self._owed.values() if owed.stored.provider == provider and owed.is_moving]
        done = [owed for owed in wholes if (owed.due_at is None or owed.due_at <= now) and owed.stored.message_id not in open_parts]
        for owed in done[:limit]:
            owed.lend(now + 60.0)
        return [owed.due() for owed in done[:limit]]

    async def due_providers(self, now: float) -> Sequence[str]:
        """Outbox."""
        return sorted({owed.stored.provider for owed in self._due(now)})

    async def begin_call(self, due: Due, call: str, *, finished: bool) -> None:
        """Outbox."""
        owed = self._held(due)
        if owed is None:
            raise Fault("request-in-progress", "another worker holds the message by now")
        owed.calls.append((self._now(), due.attempt, call, finished, due.lease))

    async def stored(self, message_id: str) -> Stored | None:
        """Outbox."""
        owed = self._owed.get(message_id)
        return None if owed is None else owed.stored

    async def settle(self, due: Due, settlement: Settlement, closed: Closed) -> bool:
        """Outbox."""
        if settlement.state not in SETTLEMENTS:
            message = f"no attempt ends as {settlement.state}"
            raise ValueError(message)
        owed = self._held(due)
        if owed is None:
            return False
        owed.state, owed.due_at, owed.last, owed.denials = settlement.state, settlement.due_at, settlement, 0
        owed.feed_no = None
        if settlement.state is State.WAITING and settlement.cause in NOT_MADE:
            owed.attempts -= 1
        if settlement.state in COMES_AGAIN:
            done = {name for _, _, name, finished, _ in owed.calls if finished}
            owed.calls = [row for row in owed.calls if row[2] in done or row[4] != due.lease]
        self.rows.append((closed, settlement))
        if settlement.state is not State.WAITING:
            self._settled[due.stored.provider] += 1
        return True

    def drain(self, provider: str) -> Drain:
        """Drains."""
        return self._drains.get(provider, Drain())

    async def measure(self, now: float) -> None:
        """Drains."""
        owed = Counter(each.stored.provider for each in self._owed.values() if each.is_moving)
        for code in {*owed, *self._settled}:
            pace = self._paces.get(code)
            self._paces[code] = Pace(self._settled[code], now) if pace is None else measured(pace, self._settled[code], now)
        self._drains = {code: Drain(owed[code], pace.rate) for code, pace in self._paces.items()}

    async def lease(self, consumer: SubsystemId, service: str, window: int, quota: Quota, wanted: int) -> int:
        """QuotaLeases."""
        granted = max(0, min(wanted, quota.q - self._used[consumer, service, window]))
        self._used[consumer, service, window] += granted
        return granted

    async def timeline(self, message_id: str) -> Sequence[TimelineEntry]:
        """Inspection."""
        owed = self._owed.get(message_id)
        entries = [_accepted(owed.stored)] if owed else []
        entries += [entry for row, settlement in self.rows if row.message_id == message_id for entry in _entries(row, settlement)]
        if owed is not None:
            entries += [TimelineEntry(at, "call", n, {"name": name, "finished": done}) for at, n, name, done, _ in owed.calls]
        for act in (act for act in self._acts if act.subject == message_id):
            told = {name: value for name, value in act.facts.items() if name in ACT_FACTS}
            entries.append(TimelineEntry(act.at, "act", 0, {"verb": act.verb, "author": act.author, **told}))
        return sorted(entries, key=lambda entry: entry.at)

    async def backlog(self) -> Sequence[Backlog]:
        """Inspection."""
        states: defaultdict[str, Counter[str]] = defaultdict(Counter)
        oldest: dict[str, float] = {}
        for owed in (owed for owed in self._owed.values() if owed.state not in SETTLED):
            provider = owed.stored.provider
            states[provider][owed.state.value] += 1
            if owed.state in {State.WAITING, State.DELIVERING}:
                oldest[provider] = min(owed.stored.accepted_at, oldest.get(provider, float("inf")))
        return [Backlog(provider, dict(counts), oldest.get(provider)) for provider, counts in sorted(states.items())]

    async def acts(self, limit: int) -> Sequence[Act]:
        """Inspection."""
        return [act for act in reversed(self._acts) if act.verb != IN_RUN][:limit]

    async def replay(self, message_id: str, author: str, at: float) -> str | None:
        """Steering."""
        owed = self._owed.get(message_id)
        if owed is None or owed.state not in REPLAYABLE:
            return None
        owed.begin_afresh(at)
        self._acts.append(Act(at, author, "replay", message_id, {}))
        return owed.stored.provider

    def _claim_key(self, claim: KeyClaim | None, message_id: str, now: float, reply: Reply | None = None) -> KeyHolder | None:
        if claim is None:
            return None
        key = (claim.consumer, claim.operation, claim.key)
        held = self._keys.get(key)
        if held is not None and held.expires_at > now:
            died = held.holder.reply is None and held.claimed_at + ABANDONED_S < now
            return replace(held.holder, unknown=held.holder.unknown or died)
        fresh = self._keys[key] = Key(claim, message_id, now)
        fresh.holder = replace(fresh.holder, reply=reply)
        return None

    def _due(self, now: float, provider: str | None = None) -> Iterable[Owed]:
        led: set[tuple[str, str]] = set()
        for owed in [owed for owed in self._owed.values() if not lets_pass(owed.state, skips_dead=owed.stored.skips_dead)]:
            stored = owed.stored
            if stored.order_key is not None:
                if (stored.provider, stored.order_key) in led:
                    continue
                led.add((stored.provider, stored.order_key))
            if owed.is_due(now) and provider in {None, stored.provider}:
                yield owed

    def _held(self, due: Due) -> Owed | None:
        owed = self._owed.get(due.stored.message_id)
        return owed if owed is not None and owed.state is State.DELIVERING and owed.lease == due.lease else None


def _in_turns(due: Iterable[Owed], after: str) -> list[Owed]:
    """One of each consumer after the other, in a circle that begins behind `after`; of one consumer by legal deadline and arrival."""
    turns: Counter[str] = Counter()
    ranked: list[tuple[int, tuple[bool, str], Owed]] = []
    for owed in sorted(due, key=lambda owed: owed.deadline_at):
        turns[owed.stored.consumer] += 1
        ranked.append((turns[owed.stored.consumer], place(owed.stored.consumer, after), owed))
    return [owed for *_, owed in sorted(ranked, key=lambda entry: entry[:2])]


def _line(stored: Stored) -> tuple[object, ...]:
    """Whose message it is, and where it stands in line."""
    return stored.consumer, stored.service, stored.major, stored.operation, stored.order_key


def _accepted(stored: Stored) -> TimelineEntry:
    facts = _facts(stored, "consumer", "service", "major", "operation", "provider", "trace_id", "deadline_at")
    return TimelineEntry(stored.accepted_at, "accepted", 0, facts)


def _entries(row: Opened | Closed, settlement: Settlement | None) -> Iterable[TimelineEntry]:
    if isinstance(row, Opened):
        yield TimelineEntry(row.at, "opened", row.attempt, _facts(row, "consumer", "provider", "service", "operation", "trace_id"))
        return
    yield TimelineEntry(row.at, "closed", row.attempt, _facts(row, "outcome", "status", "blame", "cause", "duration_us", "stages"))
    if settlement is not None:
        yield TimelineEntry(row.at, "settled", row.attempt, _facts(settlement, "state", "due_at", "blame", "cause", "detail"))


def _facts(row: object, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
