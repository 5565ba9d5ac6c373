"""The port Trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from lgsp.drivers.store import tables
from lgsp.drivers.store.core import Unreadable, write_act

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.store.core import Core
    from lgsp.model.happening import Stored


class RecordedTrials:
    """The port Trials."""

    core: Core

    async def stored(self, message_id: str) -> Stored | None:
        """The outbox's."""
        raise NotImplementedError

    async def latest_stored(self, service: str, major: int, limit: int) -> Sequence[Stored]:
        """Trials; what cannot be opened any more is left out."""
        message, payload = tables.message, tables.payload
        here = (message.c.service == service, message.c.major == major, message.c.part_of.is_(None))
        kept = select(message.c.message_id).join(payload, payload.c.message_id == message.c.message_id).where(*here)
        async with self.core.transaction() as connection:
            found = (await connection.execute(kept.order_by(message.c.seq.desc()).limit(limit))).scalars().all()
        read = []
        for message_id in found:
            try:
                stored = await self.stored(message_id)
            except Unreadable:
                continue
            read += [stored] if stored is not None else []
        return read

    async def note_trial(self, service: str, count: int, author: str, at: float) -> None:
        """Trials."""
        async with self.core.transaction() as connection:
            await write_act(connection, author, at, ("read_samples", service, {"count": count}))
