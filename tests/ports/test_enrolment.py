"""What consumers prove themselves with in WS-Security: three drivers, the same promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from lgsp.drivers.cipher import Cipher
from lgsp.drivers.store import migrate, open_store, tables
from lgsp.errors import Fault
from lgsp.model.parties import Consumer, Enrolled, SubsystemId
from tests.ports.conftest import CONSUMER, MASTER_KEY

if TYPE_CHECKING:
    from tests.ports.conftest import Clock

OTHER = SubsystemId("VN/GOV/H99/y-te")
PAPER = Enrolled(CONSUMER, "ab" * 32, "CN=một cửa", "-----BEGIN CERTIFICATE-----", 2_000_000_000.0)
SECRET = "mật khẩu dùng cho chữ ký số"


@pytest.fixture
async def register(store: Any, clock: Clock) -> Any:
    await store.add_consumer(Consumer(CONSUMER, "client-1", "Một cửa"), b"mac", "test", clock())
    await store.add_consumer(Consumer(OTHER, "client-2", "Y tế"), b"mac", "test", clock())
    return store


async def test_a_subsystem_is_found_by_its_code(register: Any) -> None:
    assert register.subsystem(CONSUMER).client_id == "client-1"
    assert register.subsystem(SubsystemId("VN/GOV/H99/nobody")) is None


async def test_a_certificate_belongs_to_one_consumer_until_it_is_ended(register: Any, clock: Clock) -> None:
    assert await register.enrol(PAPER, "an", clock())
    assert not await register.enrol(replace(PAPER, consumer=OTHER), "an", clock())

    assert list(register.certificates()) == [PAPER]
    assert not await register.end_enrolment(OTHER, PAPER.fingerprint, "an", clock())
    assert await register.end_enrolment(CONSUMER, PAPER.fingerprint, "an", clock())
    assert list(register.certificates()) == []
    with pytest.raises(Fault, match="not-found"):
        await register.enrol(replace(PAPER, consumer=SubsystemId("VN/GOV/H99/nobody")), "an", clock())


async def test_of_passwords_the_two_newest_are_valid(register: Any, clock: Clock) -> None:
    for password in ("một", "hai", "ba"):
        assert await register.add_wss_password(CONSUMER, password, "an", clock())

    assert list(register.wss_passwords(CONSUMER)) == ["ba", "hai"]
    assert list(register.wss_passwords(OTHER)) == []
    assert not await register.add_wss_password(SubsystemId("VN/GOV/H99/nobody"), "x", "an", clock())


async def test_every_change_leaves_an_act_without_the_secret(register: Any, clock: Clock) -> None:
    await register.enrol(PAPER, "an", clock())
    await register.add_wss_password(CONSUMER, SECRET, "an", clock())

    acts = await register.acts(2)

    assert [(act.verb, act.subject, act.author) for act in acts] == [("add_wss_password", CONSUMER, "an"), ("enrol", CONSUMER, "an")]
    assert SECRET not in repr(acts)


async def test_a_mark_counts_once_whoever_shows_it_at_the_same_time(register: Any, clock: Clock) -> None:
    shown = await asyncio.gather(*(register.first_shown(b"m" * 32, clock() + 60) for _ in range(8)))

    assert sorted(shown) == [False] * 7 + [True]
    assert await register.first_shown(b"n" * 32, clock() + 60)


async def test_a_mark_is_forgotten_only_after_its_time(register: Any, clock: Clock) -> None:
    await register.first_shown(b"m" * 32, clock() + 60)

    await register.forget_shown(clock() + 59)
    assert not await register.first_shown(b"m" * 32, clock() + 60)
    await register.forget_shown(clock() + 61)
    assert await register.first_shown(b"m" * 32, clock() + 200)


async def test_another_node_knows_what_was_enrolled_and_shown(database_url: str, clock: Clock) -> None:
    await migrate(database_url)
    one, other = [await open_store(database_url, Cipher(MASTER_KEY), clock) for _ in range(2)]
    try:
        await one.add_consumer(Consumer(CONSUMER, "client-1", "Một cửa"), b"mac", "test", clock())
        await one.enrol(PAPER, "an", clock())
        await one.add_wss_password(CONSUMER, SECRET, "an", clock())
        await one.first_shown(b"m" * 32, clock() + 60)
        await other.refresh()

        assert list(other.certificates()) == [PAPER]
        assert list(other.wss_passwords(CONSUMER)) == [SECRET]
        assert not await other.first_shown(b"m" * 32, clock() + 60)
        async with one.core.engine.connect() as connection:
            sealed = await connection.scalar(select(tables.wss_password.c.sealed))
        assert SECRET.encode() not in sealed
    finally:
        await one.close()
        await other.close()
