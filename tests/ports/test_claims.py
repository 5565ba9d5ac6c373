"""How a claim is worked off: by the index of whose turn it is, in any database, whatever that knows of its tables."""

from __future__ import annotations

import sqlite3

import asyncpg

from lgsp.drivers.store import migrate
from lgsp.drivers.store.claims import CLAIM, RIPEN
from lgsp.drivers.store.engine import _address
from lgsp.drivers.store.postgres import SETTINGS

VALUES = ("portal", 1_800_000_000.0, 1_800_000_060.0, 8, "VN/GOV/H99/health")


async def plan_of(url, statement, values):
    address = _address(url)
    if address.file is not None:
        connection = sqlite3.connect(address.file)
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sqlite(1)}", values)]
    connection = await asyncpg.connect(address.dsn, server_settings={**SETTINGS, **address.settings})
    found = await connection.fetch(f"EXPLAIN (COSTS OFF) {statement.postgresql()}", *[[value] for value in values])
    await connection.close()
    return [row[0].strip() for row in found]


async def test_each_step_of_a_claim_is_a_look_into_the_index_of_turns(database_url):
    await migrate(database_url)

    plan = await plan_of(database_url, CLAIM, VALUES)

    looks = [line for line in plan if " on message" in line or line.startswith(("SEARCH", "SCAN message"))]
    used = {next((name for name in ("turn", "order", "pkey", "PRIMARY KEY") if name in line), line) for line in looks}
    assert used <= {"turn", "order", "pkey", "PRIMARY KEY", "Update on message"}
    assert not [line for line in plan if "Sort" in line or "TEMP B-TREE" in line or "Seq Scan" in line]


async def test_what_becomes_ready_is_found_by_its_time(database_url):
    await migrate(database_url)

    plan = await plan_of(database_url, RIPEN, VALUES[:2])

    assert [line for line in plan if "message_unripe" in line]
    assert not [line for line in plan if "Sort" in line or "TEMP B-TREE" in line or "Seq Scan" in line]
