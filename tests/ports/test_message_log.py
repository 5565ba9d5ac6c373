"""MessageLog: what happened, append only, with the keys that are served once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from lgsp.model.happening import KeyAnswer, Reply

REPLY = Reply(200, '{"full_name":"Nguyễn Văn Mẫu"}'.encode(), (("Content-Type", "application/json"),))


async def events(store, message_id):
    return [entry.event for entry in await store.timeline(message_id)]


async def test_opened_and_closed_are_told_in_order_without_identifiers_of_people(store, make):
    row = make.opened()

    await store.opened(row)
    await store.closed(make.closed(row.message_id, at=row.at + 1))

    opened, closed = await store.timeline(row.message_id)
    assert (opened.event, opened.at, opened.facts["provider"]) == ("opened", row.at, "population")
    assert (closed.event, closed.facts["outcome"], closed.facts["status"]) == ("closed", "delivered", 200)
    assert closed.facts["stages"] == (("identify", 12), ("deliver", 1000))
    assert "CB-0001" not in f"{opened}{closed}"
    assert "H99.12.34" not in f"{opened}{closed}"


async def test_the_first_claim_of_a_key_goes_on_and_the_second_is_told_who_holds_it(store, make):
    first, second = make.opened(), make.opened()

    answers = [await store.opened(first, make.key()), await store.opened(second, make.key())]

    assert answers[0] is None
    assert (answers[1].message_id, answers[1].fingerprint, answers[1].reply) == (first.message_id, b"f" * 32, None)
    assert await events(store, second.message_id) == []


async def test_of_many_claims_at_once_exactly_one_goes_on(store, make):
    rows = [make.opened() for _ in range(50)]

    answers = await asyncio.gather(*[store.opened(row, make.key()) for row in rows])

    winners = [row.message_id for row, answer in zip(rows, answers, strict=True) if answer is None]
    assert len(winners) == 1
    assert {answer.message_id for answer in answers if answer} == set(winners)


async def test_a_finished_key_gives_back_the_stored_answer(store, make):
    row, claim = make.opened(), make.key()
    await store.opened(row, claim)

    await store.closed(make.closed(row.message_id), KeyAnswer(claim, REPLY))

    holder = await store.opened(make.opened(), claim)
    assert holder.reply == REPLY


async def test_a_released_key_may_be_claimed_by_the_next(store, make):
    row, claim = make.opened(), make.key()
    await store.opened(row, claim)

    await store.closed(make.closed(row.message_id), KeyAnswer(claim))

    assert await store.opened(make.opened(), claim) is None


async def test_a_key_whose_outcome_is_unknown_says_so(store, make):
    row, claim = make.opened(), make.key()
    await store.opened(row, claim)

    await store.closed(make.closed(row.message_id), KeyAnswer(claim, unknown=True))

    holder = await store.opened(make.opened(), claim)
    assert (holder.unknown, holder.reply) == (True, None)


async def test_a_key_whose_exchange_died_is_unknown_after_a_while(store, make, clock):
    row, claim = make.opened(), make.key()
    await store.opened(row, claim)
    clock.at += 901

    holder = await store.opened(make.opened(), claim)

    assert (holder.message_id, holder.unknown) == (row.message_id, True)


async def test_only_the_holder_settles_its_key(store, make):
    row, stranger, claim = make.opened(), make.opened(), make.key()
    await store.opened(row, claim)

    await store.closed(make.closed(stranger.message_id), KeyAnswer(claim))

    assert (await store.opened(make.opened(), claim)).message_id == row.message_id


async def test_an_expired_key_is_claimed_anew(store, make, clock):
    await store.opened(make.opened(), make.key(expires_at=clock() + 10))
    clock.at += 11

    fresh = make.opened()

    assert await store.opened(fresh, make.key()) is None
    assert (await store.opened(make.opened(), make.key())).message_id == fresh.message_id


async def test_a_key_belongs_to_one_consumer_and_one_operation(store, make):
    claim = make.key()
    others = [claim, replace(claim, consumer="VN/GOV/H99/health"), replace(claim, operation="citizens/1/other"), replace(claim, key="k-2")]

    answers = [await store.opened(make.opened(), each) for each in others]

    assert answers == [None] * 4


async def test_a_thousand_exchanges_at_once_each_have_both_rows(store, make):
    rows = [make.opened() for _ in range(1000)]

    async def exchange(row):
        await store.opened(row)
        await store.closed(make.closed(row.message_id))

    await asyncio.gather(*map(exchange, rows))

    assert [await events(store, row.message_id) for row in rows[::97]] == [["opened", "closed"]] * 11
