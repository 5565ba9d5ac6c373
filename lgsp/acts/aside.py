"""Set messages aside, so that they wait for a person, or take them back for good; singly or by a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.acts.decide import BATCH, ring
from lgsp.acts.replay import must_choose
from lgsp.errors import Fault
from lgsp.policy.lifecycle import BY_PEOPLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.happening import State
    from lgsp.ports.office import Decision, Filter, Office, Share


async def lay(office: Office, message_id: str, decision: Decision) -> str:
    """One message, in whatever state that allows it; returns its provider."""
    found = await office.steering.lay(message_id, decision, office.now(), 1, BY_PEOPLE[decision.state])
    if not found:
        known = await office.inspection.timeline(message_id)
        raise Fault("not-movable", "it is under way, or has its end") if known else Fault("not-found", "no message has this id")
    ring(office, found)
    return found[0][1]


async def count(office: Office, chosen: Filter, state: State) -> Sequence[Share]:
    """A dry run: whom it would meet of those that are in this state."""
    must_choose(chosen)
    return await office.inspection.count(state, chosen)


async def lay_many(office: Office, chosen: Filter, decision: Decision, state: State) -> int:
    """Every message in this state that the filter chooses; says how many."""
    must_choose(chosen)
    if state not in BY_PEOPLE[decision.state]:
        raise Fault("not-movable", f"nothing that is {state} becomes {decision.state}")
    laid = 0
    while True:
        found = await office.steering.lay(chosen, decision, office.now(), BATCH, frozenset({state}))
        ring(office, found)
        laid += len(found)
        if len(found) < BATCH:
            return laid
