"""What people do to messages at rest: decide unknown outcomes, replay many; what is refused, and who is rung."""

from __future__ import annotations

import pytest

from lgsp.acts import aside, decide, replay
from lgsp.drivers.memory import MemoryStore
from lgsp.errors import Fault
from lgsp.model.happening import Closed, Outcome, Reply, Settlement, State, Stored
from lgsp.model.parties import Purpose
from lgsp.ports.office import Decision, Filter, RunState
from tests.unit.office import NOW, make_office
from tests.unit.small_hub import DESK

AGAIN = Decision(State.WAITING, "not in their ledger", "lan")


@pytest.fixture
def store():
    return MemoryStore(lambda: NOW)


@pytest.fixture
def office(store):
    return make_office(store)


def a_message(number: int) -> Stored:
    name = f"0190f3c2-7a10-7c3e-9d4b-5a1f{number:08d}"
    keys = {"order_key": None, "business_key": None, "digest": "d", "trace_id": "0" * 32}
    return Stored(name, DESK, "parcels", 1, "register", "land", Purpose(), {}, b"{}", accepted_at=NOW, deadline_at=NOW + 60, **keys)


async def at_rest(store: MemoryStore, state: State, count: int = 1) -> list[str]:
    for number in range(count):
        await store.accept(a_message(number), None, Reply(202, b"{}"))
    for due in await store.claim("land", count, NOW, 30):
        facts = (due.stored.message_id, 1, NOW, DESK, "parcels", "register", Outcome.FAILED, 502, "provider", "x", b"", 1, (), "0" * 32)
        await store.settle(due, Settlement(state, NOW, cause="provider-failed", blame="provider"), Closed(*facts))
    return [a_message(number).message_id for number in range(count)]


async def test_a_decision_rings_for_what_may_be_sent_now(office, store):
    (message_id,) = await at_rest(store, State.UNKNOWN)

    provider = await decide.decide(office, message_id, AGAIN)

    assert (provider, office.bell.rings) == ("land", [("land", (message_id,))])


async def test_a_decision_about_what_is_not_in_doubt_is_refused_by_its_reason(office, store):
    (message_id,) = await at_rest(store, State.DEAD)

    with pytest.raises(Fault, match="not-unknown"):
        await decide.decide(office, message_id, AGAIN)
    with pytest.raises(Fault, match="not-found"):
        await decide.decide(office, "nothing", AGAIN)


async def test_many_are_counted_first_and_then_decided(office, store):
    await at_rest(store, State.UNKNOWN, 3)

    (share,) = await decide.count(office, Filter(provider="land"))
    decided = await decide.decide_many(office, Filter(cause="provider-failed"), AGAIN)

    assert (share.count, decided, await decide.unknown(office, 10)) == (3, 3, [])


async def test_what_is_taken_back_rings_for_those_behind_it_and_what_has_its_end_is_refused(office, store):
    (message_id,) = await at_rest(store, State.DEAD)
    taken_back = Decision(State.CANCELLED, "sent by mistake", "lan")

    provider = await aside.lay(office, message_id, taken_back)

    assert (provider, office.bell.rings) == ("land", [("land", (message_id,))])
    with pytest.raises(Fault, match="not-movable"):
        await aside.lay(office, message_id, taken_back)
    with pytest.raises(Fault, match="not-found"):
        await aside.lay(office, "nothing", taken_back)


async def test_dead_letters_are_counted_and_taken_back_by_a_filter_and_not_set_aside(office, store):
    await at_rest(store, State.DEAD, 3)
    chosen = Filter(provider="land")

    (share,) = await aside.count(office, chosen, State.DEAD)
    with pytest.raises(Fault, match="not-movable"):
        await aside.lay_many(office, chosen, Decision(State.HELD, "later", "lan"), State.DEAD)

    assert (share.count, await aside.lay_many(office, chosen, Decision(State.CANCELLED, "old", "lan"), State.DEAD)) == (3, 3)


@pytest.mark.parametrize("chosen", [Filter(), Filter(since=NOW)])
async def test_a_filter_that_chooses_everything_is_refused(office, chosen):
    for act in (decide.count(office, chosen), decide.decide_many(office, chosen, AGAIN), replay.start(office, chosen, 1.0, "lan")):
        with pytest.raises(Fault, match="body-invalid"):
            await act


async def test_a_dry_run_says_how_many_to_whom_at_which_rate_until_when(office, store):
    await at_rest(store, State.DEAD, 4)

    plan = await replay.plan(office, Filter(provider="land"), 2.0)

    assert (plan.total, [share.provider for share in plan.shares], plan.rate, plan.until) == (4, ["land"], 2.0, NOW + 2)
    assert await replay.runs(office) == []


async def test_a_run_that_has_ended_is_steered_no_more(office, store):
    await at_rest(store, State.DEAD)
    run = await replay.start(office, Filter(provider="land"), 1.0, "lan")
    await replay.steer(office, run.id, RunState.CANCELLED, "lan")

    with pytest.raises(Fault, match="run-ended"):
        await replay.steer(office, run.id, RunState.RUNNING, "lan")
    with pytest.raises(Fault, match="not-found"):
        await replay.steer(office, "nothing", RunState.RUNNING, "lan")
