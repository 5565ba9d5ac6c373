"""What a hub binds while it runs (addresses, accounts, secrets), sealed by the data keys; the port BindingBook."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from lgsp.drivers.store import tables
from lgsp.drivers.store.core import BINDINGS, bump, write_act
from lgsp.drivers.store.press_tables import binding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.drivers.store.core import Core


class Bindings:
    """The port BindingBook."""

    core: Core

    def __init__(self) -> None:
        self._bindings_seen: int | None = None
        self._bindings: Mapping[str, str] = MappingProxyType({})

    async def bindings(self) -> Mapping[str, str]:
        """BindingBook."""
        async with self.core.transaction() as connection:
            epoch = await connection.scalar(select(tables.epoch.c.value).where(tables.epoch.c.name == BINDINGS))
            if epoch == self._bindings_seen:
                return self._bindings
            sealed = {row.name: row.sealed for row in await connection.execute(select(binding))}
        opened = {name: (await self.core.open(value, _aad(name))).decode() for name, value in sealed.items()}
        self._bindings, self._bindings_seen = MappingProxyType(opened), epoch
        return self._bindings

    async def bind(self, name: str, value: str, author: str, at: float) -> None:
        """BindingBook."""
        sealed = self.core.cipher.seal(value.encode(), _aad(name))
        async with self.core.transaction() as connection:
            await bump(connection, BINDINGS)
            await connection.execute(delete(binding).where(binding.c.name == name))
            await connection.execute(insert(binding).values(name=name, sealed=sealed, author=author, at=at))
            await write_act(connection, author, at, ("bind", name, {}))

    async def unbind(self, name: str, author: str, at: float) -> bool:
        """BindingBook."""
        async with self.core.transaction() as connection:
            await bump(connection, BINDINGS)
            gone = await connection.execute(delete(binding).where(binding.c.name == name))
            if gone.rowcount == 0:
                return False
            await write_act(connection, author, at, ("unbind", name, {}))
        return True


def _aad(name: str) -> bytes:
    return f"binding {name}".encode()
