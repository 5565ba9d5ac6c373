"""The directory: consumers and rights as a snapshot in memory, fetched anew when its epoch has risen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from lgsp.drivers.store import rows, tables
from lgsp.drivers.store.core import DIRECTORY, KEYS

if TYPE_CHECKING:
    from lgsp.drivers.store.core import Core
    from lgsp.model import Consumer, Right, SubsystemId


class Directory:
    """The port Directory."""

    core: Core

    def __init__(self) -> None:
        self._epochs: dict[str, int] = {}
        self._consumers: dict[str, Consumer] = {}
        self._rights: dict[tuple[SubsystemId, str, str], Right] = {}

    def consumer(self, client_id: str) -> Consumer | None:
        """Directory."""
        return self._consumers.get(client_id)

    def right(self, consumer: SubsystemId, service: str, operation: str) -> Right | None:
        """Directory."""
        return self._rights.get((consumer, service, operation))

    async def refresh(self) -> None:
        """See now what was changed; otherwise it is seen within a second."""
        async with self.core.transaction() as connection:
            epochs = {row.name: row.value for row in await connection.execute(select(tables.epoch))}
            if epochs == self._epochs:
                return
            consumers = [rows.consumer(row) for row in await connection.execute(select(tables.consumer))]
            rights = [rows.right(row) for row in await connection.execute(select(tables.access_right))]
        if epochs[KEYS] != self._epochs.get(KEYS):
            await self.core.adopt_keys()
        if epochs[DIRECTORY] != self._epochs.get(DIRECTORY):
            self._consumers = {each.client_id: each for each in consumers}
            self._rights = {(each.consumer, each.service, each.operation): each for each in rights}
        self._epochs = epochs
