"""Certificates and WS-Security passwords of consumers, and what was shown once; every change leaves an act with its author.

A digest needs the password itself, so these alone of all machine secrets are kept to be read: sealed by the data keys, apart from those
that earn tokens.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from lgsp.drivers.store import tables
from lgsp.drivers.store.core import DIRECTORY, bump, write_act
from lgsp.errors import Fault
from lgsp.model.parties import Enrolled, SubsystemId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a process knows of it."""

    certificates: Sequence[Enrolled] = ()
    passwords: Mapping[SubsystemId, Sequence[str]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The same as it was read, with its passwords still sealed."""

    certificates: Sequence[Enrolled]
    passwords: Sequence[tuple[SubsystemId, bytes]]

    async def opened(self, core: Core) -> Snapshot:
        """Outside of the transaction: a data key may have to be fetched first."""
        found: defaultdict[SubsystemId, list[str]] = defaultdict(list)
        for consumer, sealed in self.passwords:
            found[consumer].append((await core.open(sealed, _aad(consumer))).decode())
        return Snapshot(self.certificates, found)


async def enrolled_in(connection: AsyncConnection) -> Sealed:
    """Everything that is enrolled now."""
    table = tables.certificate
    rows = await connection.execute(select(table).order_by(table.c.consumer, table.c.fingerprint))
    certificates = [Enrolled(SubsystemId(row.consumer), row.fingerprint, row.subject, row.pem, row.not_after) for row in rows]
    columns = tables.wss_password.c
    sealed = await connection.execute(select(columns.consumer, columns.sealed).order_by(columns.id.desc()))
    return Sealed(certificates, [(SubsystemId(row.consumer), row.sealed) for row in sealed])


class Enrolment:
    """The ports Enrolments and Proofs (whose reading side is the directory's)."""

    core: Core

    async def refresh(self) -> None:
        """The directory's: this process sees its own changes at once, other nodes within a second."""
        raise NotImplementedError

    async def enrol(self, enrolled: Enrolled, author: str, at: float) -> bool:
        """Enrolments."""
        table, deed = tables.certificate, ("enrol", enrolled.consumer, {"fingerprint": enrolled.fingerprint})
        async with self.core.transaction() as connection:
            await bump(connection, DIRECTORY)
            if not await _is_registered(connection, enrolled.consumer):
                raise Fault("not-found", f"{enrolled.consumer} is not registered")
            if await connection.scalar(select(table.c.consumer).where(table.c.fingerprint == enrolled.fingerprint)) is not None:
                return False
            values = {"consumer": enrolled.consumer, "fingerprint": enrolled.fingerprint, "subject": enrolled.subject}
            await connection.execute(insert(table).values(**values, pem=enrolled.pem, not_after=enrolled.not_after))
            await write_act(connection, author, at, deed)
        await self.refresh()
        return True

    async def end_enrolment(self, consumer: SubsystemId, fingerprint: str, author: str, at: float) -> bool:
        """Enrolments."""
        table = tables.certificate
        async with self.core.transaction() as connection:
            await bump(connection, DIRECTORY)
            gone = await connection.execute(delete(table).where(table.c.consumer == consumer, table.c.fingerprint == fingerprint))
            if gone.rowcount == 0:
                return False
            await write_act(connection, author, at, ("end_enrolment", consumer, {"fingerprint": fingerprint}))
        await self.refresh()
        return True

    async def add_wss_password(self, consumer: SubsystemId, password: str, author: str, at: float) -> bool:
        """Enrolments."""
        table, sealed = tables.wss_password, self.core.cipher.seal(password.encode(), _aad(consumer))
        async with self.core.transaction() as connection:
            await bump(connection, DIRECTORY)
            if not await _is_registered(connection, consumer):
                return False
            newest = await connection.scalar(select(table.c.id).where(table.c.consumer == consumer).order_by(table.c.id.desc()).limit(1))
            await connection.execute(delete(table).where(table.c.consumer == consumer, table.c.id < (newest or 0)))
            await connection.execute(insert(table).values(consumer=consumer, sealed=sealed, added_at=at))
            await write_act(connection, author, at, ("add_wss_password", consumer, {}))
        await self.refresh()
        return True

    async def first_shown(self, mark: bytes, until: float) -> bool:
        """Proofs; a unique row that all nodes share (DESIGN decision 22)."""
        try:
            async with self.core.transaction() as connection:
                await connection.execute(insert(tables.shown).values(mark=mark, until=until))
        except IntegrityError:
            return False
        return True

    async def forget_shown(self, now: float) -> None:
        """Proofs."""
        async with self.core.transaction() as connection:
            await connection.execute(delete(tables.shown).where(tables.shown.c.until < now))


async def _is_registered(connection: AsyncConnection, consumer: SubsystemId) -> bool:
    return await connection.scalar(select(tables.consumer.c.id).where(tables.consumer.c.id == consumer)) is not None


def _aad(consumer: SubsystemId) -> bytes:
    return f"wss {consumer}".encode()
