"""Messages at rest: lost exchanges are ended, unknown outcomes asked about and decided, dead letters replayed, corrections take a place."""

from __future__ import annotations

import asyncio

import pytest

from lgsp.errors import Fault
from lgsp.model.happening import KeyAnswer, Outcome, Reply, Settlement, State
from lgsp.model.parties import SubsystemId
from lgsp.ports.office import Decision, Filter, ReplayRun, RunState

ACCEPTED = Reply(202, b'{"state":"accepted"}', (("Content-Type", "application/json"),))


async def settle(store, make, due, state, **changes):
    closed = make.closed(due.stored.message_id, attempt=due.attempt, outcome=Outcome.FAILED, status=502)
    return await store.settle(due, Settlement(state, make.clock(), **changes), closed)


async def at_rest(store, make, state, count=1, settlement=None, **changes):
    """Messages that came to rest."""
    stored = [make.stored(**changes) for _ in range(count)]
    for each in stored:
        await store.accept(each, None, ACCEPTED)
    for due in await store.claim(stored[0].provider, count, make.clock(), 60):
        await settle(store, make, due, state, **(settlement or {"cause": "provider-failed", "blame": "provider"}))
    return stored


def state_of(store):
    async def state(stored):
        return (await store.receipt(stored.message_id, stored.consumer)).state

    return state


# ---- lost exchanges ------------------------------------------------------------------------------------------------------------------


async def test_an_exchange_that_was_never_closed_is_ended_as_unknown_and_so_is_its_key(store, make, clock):
    lost, key = make.opened(), make.key()
    await store.opened(lost, key)
    clock.at += 100

    ended = await store.close_lost(clock() - 50, clock())

    (_, closed) = await store.timeline(lost.message_id)
    holder = await store.opened(make.opened(), key)
    assert ended == 1
    assert (closed.facts["outcome"], closed.facts["cause"], closed.facts["status"]) == ("unknown", "exchange-lost", 504)
    assert (holder.message_id, holder.unknown) == (lost.message_id, True)


async def attempt(store, make, message_id, number, *, ends=True):
    await store.opened(make.opened(message_id, attempt=number))
    if ends:
        await store.closed(make.closed(message_id, attempt=number))


async def causes_of(store, message_id):
    return [(e.attempt, e.facts["cause"]) for e in await store.timeline(message_id) if e.event == "closed" and e.facts["cause"]]


@pytest.mark.parametrize("again", [1, 2])
async def test_an_attempt_whose_worker_died_is_closed_though_another_one_went_well(store, make, clock, again):
    message_id = make.new_id()
    await attempt(store, make, message_id, 1, ends=False)
    await attempt(store, make, message_id, again)
    clock.at += 100

    ended = [await store.close_lost(clock() - 50, clock()) for _ in range(2)]

    assert ended == [1, 0]
    assert await causes_of(store, message_id) == [(1, "attempt-lost")]


async def test_each_attempt_has_its_own_end(store, make, clock):
    message_id = make.new_id()
    for number, ends in [(1, True), (2, False), (1, True), (2, True), (3, False)]:
        await attempt(store, make, message_id, number, ends=ends)
    clock.at += 100
    await attempt(store, make, message_id, 4, ends=False)

    ended = await store.close_lost(clock() - 50, clock())

    assert ended == 2
    assert await causes_of(store, message_id) == [(2, "attempt-lost"), (3, "attempt-lost")]


async def test_a_closed_and_a_young_exchange_are_not_lost(store, make, clock):
    closed = make.opened()
    await store.opened(closed)
    await store.closed(make.closed(closed.message_id))
    await attempt(store, make, make.new_id(), 1)
    clock.at += 100
    await store.opened(make.opened())

    assert await store.close_lost(clock() - 50, clock()) == 0


async def test_a_lost_exchange_is_ended_once_by_however_many_nodes(store, make, clock):
    for _ in range(3):
        await store.opened(make.opened())
    clock.at += 100

    ended = await asyncio.gather(*[store.close_lost(clock() - 50, clock()) for _ in range(4)])

    assert sum(ended) == 3
    assert await store.close_lost(clock() - 50, clock()) == 0


async def test_an_exchange_that_was_young_at_one_sweep_is_found_by_a_later_one(store, make, clock):
    await store.opened(make.opened())
    early = await store.close_lost(clock() - 50, clock())
    clock.at += 100

    assert (early, await store.close_lost(clock() - 50, clock())) == (0, 1)


