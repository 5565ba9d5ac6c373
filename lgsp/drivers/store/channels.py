"""Callback addresses and subscriptions, and what is still to be told; every change leaves an act with its author."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from lgsp.drivers.store import rows, tables
from lgsp.drivers.store.core import DIRECTORY, bump, write_act
from lgsp.drivers.store.plan import Work
from lgsp.drivers.store.receipts import number
from lgsp.errors import Fault
from lgsp.model.parties import Callback, ChannelKind, Subscription, SubsystemId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core
    from lgsp.model.happening import Stored

HISTORY_ROWS = 1000
"""How much of what came to rest before an address was registered is numbered at a time."""

_BEHIND = text(
    "SELECT c.consumer, c.fed FROM callback c JOIN consumer ON consumer.id = c.consumer AND consumer.active WHERE "  # noqa: S608 -- constants
    f"EXISTS (SELECT 1 FROM message WHERE message.consumer = c.consumer AND {tables.UNFED}) "
    f"OR EXISTS (SELECT 1 FROM message WHERE message.consumer = c.consumer AND {tables.FED} AND feed_no > c.fed) ORDER BY consumer"
)


class Channels:
    """The ports Channels and Notices."""

    core: Core

    async def refresh(self) -> None:
        """The directory's: this process sees its own changes at once, other nodes within a second."""
        raise NotImplementedError

    async def set_callback(self, callback: Callback, author: str, at: float) -> bool:
        """Channels."""
        facts = {"url": callback.url, "language": callback.language}
        while await number(self.core, callback.consumer, HISTORY_ROWS):
            pass
        try:
            is_new = await self._set(callback, facts, author, at)
        except IntegrityError as error:
            raise Fault("not-found", f"{callback.consumer} is not registered") from error
        await self.refresh()
        return is_new

    async def _set(self, callback: Callback, facts: Mapping[str, object], author: str, at: float) -> bool:
        table = tables.callback
        async with self.core.transaction() as connection:
            await bump(connection, DIRECTORY)
            changed = await connection.execute(update(table).where(table.c.consumer == callback.consumer).values(**facts))
            is_new = changed.rowcount == 0
            if is_new:
                last = select(tables.feed.c.number).where(tables.feed.c.consumer == callback.consumer)
                sealed = self.core.cipher.seal(callback.secrets[0][0], _aad(callback.consumer))
                values = {"consumer": callback.consumer, "secret": sealed, "fed": await connection.scalar(last) or 0, **facts}
                await connection.execute(insert(table).values(**values))
            await write_act(connection, author, at, ("set_callback", callback.consumer, facts))
        return is_new

    async def renew_secret(self, consumer: SubsystemId, secret: bytes, former_until: float, author: str, at: float) -> bool:
        """Channels."""
        table = tables.callback
        values = {"secret": self.core.cipher.seal(secret, _aad(consumer)), "former": table.c.secret, "former_until": former_until}
        change = update(table).where(table.c.consumer == consumer).values(**values)
        return await self._changed(change, consumer, author, at, "renew_callback_secret")

    async def remove_callback(self, consumer: SubsystemId, author: str, at: float) -> bool:
        """Channels."""
        return await self._changed(
            delete(tables.callback).where(tables.callback.c.consumer == consumer), consumer, author, at, "remove_callback"
        )

    async def subscribe(self, subscription: Subscription, author: str, at: float) -> None:
        """Channels."""
        facts = {"service": subscription.service, "operation": subscription.operation, "channel": subscription.channel.value}
        try:
            async with self.core.transaction() as connection:
                await bump(connection, DIRECTORY)
                await connection.execute(delete(tables.subscription).where(*_same(subscription)))
                await connection.execute(insert(tables.subscription).values(consumer=subscription.subscriber, **facts))
                await write_act(connection, author, at, ("subscribe", subscription.subscriber, facts))
        except IntegrityError as error:
            raise Fault("not-found", f"{subscription.subscriber} is not registered") from error
        await self.refresh()

    async def unsubscribe(self, subscription: Subscription, author: str, at: float) -> bool:
        """Channels."""
        facts = {"service": subscription.service, "operation": subscription.operation}
        async with self.core.transaction() as connection:
            await bump(connection, DIRECTORY)
            if (await connection.execute(delete(tables.subscription).where(*_same(subscription)))).rowcount == 0:
                return False
            await write_act(connection, author, at, ("unsubscribe", subscription.subscriber, facts))
        await self.refresh()
        return True

    async def _changed(self, change: Any, consumer: SubsystemId, author: str, at: float, verb: str) -> bool:
        async with self.core.transaction() as connection:
            await bump(connection, DIRECTORY)
            if (await connection.execute(change)).rowcount == 0:
                return False
            await write_act(connection, author, at, (verb, consumer, {}))
        await self.refresh()
        return True

    async def behind(self) -> Sequence[tuple[SubsystemId, int]]:
        """Notices."""
        async with self.core.transaction() as connection:
            return [(SubsystemId(row.consumer), row.fed) for row in await connection.execute(_BEHIND)]

    async def owe(self, consumer: SubsystemId, span: tuple[int, int], events: Sequence[Stored]) -> bool:
        """Notices."""
        cipher, since, until = self.core.cipher, *span
        more = [(rows.message_row(each, cipher), rows.payload_row(each, cipher, self.core.retain_s)) for each in events]
        written: bool = await self.core.hot.write(Work(owe=(consumer, until, since), more=more))
        return written


def _same(subscription: Subscription) -> tuple[ColumnElement[bool], ...]:
    columns = tables.subscription.c
    where = (columns.service == subscription.service, columns.operation == subscription.operation)
    return *where, columns.consumer == subscription.subscriber


async def subscriptions_in(connection: AsyncConnection) -> Sequence[Subscription]:
    """Every row, in one order."""
    columns = tables.subscription.c
    found = await connection.execute(select(tables.subscription).order_by(columns.service, columns.operation, columns.consumer))
    return [Subscription(row.service, row.operation, SubsystemId(row.consumer), ChannelKind(row.channel)) for row in found]


async def callback_of(row: Row[Any], core: Core) -> Callback:
    """From a row of `callback`, its secrets opened."""
    aad = _aad(row.consumer)
    secrets = [(await core.open(row.secret, aad), float("inf"))]
    if row.former is not None:
        secrets.append((await core.open(row.former, aad), row.former_until))
    return Callback(SubsystemId(row.consumer), row.url, row.language, tuple(secrets))


def _aad(consumer: str) -> bytes:
    return f"callback {consumer}".encode()
