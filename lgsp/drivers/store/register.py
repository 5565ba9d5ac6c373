"""Consumers, their secrets and rights, and people; every write leaves an act with its author."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from lgsp.drivers.store import rows, tables
from lgsp.drivers.store.core import DIRECTORY, bump, write_act
from lgsp.errors import Fault
from lgsp.ports.office import Person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core
    from lgsp.model.parties import Consumer, Right


class Register:
    """The ports Register, Rights and People."""

    core: Core

    async def refresh(self) -> None:
        """The directory's: this process sees its own changes at once, other nodes within a second."""
        raise NotImplementedError

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[AsyncConnection]:
        async with self.core.transaction() as connection:
            await bump(connection, DIRECTORY)
            yield connection
        await self.refresh()

    async def add_consumer(self, consumer: Consumer, secret_mac: bytes, author: str, at: float) -> bool:
        """Register."""
        values = {"id": consumer.id, "client_id": consumer.client_id, "title": consumer.title, "active": consumer.active}
        try:
            async with self._change() as connection:
                await connection.execute(insert(tables.consumer).values(values))
                await _add_secret(connection, consumer.id, secret_mac, at)
                await write_act(connection, author, at, ("add_consumer", consumer.id, {"client_id": consumer.client_id}))
        except IntegrityError:
            return False
        return True

    async def add_secret(self, client_id: str, secret_mac: bytes, author: str, at: float) -> bool:
        """Register."""
        async with self._change() as connection:
            subsystem = await _subsystem(connection, client_id)
            if subsystem is None:
                return False
            await _add_secret(connection, subsystem, secret_mac, at)
            await write_act(connection, author, at, ("add_secret", subsystem, {"client_id": client_id}))
        return True

    async def set_active(self, client_id: str, author: str, at: float, *, active: bool) -> bool:
        """Register."""
        async with self._change() as connection:
            subsystem = await _subsystem(connection, client_id)
            if subsystem is None:
                return False
            await connection.execute(update(tables.consumer).where(tables.consumer.c.id == subsystem).values(active=active))
            await write_act(connection, author, at, ("activate" if active else "suspend", subsystem, {"client_id": client_id}))
        return True

    async def secret_macs(self, client_id: str) -> Sequence[bytes]:
        """Register."""
        query = select(tables.secret.c.mac).join(tables.consumer).where(tables.consumer.c.client_id == client_id)
        async with self.core.transaction() as connection:
            return [row.mac for row in await connection.execute(query.order_by(tables.secret.c.id))]

    async def consumers(self) -> Sequence[Consumer]:
        """Register."""
        async with self.core.transaction() as connection:
            return [rows.consumer(row) for row in await connection.execute(select(tables.consumer).order_by(tables.consumer.c.id))]

    async def grant(self, right: Right, author: str, at: float) -> None:
        """Rights; Fault("not-found") for a consumer that is not registered."""
        facts = {"service": right.service, "operation": right.operation, "purposes": sorted(right.purposes)}
        try:
            async with self._change() as connection:
                await connection.execute(delete(tables.access_right).where(*_same(right)))
                await connection.execute(insert(tables.access_right).values(**rows.right_values(right)))
                await write_act(connection, author, at, ("grant", right.consumer, facts))
        except IntegrityError as error:
            raise Fault("not-found", f"{right.consumer} is not registered") from error

    async def withdraw(self, right: Right, author: str, at: float) -> bool:
        """Rights."""
        async with self._change() as connection:
            gone = await connection.execute(delete(tables.access_right).where(*_same(right)))
            if gone.rowcount == 0:
                return False
            facts = {"service": right.service, "operation": right.operation}
            await write_act(connection, author, at, ("withdraw", right.consumer, facts))
        return True

    async def rights(self) -> Sequence[Right]:
        """Rights."""
        table = tables.access_right
        query = select(table).order_by(table.c.consumer, table.c.service, table.c.operation)
        async with self.core.transaction() as connection:
            return [rows.right(row) for row in await connection.execute(query)]

    async def add_person(self, person: Person, author: str, at: float) -> bool:
        """People."""
        values = {"name": person.name, "role": person.role, "password": person.password}
        try:
            async with self.core.transaction() as connection:
                await connection.execute(insert(tables.person).values(values))
                await write_act(connection, author, at, ("add_person", person.name, {"role": person.role}))
        except IntegrityError:
            return False
        return True

    async def person(self, name: str) -> Person | None:
        """People."""
        async with self.core.transaction() as connection:
            row = (await connection.execute(select(tables.person).where(tables.person.c.name == name))).one_or_none()
        return None if row is None else Person(row.name, row.role, row.password)


async def _subsystem(connection: AsyncConnection, client_id: str) -> Any:
    return await connection.scalar(select(tables.consumer.c.id).where(tables.consumer.c.client_id == client_id))


async def _add_secret(connection: AsyncConnection, subsystem: str, mac: bytes, at: float) -> None:
    await connection.execute(insert(tables.secret).values(consumer=subsystem, mac=mac, added_at=at))


def _same(right: Right) -> tuple[ColumnElement[bool], ...]:
    columns = tables.access_right.c
    return columns.consumer == right.consumer, columns.service == right.service, columns.operation == right.operation
