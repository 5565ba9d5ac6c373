"""Carries an edition to every node or to none: stage, wait for each node's word, turn, wait until each serves it. The port Rollout."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lgsp.errors import Fault, Violation
from lgsp.model.edition import EditionState, Node
from lgsp.ports.publishing import Decided

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from lgsp.ports.publishing import Editions, Nodes, Staging

    class Record(Editions, Staging, Nodes, Protocol):
        """Where all of it is written."""


CONFIRM_S = 15.0
"""So long a node that is alive may take to compile it; one that dies is alive for node.LEASE_S more."""
SERVE_S = 5.0
LOOK_S = 0.02
SILENT = "has not confirmed in time"


class StagedRollout:
    """`nudge` tells this process's own node that there is something to look at."""

    def __init__(self, record: Record, nudge: Callable[[], None], now: Callable[[], float], confirm_s: float = CONFIRM_S) -> None:
        self._record = record
        self._nudge = nudge
        self._now = now
        self._confirm_s = confirm_s

    async def roll_out(self, edition_id: str, decided: Decided) -> tuple[int, int]:
        """Rollout."""
        if not await self._record.stage(edition_id, decided.at + 2 * self._confirm_s, decided):
            raise Fault("publish-busy", retry_after_s=self._confirm_s)
        try:
            missing = await self._confirmed(edition_id)
        except (Fault, asyncio.CancelledError):
            await self._refuse(edition_id, decided, ["its publishing was broken off"])
            raise
        if missing:
            reasons = [f"{node.id} ({node.roles}): {node.verdict or SILENT}" if node.id else "no node is alive" for node in missing]
            await self._refuse(edition_id, decided, reasons)
            raise Fault("publish-refused", errors=[Violation("", reason, "node") for reason in reasons])
        return await self._served()

    async def _confirmed(self, edition_id: str) -> Sequence[Node]:
        """Who keeps it from going live; nobody, and it is live."""
        ends = asyncio.get_running_loop().time() + self._confirm_s
        while True:
            self._nudge()
            nodes = await self._record.nodes(self._now())
            against = [node for node in nodes if node.staged == edition_id and node.verdict]
            if against:
                return against
            is_over = asyncio.get_running_loop().time() > ends
            if is_over or (nodes and all(node.staged == edition_id for node in nodes)):
                missing = await self._record.go_live(edition_id, self._now())
                if not missing or is_over:
                    return missing
            await asyncio.sleep(LOOK_S)

    async def _served(self) -> tuple[int, int]:
        ends = asyncio.get_running_loop().time() + SERVE_S
        while True:
            self._nudge()
            epoch, nodes = (await self._record.published()).epoch, await self._record.nodes(self._now())
            live = sum(node.epoch >= epoch for node in nodes)
            if live == len(nodes) or asyncio.get_running_loop().time() > ends:
                return live, len(nodes)
            await asyncio.sleep(LOOK_S)

    async def _refuse(self, edition_id: str, decided: Decided, reasons: Sequence[str]) -> None:
        await self._record.end_edition(edition_id, EditionState.REFUSED, Decided(decided.author, self._now(), tuple(reasons)))
        self._nudge()
