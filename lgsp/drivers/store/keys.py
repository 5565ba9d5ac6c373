"""Keys that the hub makes itself, wrapped by the master key: data keys of the cipher, signing keys of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from lgsp.drivers.store import tables
from lgsp.drivers.store.core import KEYS, bump, write_act

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core

WRAPPING = 0
"""The cipher's number of the key that wraps others."""


class Keys:
    """Makes and keeps keys; writers follow one another by the epoch's row, so that two nodes never make the same key twice."""

    core: Core

    async def load_or_create_key(self, kind: str, create: Callable[[], bytes]) -> tuple[str, bytes]:
        """The newest key of this kind with its id; made once, by `create`."""
        table = tables.key
        async with self.core.transaction() as connection:
            await bump(connection, KEYS)
            query = select(table.c.id, table.c.wrapped).where(table.c.kind == kind).order_by(table.c.id.desc()).limit(1)
            row = (await connection.execute(query)).one_or_none()
            if row is not None:
                return str(row.id), self.core.cipher.open(row.wrapped, _aad(kind, row.id))
            number, plain = await _next_number(connection), create()
            wrapped = self.core.cipher.seal(plain, _aad(kind, number), WRAPPING)
            await self._write(connection, number, kind, wrapped)
        return str(number), plain

    async def keys_of(self, kind: str) -> Sequence[bytes]:
        """Every key of this kind, the newest last."""
        table = tables.key
        async with self.core.transaction() as connection:
            query = select(table.c.id, table.c.wrapped).where(table.c.kind == kind).order_by(table.c.id)
            return [self.core.cipher.open(row.wrapped, _aad(kind, row.id)) for row in await connection.execute(query)]

    async def add_key(self, kind: str, plain: bytes, author: str, at: float) -> None:
        """One more key of this kind, the newest from now on; that it was made is an act."""
        async with self.core.transaction() as connection:
            await bump(connection, KEYS)
            number = await _next_number(connection)
            await self._write(connection, number, kind, self.core.cipher.seal(plain, _aad(kind, number), WRAPPING))
            await write_act(connection, author, at, ("rotate_key", kind, {}))

    async def rotate_data_key(self) -> None:
        """Seal with a fresh data key from now on; older ones still open what they sealed."""
        async with self.core.transaction() as connection:
            await bump(connection, KEYS)
            await self._add_data_key(connection)

    async def ensure_data_key(self) -> None:
        """Adopt the data keys of this database, or make the first."""
        async with self.core.transaction() as connection:
            await bump(connection, KEYS)
            if await connection.scalar(select(func.count()).select_from(tables.key).where(tables.key.c.kind == "data")) == 0:
                await self._add_data_key(connection)
        await self.core.adopt_keys()

    async def _add_data_key(self, connection: AsyncConnection) -> None:
        number = await _next_number(connection)
        await self._write(connection, number, "data", self.core.cipher.adopt(number, None))

    async def _write(self, connection: AsyncConnection, number: int, kind: str, wrapped: bytes) -> None:
        values = {"id": number, "kind": kind, "wrapped": wrapped, "made_at": self.core.now()}
        await connection.execute(insert(tables.key).values(values))


async def _next_number(connection: AsyncConnection) -> int:
    return int(await connection.scalar(select(func.coalesce(func.max(tables.key.c.id), 0))) or 0) + 1


def _aad(kind: str, number: int) -> bytes:
    return f"key {kind} {number}".encode()
