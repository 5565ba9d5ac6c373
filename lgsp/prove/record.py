"""Reads the hub's record from outside, read-only: where each message stands, and how many rows of the log speak of it."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from lgsp.prove.oracle import Kept

CONNECT_S, QUERY_S = 5.0, 120.0
MESSAGES = "SELECT message_id, state, cause FROM message"
ROWS = "SELECT message_id, event, count(*) FROM log GROUP BY message_id, event"
CAUSES = (
    "SELECT state, cause, detail, count(*) FROM message WHERE state <> 'delivered' GROUP BY state, cause, detail ORDER BY 4 DESC LIMIT 20"
)
DELIVERED = "SELECT message_id, min(at) FROM log WHERE event = 'closed' AND outcome = 'delivered' GROUP BY message_id"
UNDER_WAY = "SELECT count(*) FROM message WHERE state IN ('accepted', 'waiting', 'delivering')"


async def read_record(database: str) -> dict[str, Kept]:
    """Every stored message by its id."""
    messages, rows = [await query(database, text) for text in (MESSAGES, ROWS)]
    counts = {(_id(message_id), event): count for message_id, event, count in rows}
    return {
        _id(message_id): Kept(state, counts.get((_id(message_id), "opened"), 0), counts.get((_id(message_id), "closed"), 0), cause)
        for message_id, state, cause in messages
    }


async def under_way(database: str) -> int:
    """How many messages the hub has not brought to rest yet."""
    return int((await query(database, UNDER_WAY))[0][0])


async def causes(database: str) -> dict[str, int]:
    """Why messages are not delivered, and how many for each reason."""
    return {" / ".join(part for part in row[:3] if part): int(row[3]) for row in await query(database, CAUSES)}


async def delivered_at(database: str) -> dict[str, float]:
    """When each message was delivered by the hub's clock."""
    return {_id(message_id): float(at) for message_id, at in await query(database, DELIVERED)}


async def query(database: str, text: str) -> list[tuple[Any, ...]]:
    """The rows of a SELECT."""
    if database.startswith("sqlite"):
        file = Path(database.removeprefix("sqlite:///"))
        with contextlib.closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=QUERY_S)) as connection:
            return list(connection.execute(text))
    connection = await asyncpg.connect(database, timeout=CONNECT_S, command_timeout=QUERY_S)
    try:
        return [tuple(row) for row in await connection.fetch(text)]
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def scratch_database(server: str, name: str) -> Any:
    """An empty database of this name on a PostgreSQL server, dropped afterwards; gives its address."""
    await execute(server, f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        await execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def execute(server: str, statement: str) -> None:
    """A statement on PostgreSQL outside any transaction."""
    connection = await asyncpg.connect(server, timeout=CONNECT_S)
    try:
        await connection.execute(statement, timeout=QUERY_S)
    finally:
        await connection.close()


def _id(value: object) -> str:
    """A message id as its consumer sees it."""
    return str(uuid.UUID(bytes=value)) if isinstance(value, bytes) else str(value)
