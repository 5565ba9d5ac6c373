"""Register, Rights, People, Directory, QuotaLeases and keys: who may do what, and how often."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from lgsp.errors import Fault
from lgsp.model.agreed import Quota
from lgsp.model.parties import Consumer, Right, SubsystemId
from lgsp.ports.office import Person

ONESTOP = Consumer(SubsystemId("VN/GOV/H99/onestop"), "c-1", "Một cửa")
RIGHT = Right(ONESTOP.id, "citizens", "citizenLookup", frozenset({"one-stop"}), frozenset({"/full_name"}), 5.0, 9.0, Quota(10, 60))


async def test_a_registered_consumer_and_its_right_stand_in_the_directory(store):
    await store.add_consumer(ONESTOP, b"m" * 32, "an", 1.0)
    await store.grant(RIGHT, "an", 2.0)
    await store.refresh()

    found = store.consumer("c-1"), store.right(ONESTOP.id, "citizens", "citizenLookup")

    assert found == (ONESTOP, RIGHT)
    assert (store.consumer("c-2"), store.right(ONESTOP.id, "citizens", "other")) == (None, None)


async def test_a_right_without_limits_stays_without_limits(store):
    wide = Right(ONESTOP.id, "citizens", "citizenLookup", frozenset())
    await store.add_consumer(ONESTOP, b"m" * 32, "an", 1.0)

    await store.grant(wide, "an", 2.0)

    assert await store.rights() == [wide]


async def test_granting_again_replaces_and_withdrawing_ends_it(store):
    await store.add_consumer(ONESTOP, b"m" * 32, "an", 1.0)
    await store.grant(RIGHT, "an", 2.0)
    await store.grant(replace(RIGHT, quota=None), "an", 3.0)

    replaced = await store.rights()
    withdrawn = await store.withdraw(RIGHT, "binh", 4.0), await store.withdraw(RIGHT, "binh", 4.0)
    await store.refresh()

    assert replaced == [replace(RIGHT, quota=None)]
    assert withdrawn == (True, False)
    assert store.right(ONESTOP.id, "citizens", "citizenLookup") is None


async def test_a_right_for_a_stranger_is_refused(store):
    with pytest.raises(Fault) as refused:
        await store.grant(RIGHT, "an", 2.0)

    assert refused.value.slug == "not-found"
    assert await store.acts(5) == []


@pytest.mark.parametrize("second", [replace(ONESTOP, client_id="c-2"), replace(ONESTOP, id=SubsystemId("VN/GOV/H99/land"))])
async def test_neither_a_subsystem_nor_a_client_id_is_registered_twice(store, second):
    added = await store.add_consumer(ONESTOP, b"m" * 32, "an", 1.0), await store.add_consumer(second, b"n" * 32, "an", 1.0)

    assert added == (True, False)
    assert await store.consumers() == [ONESTOP]


async def test_several_secrets_are_valid_at_once(store):
    await store.add_consumer(ONESTOP, b"m" * 32, "an", 1.0)

    added = await store.add_secret("c-1", b"n" * 32, "an", 2.0), await store.add_secret("c-9", b"n" * 32, "an", 2.0)

    assert added == (True, False)
    assert list(await store.secret_macs("c-1")) == [b"m" * 32, b"n" * 32]
    assert list(await store.secret_macs("c-9")) == []


async def test_a_suspended_consumer_is_seen_as_such_by_the_directory(store):
    await store.add_consumer(ONESTOP, b"m" * 32, "an", 1.0)

    known = await store.set_active("c-1", "an", 2.0, active=False), await store.set_active("c-9", "an", 2.0, active=False)
    await store.refresh()

    assert known == (True, False)
    assert store.consumer("c-1") == replace(ONESTOP, active=False)


async def test_every_writing_act_has_its_author_newest_first(store):
    await store.add_consumer(ONESTOP, b"m" * 32, "an", 1.0)
    await store.add_secret("c-1", b"n" * 32, "binh", 2.0)
    await store.set_active("c-1", "chi", 3.0, active=False)
    await store.grant(RIGHT, "dung", 4.0)
    await store.withdraw(RIGHT, "giang", 5.0)
    await store.add_person(Person("ha", "operator", "$argon2id$x"), "hanh", 6.0)

    acts = await store.acts(5)

    assert [(act.author, act.verb) for act in acts] == [
        ("hanh", "add_person"),
        ("giang", "withdraw"),
        ("dung", "grant"),
        ("chi", "suspend"),
        ("binh", "add_secret"),
    ]
    assert acts[2].facts == {"service": "citizens", "operation": "citizenLookup", "purposes": ["one-stop"]}


async def test_a_person_is_added_once(store):
    person = Person("an", "operator", "$argon2id$x")

    added = await store.add_person(person, "root", 1.0), await store.add_person(replace(person, role="admin"), "root", 1.0)

    assert added == (True, False)
    assert (await store.person("an"), await store.person("binh")) == (person, None)


async def test_leases_never_grant_more_than_the_quota(store):
    grants = await asyncio.gather(*[store.lease(ONESTOP.id, "citizens", 60, Quota(100, 60), 8) for _ in range(20)])

    assert sum(grants) == 100
    assert sorted(grants)[-12:] == [8] * 12


async def test_each_window_and_each_consumer_has_its_own_quota(store):
    quota = Quota(5, 60)
    await store.lease(ONESTOP.id, "citizens", 60, quota, 9)

    grants = [
        await store.lease(ONESTOP.id, "citizens", 60, quota, 1),
        await store.lease(ONESTOP.id, "citizens", 120, quota, 9),
        await store.lease(SubsystemId("VN/GOV/H99/land"), "citizens", 60, quota, 9),
        await store.lease(ONESTOP.id, "citizens", 60, Quota(7, 60), 9),
        await store.lease(ONESTOP.id, "citizens", 60, Quota(3, 60), 9),
    ]

    assert grants == [0, 5, 5, 2, 0]


async def test_a_key_is_made_once(store):
    made = await store.load_or_create_key("sign", lambda: b"private"), await store.load_or_create_key("sign", lambda: b"other")

    assert made[0] == made[1]
    assert made[0][1] == b"private"
