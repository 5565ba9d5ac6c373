"""A PostgreSQL database for one bench, where there is a server: made before, dropped after."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD = "postgresql://postgres@127.0.0.1:5432/postgres"
CONNECT_S = 5


@contextlib.contextmanager
def scratch_database() -> Iterator[str | None]:
    """The address of an empty database, or None where no server answers (LGSP_TEST_DATABASE_URL, or the standard port of loopback)."""
    server = os.environ.get("LGSP_TEST_DATABASE_URL", STANDARD).replace("postgresql+asyncpg:", "postgresql:")
    name = f"lgsp_bench_{secrets.token_hex(4)}"
    try:
        asyncio.run(_execute(server, f'CREATE DATABASE "{name}"'))
    except (OSError, asyncpg.PostgresError, TimeoutError):
        yield None
        return
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        asyncio.run(_execute(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server, timeout=CONNECT_S)
    try:
        await connection.execute(statement, timeout=60)
    finally:
        await connection.close()
