"""Bundles by digest, editions, and the nodes that confirm them; the ports Bundles, Editions, Staging and Nodes.

Whoever moves an edition raises the epoch of the staging first, so that movers follow one another; what is served is another epoch, which
rises once for each change of it and is all that a node compares.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from lgsp.codec import json
from lgsp.drivers.store import press_tables, rows, tables
from lgsp.drivers.store.core import CATALOGUE, STAGING, bump, write_act
from lgsp.model.edition import Edition, EditionState, Lifespan, Node, Published, Stage
from lgsp.ports.publishing import Bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core
    from lgsp.ports.publishing import Decided

EDITION, NODE, LIFESPAN, BUNDLE = press_tables.edition, press_tables.node, press_tables.lifespan, press_tables.bundle
BEFORE = {EditionState.REJECTED: EditionState.PROPOSED, EditionState.REFUSED: EditionState.STAGED}
FACTS = ("verb", "reason", "breaking", "base", "changes", "keeps", "refusals")
NOBODY = Node("", "")


class Editions:
    """The ports Bundles, Editions, Staging and Nodes."""

    core: Core

    def __init__(self) -> None:
        self._seen: tuple[int, int] | None = None
        self._published = Published()

    async def keep_bundle(self, bundle: Bundle, author: str, at: float) -> bool:
        """Bundles."""
        packed = await asyncio.to_thread(zlib.compress, bundle.content)
        try:
            async with self.core.transaction() as connection:
                values = {"digest": bundle.digest, "adapter": bundle.adapter, "content": packed, "author": author, "at": at}
                await connection.execute(insert(BUNDLE).values(**values))
                await write_act(connection, author, at, ("upload_bundle", bundle.adapter, {"digest": bundle.digest}))
        except IntegrityError:
            return False
        return True

    async def bundle(self, digest: str) -> Bundle | None:
        """Bundles."""
        async with self.core.transaction() as connection:
            row = (await connection.execute(select(BUNDLE).where(BUNDLE.c.digest == digest))).one_or_none()
        return None if row is None else Bundle(row.digest, row.adapter, await asyncio.to_thread(zlib.decompress, row.content))

    async def propose_edition(self, edition: Edition) -> None:
        """Editions."""
        async with self.core.transaction() as connection:
            names = ("id", "adapter", "digest", "author", "at")
            values = {name: getattr(edition, name) for name in names} | {"state": edition.state.value, "facts": _facts(edition)}
            await connection.execute(insert(EDITION).values(**values))
            await write_act(connection, edition.author, edition.at, _deed(f"propose_{edition.verb}", edition))

    async def edition(self, edition_id: str) -> Edition | None:
        """Editions."""
        async with self.core.transaction() as connection:
            return await _edition(connection, edition_id)

    async def editions(self, adapter: str, limit: int) -> Sequence[Edition]:
        """Editions."""
        query = select(EDITION).order_by(EDITION.c.at.desc(), EDITION.c.id.desc()).limit(limit)
        async with self.core.transaction() as connection:
            found = await connection.execute(query.where(EDITION.c.adapter == adapter) if adapter else query)
            return [_read(row) for row in found]

    async def end_edition(self, edition_id: str, state: EditionState, decided: Decided) -> bool:
        """Editions."""
        async with self.core.transaction() as connection:
            await bump(connection, STAGING)
            found = await _edition(connection, edition_id)
            if found is None or found.state is not BEFORE[state]:
                return False
            await _refuse(connection, found, state, decided)
        return True

    async def stage(self, edition_id: str, until: float, decided: Decided) -> bool:
        """Staging."""
        async with self.core.transaction() as connection:
            await bump(connection, STAGING)
            found = await _edition(connection, edition_id)
            staged = (await connection.execute(select(EDITION).where(EDITION.c.state == EditionState.STAGED.value))).one_or_none()
            if found is None or found.state is not EditionState.PROPOSED or (staged is not None and staged.until > decided.at):
                return False
            if staged is not None:
                await _set(connection, staged.id, state=EditionState.REFUSED, facts=_facts(_read(staged), refusals=["abandoned"]))
            marks = {"until": until, "decided_by": decided.author, "decided_at": decided.at}
            await _set(connection, edition_id, state=EditionState.STAGED, **marks)
        return True

    async def go_live(self, edition_id: str, at: float) -> Sequence[Node]:
        """Staging."""
        async with self.core.transaction() as connection:
            await bump(connection, STAGING)
            found = await _edition(connection, edition_id)
            alive = [_node(row) for row in await connection.execute(select(NODE).where(NODE.c.until > at).order_by(NODE.c.id))]
            missing = [node for node in alive if node.staged != edition_id or node.verdict]
            if missing or not alive or found is None or found.state is not EditionState.STAGED:
                return missing or [NOBODY]
            await bump(connection, CATALOGUE)
            live = EDITION.c.adapter == found.adapter, EDITION.c.state == EditionState.LIVE.value
            await connection.execute(update(EDITION).where(*live).values(state=EditionState.SUPERSEDED.value))
            await _set(connection, edition_id, state=EditionState.LIVE, live_at=at)
            await write_act(connection, found.decided_by, at, _deed(found.verb, found))
        return []

    async def set_lifespan(self, lifespan: Lifespan) -> None:
        """Staging."""
        async with self.core.transaction() as connection:
            await bump(connection, CATALOGUE)
            mine = LIFESPAN.c.service == lifespan.service, LIFESPAN.c.major == lifespan.major
            await connection.execute(delete(LIFESPAN).where(*mine))
            values = {name: getattr(lifespan, name) for name in ("service", "major", "since", "sunset", "successor", "author")}
            await connection.execute(insert(LIFESPAN).values(**values, stage=lifespan.stage.value))
            facts = {"sunset": lifespan.sunset, "successor": lifespan.successor}
            deed = (lifespan.stage.value, f"{lifespan.service}/{lifespan.major}", facts)
            await write_act(connection, lifespan.author, lifespan.since, deed)

    async def beat(self, node: Node) -> None:
        """Nodes."""
        values = {name: getattr(node, name) for name in ("roles", "epoch", "staged", "verdict", "until")}
        async with self.core.transaction() as connection:
            known = await connection.execute(update(NODE).where(NODE.c.id == node.id).values(**values))
            if not known.rowcount:
                await connection.execute(delete(NODE).where(NODE.c.until < node.until - FORGOTTEN_S))
                await connection.execute(insert(NODE).values(id=node.id, **values))

    async def leave(self, node_id: str) -> None:
        """Nodes."""
        async with self.core.transaction() as connection:
            await connection.execute(delete(NODE).where(NODE.c.id == node_id))

    async def nodes(self, now: float) -> Sequence[Node]:
        """Nodes."""
        async with self.core.transaction() as connection:
            return [_node(row) for row in await connection.execute(select(NODE).where(NODE.c.until > now).order_by(NODE.c.id))]

    async def published(self) -> Published:
        """Nodes."""
        async with self.core.transaction() as connection:
            query = select(tables.epoch).where(tables.epoch.c.name.in_([CATALOGUE, STAGING]))
            epochs = {row.name: row.value for row in await connection.execute(query)}
            seen = (epochs[CATALOGUE], epochs[STAGING])
            if seen != self._seen:
                self._published = await _published(connection, epochs[CATALOGUE])
                self._seen = seen
        return self._published


FORGOTTEN_S = 3_600.0
"""So long after its end a node's row is kept, for people to see."""


