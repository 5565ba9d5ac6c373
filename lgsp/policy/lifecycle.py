"""The states of a stored message: one table, from which the README's diagram is drawn.

Rules that the table holds:

* A message leaves `delivering` only through a settlement of the worker that holds its lease, or through an ended lease (`reclaim`).
* `unknown` waits for a confirmation or a denial by the provider's `reconcile` operation (`ask`), or for a person; it is never simply sent
  again.
* Only a person moves `dead` or `held` back to `waiting` (`replay`).
* Settled states are never sent again: what was delivered, refused, superseded, expired or cancelled stays so. A refused message may be
  marked as superseded by its correction.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lgsp.model.happening import Outcome, State

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
            {
                "confirm": State.DELIVERED,
                "deny": State.WAITING,
                "ask": State.UNKNOWN,
                "refuse": State.REFUSED,
                "give_up": State.DEAD,
                "cancel": State.CANCELLED,
            }
        ),
        State.DEAD: MappingProxyType({"replay": State.WAITING, **_GONE}),
        State.HELD: MappingProxyType({"replay": State.WAITING, **_GONE}),
        State.DELIVERED: MappingProxyType({}),
        State.REFUSED: MappingProxyType({"supersede": State.SUPERSEDED}),
        State.SUPERSEDED: MappingProxyType({}),
        State.EXPIRED: MappingProxyType({}),
        State.CANCELLED: MappingProxyType({}),
    }
)

SETTLED = frozenset(state for state, ways in TRANSITIONS.items() if set(ways) <= {"supersede"})
"""States that need nothing more, and that let the next message of an order key pass."""


def lets_pass(state: State, *, skips_dead: bool) -> bool:
    """Whether the next message of its order key may go; a dead one lets it where its manifest says `on_dead: skip`."""
    return state in SETTLED or (skips_dead and state is State.DEAD)


REPLAYABLE = frozenset(state for state, ways in TRANSITIONS.items() if "replay" in ways)
"""States that a person may move back to waiting."""

BY_PEOPLE: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        after: frozenset(state for state, ways in TRANSITIONS.items() if ways.get(event) is after and state is not State.DELIVERING)
        for event, after in (("hold", State.HELD), ("cancel", State.CANCELLED))
    }
)
"""What a person may set aside or take back: nothing that is under way."""
LAYINGS: Mapping[State, str] = MappingProxyType({State.HELD: "set_aside", State.CANCELLED: "cancel"})
"""The acts that lead there."""

IN_RUN = "replay_in_run"
"""The act of a replay run about one message: told with that message, not among the acts of the hub, where the run itself stands."""
ACT_FACTS = ("reason", "run")
"""Of an act's facts those that are told with the message."""

SETTLEMENTS = frozenset(TRANSITIONS[State.DELIVERING].values()) - {State.DELIVERING}
"""States in which an attempt may end."""

RESOLUTIONS = frozenset(TRANSITIONS[State.UNKNOWN].values())
"""States to which an unknown outcome may be resolved; `unknown` itself where the answer settles nothing yet."""

SUPERSEDABLE = frozenset(state for state, ways in TRANSITIONS.items() if "supersede" in ways)
"""States in which a corrected message may take a message's place."""

COMES_AGAIN = SETTLEMENTS & (REPLAYABLE | {State.WAITING})
"""Those of them after which there may be another attempt. They are chosen only where it is certain that no call of this attempt acted
without being recorded as finished, so what the attempt had begun no longer stands in the way of the next (else it would be `unknown`)."""

EXCHANGE_ENDS: Mapping[str, State] = MappingProxyType({Outcome.DELIVERED: State.DELIVERED, Outcome.UNKNOWN: State.UNKNOWN})
"""How a request-reply that reached its provider stands for whom asks later; every other outcome is a refusal that its caller heard of."""


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
        lines += [f"    {state} --> [*]"] if state in SETTLED else []
    return "\n".join(lines) + "\n"
