"""What a person decides where nobody can tell whether the provider acted: delivered, send again, or at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.acts.replay import must_choose
from lgsp.errors import Fault
from lgsp.model.happening import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.ports.office import DeadGroup, Decision, Filter, Office, Share

STATES = {"delivered": State.DELIVERED, "again": State.WAITING, "dead": State.DEAD}
BATCH = 500
"""So many messages a transaction, each with its act."""


async def unknown(office: Office, limit: int) -> Sequence[DeadGroup]:
    """Messages whose outcome is unknown, grouped as dead letters are, the largest group first."""
    return sorted(await office.inspection.unknown(limit), key=lambda group: -group.count)


async def decide(office: Office, message_id: str, decision: Decision) -> str:
    """One message; returns its provider."""
    found = await office.steering.decide(message_id, decision, office.now(), 1)
    if not found:
        known = await office.inspection.timeline(message_id)
        raise Fault("not-unknown", "somebody decided already, or it never was in doubt") if known else Fault("not-found")
    ring(office, found)
    return found[0][1]


async def count(office: Office, chosen: Filter) -> Sequence[Share]:
    """A dry run: whom a decision by this filter would meet."""
    must_choose(chosen)
    return await office.inspection.count(State.UNKNOWN, chosen)


async def decide_many(office: Office, chosen: Filter, decision: Decision) -> int:
    """Every message that the filter chooses; says how many."""
    must_choose(chosen)
    decided = 0
    while True:
        found = await office.steering.decide(chosen, decision, office.now(), BATCH)
        ring(office, found)
        decided += len(found)
        if len(found) < BATCH:
            return decided


def ring(office: Office, found: Sequence[tuple[str, str]]) -> None:
    """What is sent again is due, and so is who waited behind what is delivered."""
    owed: dict[str, list[str]] = {}
    for message_id, provider in found:
        owed.setdefault(provider, []).append(message_id)
    for provider, message_ids in owed.items():
        office.bell.ring(provider, message_ids)
