"""A worker whose lease ends while its call is being recorded, and the one that takes over: on PostgreSQL their transactions overlap."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from lgsp.drivers.cipher import Cipher
from lgsp.drivers.store import migrate, open_store, rows
from lgsp.drivers.store.claims import CLAIM, RIPEN
from lgsp.drivers.store.statements import CALL
from lgsp.errors import Fault
from lgsp.model.happening import Reply
from tests.ports.conftest import MASTER_KEY

LEASE_S = 5.0
ACCEPTED = Reply(202, b"{}", ())


@pytest.fixture
async def node(postgresql_url, clock):
    await migrate(postgresql_url)
    store = await open_store(postgresql_url, Cipher(MASTER_KEY), clock)
    yield store
    await store.close()


@pytest.fixture
async def other(postgresql_url):
    """What another node has written and not yet committed."""
    connection = await asyncpg.connect(postgresql_url)
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
    await connection.execute("BEGIN")
    yield connection
    await connection.close()


async def written(connection, statement, row):
    return await connection.fetch(statement.postgresql(), *([value] for value in row))


async def test_who_takes_over_sees_the_call_that_was_being_begun(node, other, make, clock):
    await node.accept(make.stored(), None, ACCEPTED)
    (due,) = await node.claim("portal", 1, clock.at, LEASE_S)
    await written(other, CALL, (rows.id_in(due.stored.message_id), due.lease, 1, clock.at, "insert", False))
    clock.at += LEASE_S + 1

    meanwhile = await node.claim("portal", 1, clock.at, LEASE_S)
    await other.execute("COMMIT")
    (again,) = await node.claim("portal", 1, clock.at, LEASE_S)

    assert meanwhile == []
    assert again.began == {"insert"}


async def test_no_call_is_begun_under_a_lease_that_is_being_taken_over(node, other, make, clock):
    await node.accept(make.stored(), None, ACCEPTED)
    (due,) = await node.claim("portal", 1, clock.at, LEASE_S)
    clock.at += LEASE_S + 1
    await written(other, RIPEN, ("portal", clock.at))
    await written(other, CLAIM, ("portal", clock.at, clock.at + LEASE_S, 1, ""))

    late = asyncio.create_task(node.begin_call(due, "insert", finished=False))
    await asyncio.sleep(0.2)
    has_waited = not late.done()
    await other.execute("COMMIT")

    assert has_waited
    with pytest.raises(Fault, match="another worker"):
        await late
