"""Enforcements and Quarantine: orders reach every node, contents are sealed and read by act only, counts add up, and both are forgotten."""

from __future__ import annotations

from dataclasses import replace

from lgsp.drivers.cipher import Cipher
from lgsp.drivers.store import open_store
from lgsp.drivers.store.judgement_tables import suspect as suspect_table
from lgsp.model.conformity import Conformance, Enforcement, Rigour, Suspect
from ports.conftest import MASTER_KEY

ORDER = Enforcement("e-1", "citizens", Rigour.BLOCK, 10.0, 90.0, "nghiệm thu", "an")
HOUR = 1_800_000_000
COUNT = Conformance("population", "citizens", "citizenLookup", HOUR, 10, 1)


def suspect(make, **changes):
    found = Suspect(
        id=make.new_id(),
        message_id=make.new_id(),
        at=100.0,
        provider="population",
        service="citizens",
        operation="citizenLookup",
        call="TraCuu",
        rigour=Rigour.TOLERANT,
        passed=False,
        is_ours=False,
        places=(("/HoTen", "is missing", "required"),),
        size_bytes=14,
        content=b"<HoTen>An</HoTen>",
    )
    return replace(found, **changes)


async def test_an_order_stands_at_once_takes_the_place_of_the_one_before_and_leaves_an_act(store):
    await store.enforce(ORDER)
    later = replace(ORDER, id="e-2", rigour=Rigour.WARN, from_at=20.0)

    await store.enforce(later)

    assert list(store.enforcements()) == [later]
    act = (await store.acts(1))[0]
    assert (act.author, act.verb, act.subject, act.facts["replies"], act.facts["reason"]) == (
        "an",
        "enforce",
        "citizens",
        "warn",
        "nghiệm thu",
    )


async def test_another_node_sees_an_order_and_its_end_at_its_next_look(store, store_url, clock):
    if store_url is None:
        return  # the driver in memory has no other node
    other = await open_store(store_url, Cipher(MASTER_KEY), clock)
    await store.enforce(ORDER)
    await other.refresh()
    seen = list(other.enforcements())

    await store.end_enforcement("citizens", "chi", 20.0)
    await other.refresh()

    assert (seen, list(other.enforcements())) == ([ORDER], [])
    await other.close()


async def test_an_order_is_ended_once(store):
    await store.enforce(ORDER)

    ended = [await store.end_enforcement("citizens", "chi", at) for at in (20.0, 30.0)]
    await store.enforce(ORDER)
    over = await store.end_enforcement("citizens", "chi", 90.0)

    assert (ended, over) == ([True, False], False)


async def test_suspects_are_listed_newest_first_by_provider_and_service_without_their_contents(store, make):
    old, new = suspect(make), suspect(make, at=200.0, provider="portal", service="dossiers")
    await store.add_suspects([old, new])

    assert await store.suspects(10) == [replace(new, content=b""), replace(old, content=b"")]
    assert [each.id for each in await store.suspects(1)] == [new.id]
    assert [each.id for each in await store.suspects(10, "population")] == [old.id]
    assert [each.id for each in await store.suspects(10, "population", "dossiers")] == []


async def test_a_content_is_read_by_act_only(store, make):
    one = suspect(make)
    await store.add_suspects([one])

    found = await store.suspect(one.id, "chi", 300.0)

    act = (await store.acts(1))[0]
    assert found == one
    assert (act.author, act.verb, act.subject, act.facts) == ("chi", "read_quarantine", one.message_id, {"suspect": one.id})
    assert [await store.suspect(each, "chi", 300.0) for each in (make.new_id(), "nonsense")] == [None, None]


async def test_a_content_is_ciphertext_in_the_database(store, store_url, make):
    if store_url is None:
        return  # memory seals nothing
    await store.add_suspects([suspect(make)])

    async with store.core.engine.connect() as connection:
        (row,) = (await connection.execute(suspect_table.select())).all()

    assert b"HoTen" not in row.content


async def test_counts_of_an_hour_add_up_and_are_summed_from_a_moment_on(store):
    await store.add_conformance([COUNT, replace(COUNT, hour=HOUR - 3600, answers=5, invalid=5)])
    await store.add_conformance([replace(COUNT, provider="portal"), COUNT])

    found = await store.conformance(HOUR)

    assert found == [replace(COUNT, answers=20, invalid=2), replace(COUNT, provider="portal")]
    assert (await store.conformance(0))[0] == replace(COUNT, answers=25, invalid=7)


async def test_what_is_old_is_forgotten(store, make):
    old, new = suspect(make), suspect(make, at=200.0)
    await store.add_suspects([old, new])
    await store.add_conformance([COUNT, replace(COUNT, hour=HOUR - 3600)])

    forgotten = await store.forget_answers(150.0, float(HOUR))

    assert (forgotten, [each.id for each in await store.suspects(10)], await store.conformance(0)) == (1, [new.id], [COUNT])
