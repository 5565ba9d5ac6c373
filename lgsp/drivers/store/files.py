"""What the vault knows of its files, which messages name them, and their chunks where several nodes share one database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, exists, insert, or_, select, update

from lgsp.drivers.store import rows, tables
from lgsp.errors import Fault
from lgsp.model.files import File
from lgsp.model.parties import SubsystemId
from lgsp.policy.lifecycle import SETTLED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.store.core import Core

DIGEST_BYTES = 32


class Files:
    """The index of the vault. A file without its secret is not finished; nobody finds it, and the sweep takes it in time."""

    core: Core

    async def begin_file(self, ref: str, consumer: SubsystemId, media_type: str) -> None:
        """Before its first chunk, so that whatever remains of it is known."""
        values = {"ref": ref, "consumer": consumer, "media_type": media_type, "size_bytes": 0, "kept_at": self.core.now()}
        async with self.core.transaction() as connection:
            await connection.execute(insert(tables.file).values(values))

    async def finish_file(self, ref: str, size_bytes: int, secret: bytes) -> float:
        """When it was kept. `secret` (its digest and its key) is sealed together with its size."""
        sealed = self.core.cipher.seal(secret, _aad(ref, size_bytes))
        at = self.core.now()
        change = update(tables.file).where(tables.file.c.ref == ref).values(size_bytes=size_bytes, secret=sealed, kept_at=at)
        async with self.core.transaction() as connection:
            await connection.execute(change)
        return at

    async def file(self, ref: str, consumer: SubsystemId) -> tuple[File, bytes] | None:
        """A finished file of this consumer, with its key."""
        if not rows.is_id(ref):
            return None
        table = tables.file
        wanted = select(table).where(table.c.ref == ref, table.c.consumer == consumer, table.c.secret.is_not(None))
        async with self.core.transaction() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            return None
        secret = await self.core.open(row.secret, _aad(ref, row.size_bytes))
        digest, key = secret[:DIGEST_BYTES], secret[DIGEST_BYTES:]
        return File(ref, SubsystemId(row.consumer), row.media_type, row.size_bytes, digest, row.kept_at), key

    async def use_files(self, refs: Sequence[str], message_id: str) -> None:
        """A message names them."""
        async with self.core.transaction() as connection:
            await connection.execute(insert(tables.file_use), [{"ref": ref, "message_id": message_id} for ref in refs])

    async def orphans(self, before: float, limit: int) -> Sequence[str]:
        """Files older than `before` that no message needs: none is unsettled, and none settled after that."""
        table, use, message = tables.file, tables.file_use, tables.message
        settled = [state.value for state in SETTLED]
        needs = or_(message.c.state.not_in(settled), message.c.settled_at > before)
        needed = exists().where(and_(use.c.ref == table.c.ref, message.c.message_id == use.c.message_id, needs))
        query = select(table.c.ref).where(table.c.kept_at < before, ~needed).order_by(table.c.kept_at).limit(limit)
        async with self.core.transaction() as connection:
            return [row.ref for row in await connection.execute(query)]

    async def forget_files(self, refs: Sequence[str]) -> None:
        """Their keys go with their rows, so that what is left of them anywhere is noise."""
        async with self.core.transaction() as connection:
            for table in (tables.file, tables.file_use, tables.file_chunk):
                await connection.execute(delete(table).where(table.c.ref.in_(refs)))

    # ---- chunks, for the vault of several nodes ------------------------------------------------------------------------------------------

    async def put_chunk(self, ref: str, number: int, sealed: bytes) -> None:
        """The next chunk of a file."""
        async with self.core.transaction() as connection:
            await connection.execute(insert(tables.file_chunk).values(ref=ref, number=number, sealed=sealed))

    async def chunk(self, ref: str, number: int) -> bytes:
        """A chunk; Fault("record-unavailable") if it is not there."""
        table = tables.file_chunk
        async with self.core.transaction() as connection:
            sealed = await connection.scalar(select(table.c.sealed).where(table.c.ref == ref, table.c.number == number))
        if sealed is None:
            raise Fault("record-unavailable", "a chunk of a kept file is not there")
        return bytes(sealed)


def _aad(ref: str, size_bytes: int) -> bytes:
    return f"file {ref} {size_bytes}".encode()