async def test_a_caller_may_ask_what_became_of_a_request_reply(store, make, clock):
    lost, done = make.opened(), make.opened()
    for row in (lost, done):
        await store.opened(row)
    await store.closed(make.closed(done.message_id), KeyAnswer(make.key(), Reply(200, b"{}")))
    under_way = await store.receipt(lost.message_id, lost.consumer)
    clock.at += 100
    await store.close_lost(clock() - 50, clock())

    unknown = await store.receipt(lost.message_id, lost.consumer)

    assert (under_way.state, unknown.state, unknown.cause) == (State.DELIVERING, State.UNKNOWN, "exchange-lost")
    assert (await store.receipt(done.message_id, done.consumer)).state is State.DELIVERED
    assert await store.receipt(lost.message_id, SubsystemId("VN/GOV/H99/other")) is None


# ---- unknown outcomes ----------------------------------------------------------------------------------------------------------------


async def doubtful(store, make, clock, **changes):
    """A message whose unsafe call was begun and never answered; the provider is to be asked at once."""
    stored = make.stored(**changes)
    await store.accept(stored, None, ACCEPTED)
    (due,) = await store.claim("portal", 1, clock(), 60)
    await store.begin_call(due, "sync", finished=False)
    await settle(store, make, due, State.UNKNOWN, due_at=clock(), cause="outcome-unknown", blame="provider")
    return stored


async def resolve(store, make, due, state, **changes):
    closed = make.closed(due.stored.message_id, attempt=due.attempt, outcome=Outcome.UNKNOWN, status=504)
    return await store.resolve(due, Settlement(state, make.clock(), **changes), closed)


async def test_a_message_in_doubt_is_leased_for_one_question_at_a_time(store, make, clock):
    stored = await doubtful(store, make, clock)

    batches = await asyncio.gather(*[store.claim_unknown(5, clock(), 30) for _ in range(4)])
    clock.at += 31
    again = await store.claim_unknown(5, clock(), 30)

    (due,) = [due for batch in batches for due in batch]
    assert (due.stored.message_id, due.began, due.finished, due.denials) == (stored.message_id, {"sync"}, frozenset(), 0)
    assert len(again) == 1
    assert await store.claim("portal", 5, clock(), 30) == []


async def test_what_a_person_is_to_decide_is_not_asked_about(store, make, clock):
    await at_rest(store, make, State.UNKNOWN)

    assert await store.claim_unknown(5, clock() + 1000, 30) == []


async def test_a_confirmed_message_is_delivered_with_what_the_provider_told(store, make, clock):
    stored = await doubtful(store, make, clock)
    (due,) = await store.claim_unknown(5, clock(), 30)

    assert await resolve(store, make, due, State.DELIVERED, reply=b'{"found":true}')

    receipt = await store.receipt(stored.message_id, stored.consumer)
    assert (receipt.state, receipt.reply, receipt.cause) == (State.DELIVERED, b'{"found":true}', "")


async def test_denials_are_counted_and_a_denied_message_is_sent_again_without_its_doubt(store, make, clock):
    stored = await doubtful(store, make, clock)
    (due,) = await store.claim_unknown(5, clock(), 30)
    await resolve(store, make, due, State.UNKNOWN, due_at=clock() + 5, denials=1, cause="outcome-unknown")
    early = await store.claim_unknown(5, clock(), 30)
    clock.at += 6

    (second,) = await store.claim_unknown(5, clock(), 30)
    await resolve(store, make, second, State.WAITING, due_at=clock())
    (sent,) = await store.claim("portal", 5, clock(), 30)

    assert (early, second.denials) == ([], 1)
    assert (sent.stored.message_id, sent.began, sent.attempt) == (stored.message_id, frozenset(), 1)  # what never arrived is not counted


async def test_an_answer_that_comes_after_a_person_decided_writes_nothing(store, make, clock):
    stored = await doubtful(store, make, clock)
    (due,) = await store.claim_unknown(5, clock(), 30)
    await store.decide(stored.message_id, Decision(State.DEAD, "asked by telephone", "an"), clock(), 1)

    assert await resolve(store, make, due, State.DELIVERED) is False
    assert (await store.receipt(stored.message_id, stored.consumer)).state is State.DEAD


async def test_an_unknown_outcome_cannot_become_what_no_answer_leads_to(store, make, clock):
    await doubtful(store, make, clock)
    (due,) = await store.claim_unknown(5, clock(), 30)

    with pytest.raises(ValueError, match="superseded"):
        await resolve(store, make, due, State.SUPERSEDED)


