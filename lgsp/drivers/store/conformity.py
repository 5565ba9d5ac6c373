"""The ports Enforcements (its reading side is the directory's snapshot) and Quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, text

from lgsp.codec import json
from lgsp.drivers.store import rows
from lgsp.drivers.store.core import ENFORCEMENT, bump, write_act
from lgsp.drivers.store.judgement_tables import conformance, enforcement, suspect
from lgsp.model.conformity import Conformance, Enforcement, Rigour, Suspect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core

_ADD = text(
    "INSERT INTO conformance (provider, service, operation, hour, answers, invalid) "
    "VALUES (:provider, :service, :operation, :hour, :answers, :invalid) ON CONFLICT (provider, service, operation, hour) DO UPDATE SET "
    "answers = conformance.answers + excluded.answers, invalid = conformance.invalid + excluded.invalid"
)
_PLAIN = ("id", "message_id", "at", "provider", "service", "operation", "call", "passed", "is_ours", "size_bytes")


class Judgements:
    """The ports Enforcements and Quarantine."""

    core: Core

    async def refresh(self) -> None:
        """The directory's: this process sees its own changes at once, other nodes within a second."""
        raise NotImplementedError

    async def enforce(self, order: Enforcement) -> None:
        """Enforcements."""
        facts = {"replies": order.rigour.value, "until_at": order.until_at, "reason": order.reason}
        values = {name: getattr(order, name) for name in ("id", "service", "from_at", "until_at", "reason", "author")}
        async with self.core.transaction() as connection:
            await bump(connection, ENFORCEMENT)
            await connection.execute(delete(enforcement).where(enforcement.c.service == order.service))
            await connection.execute(insert(enforcement).values(rigour=order.rigour.value, **values))
            await write_act(connection, order.author, order.from_at, ("enforce", order.service, facts))
        await self.refresh()

    async def end_enforcement(self, service: str, author: str, at: float) -> bool:
        """Enforcements."""
        async with self.core.transaction() as connection:
            await bump(connection, ENFORCEMENT)
            in_force = delete(enforcement).where(enforcement.c.service == service, enforcement.c.until_at > at)
            ended = (await connection.execute(in_force)).rowcount > 0
            if ended:
                await write_act(connection, author, at, ("end_enforcement", service, {}))
        await self.refresh()
        return ended

    async def add_suspects(self, suspects: Sequence[Suspect]) -> None:
        """Quarantine."""
        written = [
            {name: getattr(each, name) for name in _PLAIN}
            | {"rigour": each.rigour.value, "places": json.encode(each.places).decode()}
            | {"content": self.core.cipher.seal(each.content, _aad(each.id))}
            for each in suspects
        ]
        async with self.core.transaction() as connection:
            await connection.execute(insert(suspect), written)

    async def add_conformance(self, counted: Sequence[Conformance]) -> None:
        """Quarantine; in one order, so that two nodes do not lock each other out."""
        names = ("provider", "service", "operation", "hour", "answers", "invalid")
        added = sorted(({name: getattr(each, name) for name in names} for each in counted), key=lambda row: tuple(row.values())[:4])
        async with self.core.transaction() as connection:
            await connection.execute(_ADD, added)

    async def suspects(self, limit: int, provider: str = "", service: str = "") -> Sequence[Suspect]:
        """Quarantine."""
        columns = [column for column in suspect.c if column.name != "content"]
        query = select(*columns).order_by(suspect.c.at.desc(), suspect.c.id.desc()).limit(limit)
        for column, wanted in ((suspect.c.provider, provider), (suspect.c.service, service)):
            query = query.where(column == wanted) if wanted else query
        async with self.core.transaction() as connection:
            return [_suspect(row, b"") for row in await connection.execute(query)]

    async def suspect(self, suspect_id: str, reader: str, at: float) -> Suspect | None:
        """Quarantine."""
        if not rows.is_id(suspect_id):
            return None
        async with self.core.transaction() as connection:
            row = (await connection.execute(select(suspect).where(suspect.c.id == suspect_id))).one_or_none()
            if row is None:
                return None
            await write_act(connection, reader, at, ("read_quarantine", row.message_id, {"suspect": suspect_id}))
        return _suspect(row, await self.core.open(row.content, _aad(suspect_id)))

    async def conformance(self, since: float) -> Sequence[Conformance]:
        """Quarantine."""
        key = (conformance.c.provider, conformance.c.service, conformance.c.operation)
        sums = [func.max(conformance.c.hour), func.sum(conformance.c.answers), func.sum(conformance.c.invalid)]
        query = select(*key, *sums).where(conformance.c.hour >= since).group_by(*key).order_by(*key)
        async with self.core.transaction() as connection:
            return [Conformance(*row[:3], *map(int, row[3:])) for row in await connection.execute(query)]

    async def forget_answers(self, suspects_before: float, counts_before: float) -> int:
        """Quarantine."""
        async with self.core.transaction() as connection:
            await connection.execute(delete(conformance).where(conformance.c.hour < counts_before))
            return (await connection.execute(delete(suspect).where(suspect.c.at < suspects_before))).rowcount


async def enforcements_in(connection: AsyncConnection) -> Sequence[Enforcement]:
    """Every row."""
    found = await connection.execute(select(enforcement).order_by(enforcement.c.service))
    return [Enforcement(row.id, row.service, Rigour(row.rigour), row.from_at, row.until_at, row.reason, row.author) for row in found]


def _aad(suspect_id: str) -> bytes:
    return f"suspect {suspect_id}".encode()


def _suspect(row: Row[Any], content: bytes) -> Suspect:
    places = tuple((str(pointer), str(detail), str(rule)) for pointer, detail, rule in json.decode(row.places.encode()))
    return Suspect(
        **{name: getattr(row, name) for name in _PLAIN},
        rigour=Rigour(row.rigour),
        places=places,
        content=content,
    )
