"""Uses: counts of a day add up, fields are known by the day on which they were last seen, both are forgotten; contacts are acts."""

from __future__ import annotations

from dataclasses import replace

from lgsp.model.parties import Consumer, SubsystemId
from lgsp.model.usage import Use
from ports.conftest import CONSUMER

DAY = 1_799_971_200
USE = Use(CONSUMER, "citizens", 1, "citizenLookup", DAY, 3, frozenset({"/citizen_id"}), frozenset({"/citizens", "/citizens/*/name"}))
OTHER = SubsystemId("VN/GOV/H99/health")


async def test_counts_of_days_add_up_by_consumer_and_operation(store):
    await store.add_uses([USE, replace(USE, consumer=OTHER, count=1)])
    await store.add_uses([replace(USE, day=DAY + 86_400, sent=frozenset({"/full_name"}), got=frozenset())])

    found = await store.uses("citizens", 1, 0)

    assert found == [
        replace(USE, consumer=OTHER, count=1),
        replace(USE, day=DAY + 86_400, count=6, sent=frozenset({"/citizen_id", "/full_name"})),
    ]
    assert await store.uses("citizens", 2, 0) == await store.uses("dossiers", 1, 0) == []


async def test_only_what_was_seen_since_then_is_told(store):
    await store.add_uses([USE, replace(USE, day=DAY + 86_400, sent=frozenset({"/full_name"}), got=frozenset())])

    (found,) = await store.uses("citizens", 1, DAY + 1)

    assert (found.count, found.sent, found.got) == (3, frozenset({"/full_name"}), frozenset())


async def test_a_field_that_is_seen_again_is_young_again_and_an_older_day_does_not_age_it(store):
    later = replace(USE, day=DAY + 86_400)
    await store.add_uses([USE])
    await store.add_uses([later])
    await store.add_uses([USE])

    (found,) = await store.uses("citizens", 1, DAY + 1)

    assert (found.sent, found.got) == (USE.sent, USE.got)


async def test_what_is_old_is_forgotten(store):
    await store.add_uses([USE, replace(USE, day=DAY + 86_400, sent=frozenset({"/full_name"}), got=frozenset())])

    await store.forget_uses(DAY + 1.0)

    (found,) = await store.uses("citizens", 1, 0)
    assert (found.count, found.sent, found.got) == (3, frozenset({"/full_name"}), frozenset())


async def test_a_contact_is_kept_changed_and_taken_away_each_by_an_act(store, clock):
    await store.add_consumer(Consumer(CONSUMER, "c-1", "Một cửa"), b"mac", "test", clock())
    await store.set_contact(CONSUMER, "Tổ một cửa", "chi", clock())

    before = dict(await store.contacts())
    gone = await store.set_contact(CONSUMER, "", "chi", clock())
    unknown = await store.set_contact(OTHER, "x", "chi", clock())

    assert (before, dict(await store.contacts()), gone, unknown) == ({CONSUMER: "Tổ một cửa"}, {}, True, False)
    assert [(act.author, act.verb, act.subject) for act in await store.acts(2)] == [("chi", "set_contact", CONSUMER)] * 2
