"""What consumers use is counted without values, and a change of a contract is crossed with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgsp.acts.usage import affected_by, whom_it_breaks
from lgsp.contract.diff.change import change
from lgsp.drivers.usage import EVERY, FIRST, fields_of
from lgsp.errors import Fault
from lgsp.model.agreed import Service
from lgsp.model.catalogue import Catalogue
from lgsp.model.parties import Consumer, Right, SubsystemId
from lgsp.model.usage import Use
from lgsp.policy.compatibility import Side
from lgsp.policy.usage import Touch, meets
from tests.unit.office import NOW, make_office
from tests.unit.small_hub import DESK, OPERATION, PROVIDER, SmallHub

HEALTH = SubsystemId("VN/GOV/H99/health")
USE = Use(
    DESK, "parcels", 1, "find", int(NOW), 5, frozenset({"/name", "/parameter/page"}), frozenset({"/places", "/places/*/code", "/owner"})
)


async def used(hub: SmallHub) -> list[Use]:
    await hub.usage.flush(hub.now, at_once=True)
    return list(await hub.store.uses("parcels", 1, 0))


async def test_what_was_sent_and_what_was_given_out_is_counted_by_its_places() -> None:
    hub = await SmallHub(fields=frozenset({"name", "places.code"})).open()

    for _ in range(3):
        await hub.carry({"name": "Lê Bình", "number": "1", "places": [{"code": "01", "detail": "x"}, {"code": "02"}]})

    (found,) = await used(hub)
    assert (found.consumer, found.operation, found.count) == (DESK, "find", 3)
    assert found.sent == {"/name", "/number", "/places", "/places/*/code", "/places/*/detail"}
    assert found.got == {"/name", "/places", "/places/*/code"}


async def test_what_was_refused_is_not_used() -> None:
    hub = await SmallHub().open()

    with pytest.raises(Fault):
        await hub.carry({})

    assert await used(hub) == []


async def test_a_rare_field_is_seen_sooner_or_later_and_every_use_counts() -> None:
    hub = await SmallHub().open()
    for _ in range(FIRST):
        await hub.carry()
    await used(hub)

    for _ in range(EVERY):
        await hub.carry({"name": "x", "note": "y"})

    (found,) = await used(hub)
    assert (found.count, "/note" in found.got) == (FIRST + EVERY, True)


def test_a_name_that_is_no_name_of_a_field_is_not_kept() -> None:
    assert fields_of({"people": {"012345678901": {"name": "An"}}}) == {"/people", "/people/*", "/people/*/name"}


def test_a_huge_value_is_looked_at_in_part_only() -> None:
    assert fields_of([{"a": {"b": 1}}] * 100_000) == {"/*/a", "/*/a/b"}


@pytest.mark.parametrize(
    ("touch", "is_met"),
    [
        (("find", Side.ANSWER, "/owner", "field-refused"), True),
        (("find", Side.ANSWER, "/kind", "field-refused"), False),
        (("find", Side.ANSWER, "/places", "type-changed"), True),
        (("find", Side.ANSWER, "/places/*", "type-changed"), True),
        (("find", Side.ANSWER, "/places/*/detail", "field-removed"), False),
        (("find", Side.REQUEST, "/owner", "field-refused"), False),
        (("find", Side.REQUEST, "/note", "field-added-required"), True),
        (("find", Side.REQUEST, "/deep/note", "field-added-required"), False),
        (("find", Side.REQUEST, "/note", "field-required"), True),
        (("find", Side.ANSWER, "/note", "field-optional"), False),
        (("find", Side.REQUEST, "/query/page", "parameter-removed"), True),
        (("find", Side.REQUEST, "/query/size", "parameter-removed"), False),
        (("find", Side.REQUEST, "/query/size", "parameter-added-required"), True),
        (("find", Side.REQUEST, "", "operation-removed"), True),
        (("count", Side.REQUEST, "", "operation-removed"), False),
    ],
)
def test_a_change_meets_who_used_its_place(touch: tuple[str, Side, str, str], is_met: bool) -> None:
    assert meets(Touch(*touch), USE) is is_met


async def test_a_change_tells_whom_it_breaks_of_all_who_may_use_the_service() -> None:
    hub = await SmallHub().open()
    service = Service("parcels", 1, "1.0.0", {}, (OPERATION,), {}, "d1")
    office = make_office(hub.store, Catalogue([service], [PROVIDER], "d1"))
    await hub.store.add_consumer(Consumer(HEALTH, "health", "Sở Y tế"), b"mac", "test", NOW)
    await hub.store.grant(Right(HEALTH, "parcels", "find", frozenset()), "test", NOW)
    await hub.store.set_contact(DESK, "Tổ một cửa", "test", NOW)
    await hub.store.add_uses([USE, replace(USE, consumer=HEALTH, got=frozenset({"/kind"}))])

    found = await affected_by(office, [Touch("find", Side.ANSWER, "/owner", "field-refused")], "parcels", 1)

    (met,) = found.affected
    assert (found.consumers, met.consumer, met.title, met.contact) == (2, DESK, "Một cửa", "Tổ một cửa")
    assert (met.count, met.changes, met.fields) == (5, (0,), ("/owner",))


async def test_publishing_tells_in_one_sentence_whom_its_breaking_changes_meet() -> None:
    hub = await SmallHub().open()
    office = make_office(hub.store, Catalogue([Service("parcels", 1, "1.0.0", {}, (OPERATION,), {}, "d1")], [PROVIDER], "d1"))
    await hub.store.set_contact(DESK, "Tổ một cửa", "test", NOW)
    await hub.store.add_uses([USE])

    used = await whom_it_breaks(office, [change("field-refused", "parcels/1 find", Side.ANSWER, "/owner")])
    unused = await whom_it_breaks(office, [change("field-refused", "parcels/1 find", Side.ANSWER, "/kind")])
    gone = await whom_it_breaks(office, [change("operation-removed", "parcels/1", Side.REQUEST)])

    assert used == "parcels/1: breaks 1 of 1 consumers: VN/GOV/H99/onestop (/owner; Tổ một cửa)."
    assert unused == "parcels/1: breaks 0 of 1 consumers."
    assert gone == "parcels/1: breaks 1 of 1 consumers: VN/GOV/H99/onestop (all; Tổ một cửa)."
