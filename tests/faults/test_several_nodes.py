"""A row of each mechanism that several nodes on PostgreSQL and RabbitMQ meet."""

from __future__ import annotations

from faults.sample import holds
from lgsp.prove.stage import Options

MECHANISMS = ("F10", "F27", "F6", "F45")
"""Database, broker, a gateway that dies as it rings, orders that change."""


async def test_nothing_is_lost_doubled_unaudited_or_stuck_on_several_nodes(postgresql_url: str, broker_url: str) -> None:
    await holds(MECHANISMS, Options(messages=200, rate=30.0, kills=1, database=postgresql_url.partition("?")[0], broker=broker_url))