@pytest.mark.parametrize("state", [State.DELIVERED, State.WAITING, State.DEAD])
async def test_a_person_decides_once_and_leaves_an_act(store, make, clock, state):
    stored = await doubtful(store, make, clock)
    decision = Decision(state, "confirmed in their ledger", "an")

    found = await store.decide(stored.message_id, decision, clock(), 1)
    twice = await store.decide(stored.message_id, decision, clock(), 1)

    (act,) = await store.acts(5)
    assert (found, list(twice)) == ([(stored.message_id, "portal")], [])
    assert (await store.receipt(stored.message_id, stored.consumer)).state is state
    assert (act.author, act.verb, act.subject, act.facts) == ("an", f"decide_{state}", stored.message_id, {"reason": decision.reason})


async def test_what_a_person_sends_again_has_no_doubt_left(store, make, clock):
    stored = await doubtful(store, make, clock)

    await store.decide(stored.message_id, Decision(State.WAITING, "it is not there", "an"), clock(), 1)

    (due,) = await store.claim("portal", 1, clock(), 30)
    assert (due.attempt, due.began) == (1, frozenset())


async def test_many_are_counted_and_decided_by_a_filter_in_batches(store, make, clock):
    await at_rest(store, make, State.UNKNOWN, 5)
    await at_rest(store, make, State.UNKNOWN, 2, provider="land", operation="book")
    decision, chosen = Decision(State.DEAD, "not worth it", "an"), Filter(provider="portal")

    (group, _) = await store.unknown(10)
    shares = await store.count(State.UNKNOWN, chosen)
    decided = [len(await store.decide(chosen, decision, clock(), 3)) for _ in range(3)]

    assert (group.provider, group.count) == ("portal", 5)
    assert [(share.provider, share.operation, share.count) for share in shares] == [("portal", "syncDossier", 5)]
    assert decided == [3, 2, 0]
    assert [share.provider for share in await store.count(State.UNKNOWN, Filter())] == ["land"]
    assert len(await store.acts(10)) == 5


async def test_a_filter_chooses_by_when_messages_came_to_rest(store, make, clock):
    await at_rest(store, make, State.DEAD, 2)
    clock.at += 100
    await at_rest(store, make, State.DEAD, 3)

    late = await store.count(State.DEAD, Filter(since=clock() - 50))
    early = await store.count(State.DEAD, Filter(until=clock() - 50))

    assert ([share.count for share in late], [share.count for share in early]) == ([3], [2])


# ---- replay of many ------------------------------------------------------------------------------------------------------------------


LAYABLE = frozenset({State.WAITING, State.DEAD, State.HELD})


async def test_what_is_set_aside_holds_its_line_until_it_is_replayed(store, make, clock):
    ahead, behind = make.stored(order_key="H99-1"), make.stored(order_key="H99-1")
    for each in (ahead, behind):
        await store.accept(each, None, ACCEPTED)

    laid = await store.lay(ahead.message_id, Decision(State.HELD, "chờ", "an"), clock(), 1, LAYABLE)
    held = await store.claim("portal", 5, clock(), 60)
    await store.replay(ahead.message_id, "binh", clock())
    (due,) = await store.claim("portal", 5, clock(), 60)

    told = [entry.facts for entry in await store.timeline(ahead.message_id) if entry.event == "act"]
    assert (list(laid), list(held), due.stored.message_id) == ([(ahead.message_id, "portal")], [], ahead.message_id)
    assert told == [{"verb": "set_aside", "author": "an", "reason": "chờ"}, {"verb": "replay", "author": "binh"}]


async def test_what_is_taken_back_has_its_end_and_the_next_of_its_line_is_due(store, make, clock):
    ahead, behind = make.stored(order_key="H99-1"), make.stored(order_key="H99-1")
    for each in (ahead, behind):
        await store.accept(each, None, ACCEPTED)

    await store.lay(ahead.message_id, Decision(State.CANCELLED, "nhầm", "an"), clock(), 1, LAYABLE)
    again = await store.lay(ahead.message_id, Decision(State.CANCELLED, "nhầm", "an"), clock(), 1, LAYABLE)
    (due,) = await store.claim("portal", 5, clock(), 60)
    under_way = await store.lay(behind.message_id, Decision(State.CANCELLED, "nhầm", "an"), clock(), 1, LAYABLE)

    kept = await store.receipt(ahead.message_id, ahead.consumer)
    assert (kept.state, kept.settled_at, kept.cause) == (State.CANCELLED, clock(), "")
    assert (list(again), due.stored.message_id, list(under_way)) == ([], behind.message_id, [])


