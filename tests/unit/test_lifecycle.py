"""The state table of stored messages."""

from __future__ import annotations

import pytest

from lgsp.model.happening import State
from lgsp.policy.lifecycle import REPLAYABLE, SETTLED, SETTLEMENTS, TRANSITIONS, mermaid, next_state


def test_every_state_stands_in_the_table() -> None:
    assert set(TRANSITIONS) == set(State)


def test_every_state_can_be_reached_from_accepted() -> None:
    reached, edge = {State.ACCEPTED}, [State.ACCEPTED]
    while edge:
        fresh = set(TRANSITIONS[edge.pop()].values()) - reached
        reached |= fresh
        edge += fresh

    assert reached == set(State)


def test_every_state_has_a_way_to_a_settled_one() -> None:
    good = set(SETTLED)
    while more := {s for s, ways in TRANSITIONS.items() if s not in good and good & set(ways.values())}:
        good |= more

    assert good == set(State)


def test_settled_are_the_states_that_let_the_next_of_an_order_pass() -> None:
    assert {State.DELIVERED, State.REFUSED, State.CANCELLED, State.SUPERSEDED, State.EXPIRED} == SETTLED


def test_only_dead_and_held_can_be_replayed() -> None:
    assert {State.DEAD, State.HELD} == REPLAYABLE


def test_an_attempt_never_ends_as_accepted_or_delivering() -> None:
    assert {State.DELIVERED, State.WAITING, State.UNKNOWN, State.REFUSED, State.DEAD, State.HELD, State.EXPIRED} == SETTLEMENTS


def test_a_known_event_leads_on() -> None:
    assert next_state(State.WAITING, "claim") is State.DELIVERING


@pytest.mark.parametrize(("state", "event"), [(State.DELIVERED, "replay"), (State.WAITING, "deliver"), (State.UNKNOWN, "replay")])
def test_an_illegal_event_is_refused_by_name(state: State, event: str) -> None:
    with pytest.raises(ValueError, match=f"{state}.*{event}"):
        next_state(state, event)


def test_the_diagram_shows_every_arrow_once() -> None:
    lines = mermaid().splitlines()

    arrows = [f"    {state} --> {after}: {event}" for state, ways in TRANSITIONS.items() for event, after in ways.items()]
    assert [line for line in lines if ":" in line] == arrows
