"""What every part of the store works with: the engine for reads and rare writes, the group commits, the cipher, the clock."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from lgsp.codec import json
from lgsp.drivers.store import tables
from lgsp.errors import Fault, SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from lgsp.drivers.store.commit import GroupCommit

ADMISSION_S = 0.8
"""So long whoever knocks waits for a transaction; what was admitted before waits longer."""

NO_THREAD = "can't start new thread"
"""CPython's words where the machine has none left: aiosqlite starts one for each connection."""

CONNECT_S, COMMAND_S = 5.0, 10.0
"""PostgreSQL: so long a connection, and then a statement, may take."""

RETAIN_S = 30 * 86_400.0
"""How long a payload is kept after its deadline."""

DIRECTORY, KEYS, PROVIDERS, ENFORCEMENT = "directory", "keys", "providers", "enforcement"
CATALOGUE, STAGING, BINDINGS = "catalogue", "staging", "bindings"
"""Names of epochs: a number that rises with every change, so that other nodes see it by reading one row."""

SWEPT = "swept"
"""The epoch that is the number of the last log row that the sweep for lost exchanges has seen."""


class Unreadable(Fault):
    """What is stored does not open, now or later; the database itself answers."""


class Cipher(Protocol):
    """Encryption at rest (drivers/cipher.py)."""

    def seal(self, plaintext: bytes, aad: bytes, number: int | None = None) -> bytes: ...

    def open(self, sealed: bytes, aad: bytes) -> bytes: ...

    def adopt(self, number: int, wrapped: bytes | None) -> bytes: ...

    def mark(self, value: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Core:
    """`hot` commits log and messages in groups; `claims` is the lane of the claims, so that a slow one holds up no exchange."""

    engine: AsyncEngine
    hot: GroupCommit
    claims: GroupCommit
    cipher: Cipher
    now: Callable[[], float]
    retain_s: float = RETAIN_S

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Write or read; a database that fails becomes Fault("record-unavailable")."""
        try:
            async with self.engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise Fault("record-unavailable", retry_after_s=1) from error
        except RuntimeError as error:
            if str(error) != NO_THREAD:
                raise
            raise Fault("record-unavailable", retry_after_s=1) from error

    async def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Plaintext, or Unreadable; a data key that another node made a moment ago is fetched first."""
        try:
            return self._opened(sealed, aad)
        except LookupError:
            pass
        try:
            await self.adopt_keys()
            return self._opened(sealed, aad)
        except (LookupError, SettingsError) as error:
            raise Unreadable("record-unavailable", "the data key of a stored message is gone") from error

    def _opened(self, sealed: bytes, aad: bytes) -> bytes:
        try:
            return self.cipher.open(sealed, aad)
        except Fault as fault:
            raise Unreadable(fault.slug, fault.detail) from fault

    async def adopt_keys(self) -> int:
        """Let the cipher know every data key; returns how many there are."""
        async with self.transaction() as connection:
            query = select(tables.key.c.id, tables.key.c.wrapped).where(tables.key.c.kind == "data").order_by(tables.key.c.id)
            rows = (await connection.execute(query)).all()
        for row in rows:
            self.cipher.adopt(row.id, row.wrapped)
        return len(rows)


async def bump(connection: AsyncConnection, name: str) -> None:
    """Raise an epoch. First in its transaction: it takes the lock that makes writers of one kind follow one another."""
    await connection.execute(update(tables.epoch).where(tables.epoch.c.name == name).values(value=tables.epoch.c.value + 1))


async def write_act(connection: AsyncConnection, author: str, at: float, deed: tuple[str, str, Mapping[str, object]]) -> None:
    """Record an administrative act: (verb, subject, facts)."""
    verb, subject, facts = deed
    values = {"at": at, "author": author, "verb": verb, "subject": subject, "facts": json.encode(facts).decode()}
    await connection.execute(insert(tables.act).values(values))
