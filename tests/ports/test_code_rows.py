"""CodeRows: proposed by one, decided once, approved rows reach every node, and what was held for one goes on."""

from __future__ import annotations

from dataclasses import replace

from lgsp.drivers.cipher import Cipher
from lgsp.drivers.store import open_store
from lgsp.model.code_tables import CodeRow, RowState
from lgsp.model.happening import Reply, Settlement, State
from ports.conftest import MASTER_KEY


def row(make, **changes):
    return replace(
        CodeRow(make.new_id(), "portal", "land_kinds", "cao su", 7, "Thông tư 12", "an", 10.0, valid_from="2026-07-01"), **changes
    )


async def test_a_proposed_row_is_listed_with_its_codes_as_they_are_and_holds_not_yet(store, make):
    one, other = row(make), row(make, table="others")
    await store.propose_row(one)
    await store.propose_row(other)

    assert await store.proposed_rows("portal", "land_kinds") == [one]
    assert list(store.code_rows()) == []
    act = (await store.acts(2))[1]
    assert (act.author, act.verb, act.subject, act.facts["ours"], act.facts["theirs"]) == (
        "an",
        "propose_row",
        "portal/land_kinds",
        "cao su",
        7,
    )


async def test_a_row_is_decided_once_by_somebody_with_an_act(store, make):
    one = row(make)
    await store.propose_row(one)

    decided = await store.decide_row(one.id, RowState.APPROVED, "chi", 20.0)

    assert decided == replace(one, state=RowState.APPROVED, decided_by="chi", decided_at=20.0)
    assert list(store.code_rows()) == await store.proposed_rows("portal", "land_kinds") == [decided]
    assert [await store.decide_row(each, RowState.REJECTED, "chi", 30.0) for each in (one.id, make.new_id(), "nonsense")] == [None] * 3
    act = (await store.acts(1))[0]
    assert (act.author, act.verb, act.subject, act.facts["row"]) == ("chi", "approve_row", "portal/land_kinds", one.id)


async def test_a_rejected_row_never_holds(store, make):
    one = row(make)
    await store.propose_row(one)

    await store.decide_row(one.id, RowState.REJECTED, "an", 20.0)

    assert list(store.code_rows()) == []


async def test_another_node_sees_an_approved_row_at_its_next_look(store, store_url, make, clock):
    if store_url is None:
        return  # the driver in memory has no other node
    other = await open_store(store_url, Cipher(MASTER_KEY), clock)
    one = row(make)
    await store.propose_row(one)
    await store.decide_row(one.id, RowState.APPROVED, "chi", 20.0)

    await other.refresh()

    assert [each.id for each in other.code_rows()] == [one.id]
    await other.close()


async def test_what_was_held_for_this_cause_goes_on_with_its_whole_time(store, make, clock):
    held, elsewhere, otherwise = make.stored(), make.stored(provider="population"), make.stored()
    for stored, cause in ((held, "code-unknown"), (elsewhere, "code-unknown"), (otherwise, "else")):
        await store.accept(stored, None, Reply(202, b"{}"))
        (due,) = await store.claim(stored.provider, 10, clock(), 30.0)
        settlement = Settlement(State.HELD, clock(), cause=cause, blame="platform", status=503)
        await store.settle(due, settlement, make.closed(stored.message_id, attempt=1))
    clock.at += 100

    moved = await store.go_on("portal", "code-unknown", clock())

    claimed = await store.claim("portal", 10, clock(), 30.0)
    assert (moved, await store.go_on("portal", "code-unknown", clock())) == (1, 0)
    assert [(due.stored.message_id, due.attempt, due.stored.deadline_at) for due in claimed] == [(held.message_id, 1, clock() + 3600)]