async def test_many_that_wait_are_counted_and_taken_back_by_a_filter(store, make, clock):
    for number in range(5):
        clock.at += 1
        await store.accept(make.stored(operation="syncDossier" if number else "other"), None, ACCEPTED)
    chosen = Filter(provider="portal", operation="syncDossier", since=clock() - 2)

    (share,) = await store.count(State.WAITING, chosen)
    laid = await store.lay(chosen, Decision(State.CANCELLED, "nhầm", "an"), clock(), 500, frozenset({State.WAITING}))

    (backlog,) = await store.backlog()
    assert (share.count, len(laid), dict(backlog.states)) == (3, 3, {"waiting": 2})


def a_run(make, rate=10.0, total=5, **chosen):
    return ReplayRun(make.new_id(), Filter(provider="portal", until=make.clock(), **chosen), rate, total, "an", make.clock())


async def test_a_run_moves_messages_at_its_rate_until_none_is_left(store, make, clock):
    await at_rest(store, make, State.DEAD, 5)
    await store.start_run(a_run(make, rate=2.0))
    owed, dead = [], []

    for _ in range(4):
        clock.at += 1
        owed.append(list(await store.work_runs(clock())))
        dead.append(sum(share.count for share in await store.count(State.DEAD, Filter())))

    (run,) = await store.runs(5)
    assert (owed, dead) == ([["portal"]] * 3 + [[]], [3, 1, 0, 0])
    assert (run.done, run.total, run.state, run.ended_at is not None) == (5, 5, RunState.DONE, True)


async def test_what_a_run_sends_again_is_an_act_of_each_message_and_not_of_the_hub(store, make, clock):
    (stored,) = await at_rest(store, make, State.DEAD)
    run = a_run(make)
    await store.start_run(run)
    clock.at += 1

    await store.work_runs(clock())

    told = [entry.facts for entry in await store.timeline(stored.message_id) if entry.event == "act"]
    assert told == [{"verb": "replay_in_run", "author": run.author, "run": run.id}]
    assert [act.verb for act in await store.acts(5)] == ["replay_many"]


async def test_nodes_that_work_at_once_move_no_more_than_the_rate(store, make, clock):
    await at_rest(store, make, State.DEAD, 8)
    await store.start_run(a_run(make, rate=3.0, total=8))
    clock.at += 1

    await asyncio.gather(*[store.work_runs(clock()) for _ in range(4)])

    assert sum(share.count for share in await store.count(State.DEAD, Filter())) == 5


async def test_a_message_that_dies_again_is_not_part_of_the_run(store, make, clock):
    await at_rest(store, make, State.DEAD, 1)
    await store.start_run(a_run(make, total=1))
    clock.at += 1
    await store.work_runs(clock())
    (due,) = await store.claim("portal", 1, clock(), 30)
    await settle(store, make, due, State.DEAD, cause="provider-failed", blame="provider")

    clock.at += 5
    await store.work_runs(clock())

    assert [share.count for share in await store.count(State.DEAD, Filter())] == [1]
    assert (await store.runs(1))[0].done == 1


async def test_two_runs_over_the_same_messages_send_each_once(store, make, clock):
    await at_rest(store, make, State.DEAD, 4)
    for _ in range(2):
        await store.start_run(a_run(make, total=4))
    clock.at += 1

    await store.work_runs(clock())

    assert len(await store.claim("portal", 10, clock(), 30)) == 4
    assert sum(run.done for run in await store.runs(5)) == 4


async def test_a_run_is_paused_resumed_and_cancelled_by_people(store, make, clock):
    await at_rest(store, make, State.DEAD, 5)
    run = a_run(make, rate=1.0)
    await store.start_run(run)

    states = []
    for wanted in (RunState.PAUSED, RunState.RUNNING, RunState.CANCELLED):
        states.append((await store.steer_run(run.id, wanted, "binh", clock())).state)
        clock.at += 1
        await store.work_runs(clock())

    assert states == [RunState.PAUSED, RunState.RUNNING, RunState.CANCELLED]
    assert (await store.runs(1))[0].done == 1
    assert await store.steer_run(run.id, RunState.RUNNING, "binh", clock()) is None
    assert await store.steer_run("nonsense", RunState.RUNNING, "binh", clock()) is None
    assert [act.verb for act in await store.acts(4)] == ["replay_cancelled", "replay_running", "replay_paused", "replay_many"]


