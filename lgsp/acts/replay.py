"""Send dead or held messages again: one at once, or many by a filter at a rate that the provider can bear."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lgsp.errors import Fault, Violation
from lgsp.model.happening import State
from lgsp.ports.office import ReplayRun, RunState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.ports.office import Filter, Office, Share

RUNS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay would do: how many, to whom, at which rate (messages a second), until when."""

    shares: Sequence[Share]
    total: int
    rate: float
    until: float


async def replay(office: Office, message_id: str, author: str) -> str:
    """Move the message to waiting and ring; returns the provider that is owed it."""
    provider = await office.steering.replay(message_id, author, office.now())
    if provider is None:
        raise await _reason(office, message_id)
    office.bell.ring(provider, [message_id])
    return provider


async def plan(office: Office, chosen: Filter, rate: float) -> Plan:
    """A dry run: the dead letters that are chosen now."""
    must_choose(chosen)
    shares = await office.inspection.count(State.DEAD, chosen)
    total = sum(share.count for share in shares)
    return Plan(shares, total, rate, office.now() + total / rate)


async def start(office: Office, chosen: Filter, rate: float, author: str) -> ReplayRun:
    """Begin a run over what is dead by now; the timetable works it off."""
    now = office.now()
    bounded = replace(chosen, until=now)
    found = await plan(office, bounded, rate)
    run = ReplayRun(office.new_id(), bounded, rate, found.total, author, now)
    await office.runs.start_run(run)
    return run


async def runs(office: Office) -> Sequence[ReplayRun]:
    """The newest first."""
    return await office.runs.runs(RUNS_SHOWN)


async def steer(office: Office, run_id: str, state: RunState, author: str) -> ReplayRun:
    """Pause, resume or cancel a run; what it has moved stays moved."""
    run = await office.runs.steer_run(run_id, state, author, office.now())
    if run is not None:
        return run
    if any(each.id == run_id for each in await runs(office)):
        raise Fault("run-ended")
    raise Fault("not-found", "no replay run has this id")


def must_choose(chosen: Filter) -> None:
    """Refuse a filter that chooses everything: nobody means the whole history of every provider."""
    if not any((chosen.provider, chosen.service, chosen.operation, chosen.cause)):
        raise Fault("body-invalid", errors=[Violation("/filter", "names neither provider, service, operation nor cause", "required")])


async def _reason(office: Office, message_id: str) -> Fault:
    if await office.inspection.timeline(message_id):
        return Fault("not-replayable", "only a dead or held message is sent again")
    return Fault("not-found", "no message has this id")
