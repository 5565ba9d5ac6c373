"""The states of a stored message: one table, from which the README's diagram is drawn.

Rules that the table holds:

* A message leaves `delivering` only through a settlement of the worker that holds its lease, or through an ended lease (`reclaim`).
* `unknown` waits for a confirmation or a denial by the provider's `reconcile` operation, or for a person; it is never simply sent again.
* Only a person moves `dead` or `held` back to `waiting` (`replay`).
* Settled states have no way out: what was delivered, refused, superseded, expired or cancelled stays so.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lgsp.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping

_GONE = {"cancel": State.CANCELLED, "supersede": State.SUPERSEDED, "expire": State.EXPIRED}

TRANSITIONS: Mapping[State, Mapping[str, State]] = MappingProxyType(
    {
        State.ACCEPTED: MappingProxyType({"schedule": State.WAITING, "hold": State.HELD, **_GONE}),
        State.WAITING: MappingProxyType({"claim": State.DELIVERING, "hold": State.HELD, **_GONE}),
        State.DELIVERING: MappingProxyType(
            {
                "deliver": State.DELIVERED,
                "retry": State.WAITING,
                "reclaim": State.DELIVERING,
                "lose": State.UNKNOWN,
                "refuse": State.REFUSED,
                "give_up": State.DEAD,
                "hold": State.HELD,
                "expire": State.EXPIRED,
            }
        ),
        State.UNKNOWN: MappingProxyType(
            {"confirm": State.DELIVERED, "deny": State.WAITING, "refuse": State.REFUSED, "give_up": State.DEAD, "cancel": State.CANCELLED}
        ),
        State.DEAD: MappingProxyType({"replay": State.WAITING, **_GONE}),
        State.HELD: MappingProxyType({"replay": State.WAITING, **_GONE}),
        State.DELIVERED: MappingProxyType({}),
        State.REFUSED: MappingProxyType({}),
        State.SUPERSEDED: MappingProxyType({}),
        State.EXPIRED: MappingProxyType({}),
        State.CANCELLED: MappingProxyType({}),
    }
)

SETTLED = frozenset(state for state, ways in TRANSITIONS.items() if not ways)
"""States that need nothing more, and that let the next message of an order key pass."""

REPLAYABLE = frozenset(state for state, ways in TRANSITIONS.items() if "replay" in ways)
"""States that a person may move back to waiting."""

SETTLEMENTS = frozenset(TRANSITIONS[State.DELIVERING].values()) - {State.DELIVERING}
"""States in which an attempt may end."""


def next_state(state: State, event: str) -> State:
    """The state after `event`; an illegal one is a fault of the program and raises ValueError."""
    try:
        return TRANSITIONS[state][event]
    except KeyError as error:
        message = f"a message that is {state} knows no event {event!r}; it knows {sorted(TRANSITIONS[state])}"
        raise ValueError(message) from error


def mermaid() -> str:
    """The table as a Mermaid state diagram, in the table's order."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.ACCEPTED}"]
    for state, ways in TRANSITIONS.items():
        lines += [f"    {state} --> {after}: {event}" for event, after in ways.items()]
        lines += [] if ways else [f"    {state} --> [*]"]
    return "\n".join(lines) + "\n"