# ---- corrections ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.DEAD, State.REFUSED, State.HELD, State.WAITING])
async def test_a_corrected_message_takes_the_place_of_the_one_it_supersedes(store, make, clock, state):
    (old,) = await at_rest(store, make, state, order_key="A", settlement={"due_at": clock() + 900} if state is State.WAITING else None)
    follower = make.stored(order_key="A")
    await store.accept(follower, None, ACCEPTED)
    new = make.stored(order_key="A", supersedes=old.message_id)

    await store.accept(new, None, ACCEPTED)

    (first,) = await store.claim("portal", 5, clock(), 30)
    await settle(store, make, first, State.DELIVERED)
    (second,) = await store.claim("portal", 5, clock(), 30)
    assert [first.stored.message_id, second.stored.message_id] == [new.message_id, follower.message_id]
    assert (await store.receipt(old.message_id, old.consumer)).state is State.SUPERSEDED


async def test_a_correction_may_be_corrected_again(store, make, clock):
    (old,) = await at_rest(store, make, State.DEAD, order_key="A")
    second = make.stored(order_key="A", supersedes=old.message_id)
    third = make.stored(order_key="A", supersedes=second.message_id)

    for each in (second, third):
        await store.accept(each, None, ACCEPTED)

    assert [due.stored.message_id for due in await store.claim("portal", 5, clock(), 30)] == [third.message_id]


@pytest.mark.parametrize(
    "changes",
    [{"consumer": SubsystemId("VN/GOV/H99/other")}, {"operation": "other"}, {"major": 2}, {"order_key": "B"}, {"order_key": None}],
)
async def test_nobody_supersedes_what_is_not_theirs_and_nothing_is_written(store, make, changes):
    (old,) = await at_rest(store, make, State.DEAD, order_key="A")
    new = make.stored(**{"order_key": "A", "supersedes": old.message_id, **changes})

    with pytest.raises(Fault, match="not-supersedable"):
        await store.accept(new, make.key(), ACCEPTED)

    assert await store.receipt(new.message_id, new.consumer) is None
    assert (await store.receipt(old.message_id, old.consumer)).state is State.DEAD
    assert await store.accept(make.stored(), make.key(), ACCEPTED) is None


@pytest.mark.parametrize("state", [State.DELIVERED, State.UNKNOWN])
async def test_what_may_have_arrived_cannot_be_superseded(store, make, state):
    (old,) = await at_rest(store, make, state)

    with pytest.raises(Fault, match="not-supersedable"):
        await store.accept(make.stored(supersedes=old.message_id), None, ACCEPTED)


async def test_a_correction_that_is_sent_twice_under_one_key_is_one(store, make):
    (old,) = await at_rest(store, make, State.DEAD, order_key="A")
    new = make.stored(order_key="A", supersedes=old.message_id)
    await store.accept(new, make.key(), ACCEPTED)

    holder = await store.accept(make.stored(order_key="A", supersedes=old.message_id), make.key(), ACCEPTED)

    assert (holder.message_id, holder.reply) == (new.message_id, ACCEPTED)


async def test_of_two_twins_at_one_time_none_is_told_accepted_if_the_first_is_refused(store, make):
    (old,) = await at_rest(store, make, State.DELIVERED, order_key="A")
    twins = [make.stored(order_key="A", supersedes=old.message_id) for _ in range(2)]

    told = await asyncio.gather(*(store.accept(each, make.key(), ACCEPTED) for each in twins), return_exceptions=True)

    assert [isinstance(each, Fault) and each.slug for each in told] == ["not-supersedable", "not-supersedable"]


async def test_another_request_at_the_same_time_is_not_told_the_refusal_of_the_first(store, make):
    (old,) = await at_rest(store, make, State.DELIVERED, order_key="A")
    first, other = make.stored(order_key="A", supersedes=old.message_id), make.stored(order_key="A")

    _, holder = await asyncio.gather(
        store.accept(first, make.key(), ACCEPTED),
        store.accept(other, make.key(fingerprint=b"o" * 32), ACCEPTED),
        return_exceptions=True,
    )

    written = await store.receipt(other.message_id, other.consumer) is not None
    assert written if holder is None else holder.fingerprint == b"f" * 32
