"""What people decide about many messages at rest, in memory, and what the clock does for them: questions, sweeps, replay runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from lgsp.model.happening import Closed, Due, KeyHolder, Opened, Settlement, State
from lgsp.policy import loss
from lgsp.policy.lifecycle import IN_RUN, LAYINGS, RESOLUTIONS
from lgsp.policy.pace import allowance
from lgsp.ports.office import Act, DeadGroup, Filter, ReplayRun, RunState, Share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lgsp.drivers.memory.exchanges import Key, Owed
    from lgsp.ports.office import Decision

IDS_SHOWN = 100
"""How many message ids a group names."""


class MemorySteering:
    """The sweep of MessageLog, the questions of Outbox, the groups and filters of Inspection and Steering, and the port Runs."""

    rows: list[tuple[Opened | Closed, Settlement | None]]
    _acts: list[Act]
    _owed: dict[str, Owed]
    _keys: dict[tuple[str, str, str], Key]

    def __init__(self) -> None:
        self._runs: dict[str, tuple[ReplayRun, float]] = {}
        self._swept = 0

    async def close_lost(self, before: float, at: float) -> int:
        """MessageLog."""
        seen = self.rows[self._swept :]
        old = next((place for place, (row, _) in enumerate(seen) if row.at >= before), len(seen))
        self._swept += old
        lost = _never_closed([row for row, _ in seen], old)
        self.rows += [(loss.end_of(row, at), None) for row in lost]
        died = {row.message_id for row in lost if not row.attempt}
        for key in self._keys.values():
            if key.holder.message_id in died and key.holder.reply is None:
                key.holder = KeyHolder(key.holder.message_id, key.holder.fingerprint, unknown=True)
        return len(lost)

    async def claim_unknown(self, limit: int, now: float, lease_s: float) -> Sequence[Due]:
        """Outbox."""
        asked = [owed for owed in self._in(State.UNKNOWN) if owed.due_at is not None and owed.due_at <= now]
        for owed in asked[:limit]:
            owed.due_at = now + lease_s
            owed.lease += 1
        return [owed.due() for owed in asked[:limit]]

    async def resolve(self, due: Due, settlement: Settlement, closed: Closed) -> bool:
        """Outbox."""
        if settlement.state not in RESOLUTIONS:
            message = f"no unknown outcome is resolved as {settlement.state}"
            raise ValueError(message)
        owed = self._owed[due.stored.message_id]
        if owed.state is not State.UNKNOWN or owed.lease != due.lease:
            return False
        owed.state, owed.due_at, owed.last, owed.denials = settlement.state, settlement.due_at, settlement, settlement.denials
        if settlement.state is not State.UNKNOWN:
            owed.feed_no = None
        if settlement.state is State.WAITING:
            owed.attempts -= 1
            owed.forget_doubts()
        self.rows.append((closed, settlement))
        return True

    async def dead(self, limit: int) -> Sequence[DeadGroup]:
        """Inspection."""
        return self._groups(State.DEAD, limit)

    async def unknown(self, limit: int) -> Sequence[DeadGroup]:
        """Inspection."""
        return self._groups(State.UNKNOWN, limit)

    async def count(self, state: State, chosen: Filter) -> Sequence[Share]:
        """Inspection."""
        counts = Counter(_facts(owed)[:4] for owed in self._in(state) if _is_chosen(owed, chosen))
        return [Share(*facts, count) for facts, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]

    async def decide(self, chosen: str | Filter, decision: Decision, at: float, limit: int) -> Sequence[tuple[str, str]]:
        """Steering."""
        unknown = self._in(State.UNKNOWN)
        if isinstance(chosen, str):
            found = [owed for owed in unknown if owed.stored.message_id == chosen]
        else:
            found = [owed for owed in unknown if _is_chosen(owed, chosen)][:limit]
        for owed in found:
            if decision.state is State.WAITING:
                owed.begin_afresh(at)
                owed.forget_doubts()
            else:
                last = owed.last or Settlement(decision.state, at)
                told = last if decision.state is State.DEAD else Settlement(decision.state, at)
                owed.feed_no = None
                owed.state, owed.due_at, owed.last = decision.state, None, replace(told, state=decision.state, at=at)
            self._acts.append(Act(at, decision.author, f"decide_{decision.state}", owed.stored.message_id, {"reason": decision.reason}))
        return [(owed.stored.message_id, owed.stored.provider) for owed in found]

    async def lay(
        self, chosen: str | Filter, ruling: Decision, at: float, most: int, states: frozenset[State]
    ) -> Sequence[tuple[str, str]]:
        """Steering."""
        there = [owed for owed in self._owed.values() if owed.state in states]
        found = [each for each in there if (each.stored.message_id == chosen if isinstance(chosen, str) else _is_chosen(each, chosen))][
            :most
        ]
        for owed in found:
            owed.state, owed.due_at, owed.feed_no, owed.last = ruling.state, None, None, Settlement(ruling.state, at)
            self._acts.append(Act(at, ruling.author, LAYINGS[ruling.state], owed.stored.message_id, {"reason": ruling.reason}))
        return [(owed.stored.message_id, owed.stored.provider) for owed in found]

    async def start_run(self, run: ReplayRun) -> None:
        """Runs."""
        self._runs[run.id] = (run, run.started_at)
        facts = {**{name: value for name, value in asdict(run.chosen).items() if value}, "rate": run.rate, "total": run.total}
        self._acts.append(Act(run.started_at, run.author, "replay_many", run.id, facts))

    async def runs(self, limit: int) -> Sequence[ReplayRun]:
        """Runs."""
        return sorted((run for run, _ in self._runs.values()), key=lambda run: (run.started_at, run.id), reverse=True)[:limit]

    async def steer_run(self, run_id: str, state: RunState, author: str, at: float) -> ReplayRun | None:
        """Runs."""
        run, _ = self._runs.get(run_id, (None, 0.0))
        if run is None or run.state not in {RunState.RUNNING, RunState.PAUSED}:
            return None
        steered = replace(run, state=state, ended_at=at if state is RunState.CANCELLED else None)
        self._runs[run_id] = (steered, at)
        self._acts.append(Act(at, author, f"replay_{state}", run_id, {}))
        return steered

    async def work_runs(self, now: float) -> Sequence[str]:
        """Runs."""
        owed_to: set[str] = set()
        for run, worked_at in [pair for pair in self._runs.values() if pair[0].state is RunState.RUNNING]:
            places, paid_until = allowance(run.rate, worked_at, now)
            chosen = [owed for owed in self._in(State.DEAD) if _is_chosen(owed, run.chosen)][:places]
            for owed in chosen:
                owed.begin_afresh(now)
                self._acts.append(Act(now, run.author, IN_RUN, owed.stored.message_id, {"run": run.id}))
                owed_to.add(owed.stored.provider)
            moved = replace(run, done=run.done + len(chosen))
            self._runs[run.id] = (replace(moved, state=RunState.DONE, ended_at=now) if len(chosen) < places else moved, paid_until)
        return sorted(owed_to)

    def _in(self, state: State) -> list[Owed]:
        return [owed for owed in self._owed.values() if owed.state is state]

    def _groups(self, state: State, limit: int) -> Sequence[DeadGroup]:
        found: dict[tuple[str, str, str, str, str], list[Owed]] = {}
        for owed in self._in(state):
            found.setdefault(_facts(owed), []).append(owed)
        groups = [DeadGroup(*facts, len(group), *_oldest(group)) for facts, group in found.items()]
        return sorted(groups, key=lambda group: -group.count)[:limit]


def _never_closed(rows: Sequence[Opened | Closed], old: int) -> list[Opened]:
    """Of the first `old` rows those that were OPENED and not CLOSED before their message was OPENED again."""
    lost: list[Opened] = []
    standing: dict[str, Opened] = {}
    for place, row in enumerate(rows):
        before = standing.get(row.message_id)
        if isinstance(row, Closed):
            if before is not None and before.attempt == row.attempt:
                del standing[row.message_id]
            continue
        lost += [before] if before is not None else []
        standing.pop(row.message_id, None)
        if place < old:
            standing[row.message_id] = row
    return [*lost, *standing.values()]


def _oldest(group: Iterable[Owed]) -> tuple[float, tuple[str, ...]]:
    stored = sorted((owed.stored for owed in group), key=lambda each: each.accepted_at)
    return stored[0].accepted_at, tuple(each.message_id for each in stored[:IDS_SHOWN])


def _facts(owed: Owed) -> tuple[str, str, str, str, str]:
    stored, last = owed.stored, owed.last
    return stored.provider, stored.service, stored.operation, last.cause if last else "", str(last.blame) if last else ""


def _is_chosen(owed: Owed, chosen: Filter) -> bool:
    wanted = (chosen.provider, chosen.service, chosen.operation, chosen.cause)
    settled_at = owed.stored.accepted_at if owed.state is State.WAITING else owed.last.at if owed.last else 0.0
    fits = all(want in {"", fact} for want, fact in zip(wanted, _facts(owed), strict=False))
    return fits and (chosen.since is None or settled_at >= chosen.since) and (chosen.until is None or settled_at <= chosen.until)