async def _published(connection: AsyncConnection, epoch: int) -> Published:
    states = [EditionState.LIVE.value, EditionState.STAGED.value]
    found = await connection.execute(select(EDITION).where(EDITION.c.state.in_(states)).order_by(EDITION.c.adapter))
    editions = [_read(row) for row in found]
    staged = next((each for each in editions if each.state is EditionState.STAGED), None)
    spans = [_lifespan(row) for row in await connection.execute(select(LIFESPAN))]
    live = tuple(each for each in editions if each.state is EditionState.LIVE)
    return Published(epoch, live, staged, {(each.service, each.major): each for each in spans})


async def _edition(connection: AsyncConnection, edition_id: str) -> Edition | None:
    if not rows.is_id(edition_id):
        return None
    row = (await connection.execute(select(EDITION).where(EDITION.c.id == edition_id))).one_or_none()
    return None if row is None else _read(row)


async def _refuse(connection: AsyncConnection, found: Edition, state: EditionState, decided: Decided) -> None:
    facts = _facts(found, refusals=list(decided.refusals))
    await _set(connection, found.id, state=state, facts=facts, decided_by=decided.author, decided_at=decided.at)
    await write_act(connection, decided.author, decided.at, _deed(f"{state.value}_edition", found))


async def _set(connection: AsyncConnection, edition_id: str, *, state: EditionState, **values: Any) -> None:
    await connection.execute(update(EDITION).where(EDITION.c.id == edition_id).values(state=state.value, **values))


def _facts(edition: Edition, **changes: Any) -> str:
    return json.encode({name: getattr(edition, name) for name in FACTS} | changes).decode()


def _read(row: Row[Any]) -> Edition:
    facts: Mapping[str, Any] = json.decode(row.facts.encode())
    texts = {name: tuple(facts[name]) for name in ("changes", "keeps", "refusals")}
    said: Mapping[str, Any] = {name: facts.get(name, "") for name in ("verb", "reason", "breaking", "base")} | texts
    ended = {"decided_by": row.decided_by, "decided_at": row.decided_at, "live_at": row.live_at}
    return Edition(row.id, row.adapter, row.digest, row.author, row.at, state=EditionState(row.state), **said, **ended)


def _node(row: Row[Any]) -> Node:
    return Node(row.id, row.roles, row.epoch, row.staged, row.verdict, row.until)


def _lifespan(row: Row[Any]) -> Lifespan:
    return Lifespan(row.service, row.major, Stage(row.stage), row.since, row.sunset, row.successor, row.author)


def _deed(verb: str, edition: Edition) -> tuple[str, str, Mapping[str, object]]:
    facts = {"digest": edition.digest, "edition": edition.id, "reason": edition.reason, "breaking": edition.breaking}
    return verb, edition.adapter, facts
