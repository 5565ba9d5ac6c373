"""A process as a node of the hub: it says that it is alive, tries what is staged, and serves what is live.

What is live is decided by one row of the database; a node that sees that it is behind is not ready until it has caught up, and its worker
claims nothing, for a message is translated by the current mapping only.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from lgsp.errors import ContractError, Fault, SettingsError
from lgsp.model.agreed import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Protocol

    from lgsp.model.agreed import Provider
    from lgsp.model.catalogue import Catalogue
    from lgsp.model.edition import Node, Published
    from lgsp.ports.publishing import BindingBook, Nodes

    class Record(Nodes, BindingBook, Protocol):
        """Where nodes and bindings are written."""

    class Shop(Protocol):
        """The catalogue of this process."""

        def current(self) -> Catalogue: ...

        async def adopt(self, published: Published) -> Catalogue: ...

        async def rehearsed(self, published: Published) -> Catalogue: ...

    Listen = Callable[[Sequence[str]], Awaitable[None]]

LOOK_S = 0.25
BEAT_S, LEASE_S = 1.0, 5.0
AGAIN_S = 5.0
"""After so long a node tries again what it could not load."""
FRESH_S = 0.5
"""For so long a look vouches for readiness, so that balancers and people who ask often cost the database nothing."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a change of the catalogue means for the rest of the process.

    check: raises SettingsError where these providers cannot be reached as this hub is set up. adopt: told once the new one is served.
    rebind: told what the hub binds now; raises SettingsError where that cannot be used, and the values of before stay.
    behind: told whether this node serves something else than is live.
    """

    check: Callable[[Sequence[Provider]], None]
    adopt: Callable[[Catalogue], None]
    behind: Callable[[bool], None]
    rebind: Callable[[Mapping[str, str]], None]


class NodeAgent:
    """Until it is cancelled; `node` is how it stands in the database."""

    def __init__(self, record: Record, shop: Shop, node: Node, turn: Turn, now: Callable[[], float]) -> None:
        self.node = node
        self._nodes: Nodes = record
        self._book: BindingBook = record
        self._shop = shop
        self._turn = turn
        self._now = now
        self._nudged = asyncio.Event()
        self._beat_at = self._again_at = 0.0
        self._live_epoch, self._looked_at = -1, -FRESH_S
        self._bindings: Mapping[str, str] | None = None
        self._listen: Listen | None = None
        self._heard: set[str] = set()
        self._listening: set[asyncio.Future[None]] = set()
        self._left = False
        self._log = structlog.get_logger().bind(logger="lgsp.node")

    async def run(self) -> None:
        """Look, every LOOK_S and when nudged, for ever; a database that is away is asked again."""
        while True:
            try:
                await self.look()
            except Fault as fault:
                self._log.warning("look_failed", cause=fault.slug)
            self._nudged.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._nudged.wait()

    def nudge(self) -> None:
        """Something is staged or live: look now."""
        self._nudged.set()

    async def hear(self, listen: Listen) -> None:
        """Listen to the bell for every provider, and for new ones when they come."""
        self._listen = listen
        self._heard = {*self._shop.current().providers, CHANNELS}
        await listen(tuple(self._heard))

    async def is_current(self) -> bool:
        """Whether it serves what is live, by the last look; asked anew where that is old, as a node may have been asleep."""
        if self._now() - self._looked_at < FRESH_S:
            return self._live_epoch == self.node.epoch
        try:
            return (await self._nodes.published()).epoch == self.node.epoch
        except Fault:
            return False

    async def leave(self) -> None:
        """It serves no more: nobody waits for its word."""
        self._left = True
        with suppress(Fault):
            await self._nodes.leave(self.node.id)

    async def look(self) -> None:
        """Catch up, try what is staged, say so."""
        await self._rebind()
        published, before = await self._nodes.published(), self.node
        self._live_epoch, self._looked_at = published.epoch, self._now()
        if published.epoch != self.node.epoch:
            await self._catch_up(published)
        staged = published.staged.id if published.staged else ""
        if staged != self.node.staged and published.epoch == self.node.epoch:
            verdict = await self._verdict(published) if staged else ""
            self.node = replace(self.node, staged=staged, verdict=verdict)
        if not self._left and (self.node != before or self._now() >= self._beat_at):
            self._beat_at = self._now() + BEAT_S
            self.node = replace(self.node, until=self._now() + LEASE_S)
            await self._nodes.beat(self.node)

    async def _rebind(self) -> None:
        bindings = await self._book.bindings()
        if bindings is self._bindings:
            return
        self._bindings = bindings
        try:
            self._turn.rebind(bindings)
        except SettingsError as error:
            self._log.error("bindings_unusable", cause=str(error)[:2000])

    async def _catch_up(self, published: Published) -> None:
        self._turn.behind(True)  # noqa: FBT003  # the one fact that is told
        if self._now() < self._again_at:
            return
        try:
            self._turn.check(tuple((await self._shop.rehearsed(replace(published, staged=None))).providers.values()))
            catalogue = await self._shop.adopt(published)
        except (ContractError, SettingsError) as error:
            self._again_at = self._now() + AGAIN_S
            self._log.error("catalogue_behind", epoch=published.epoch, cause=str(error)[:2000])
            return
        self._turn.adopt(catalogue)
        self.node = replace(self.node, epoch=published.epoch, staged="", verdict="")
        self._turn.behind(False)  # noqa: FBT003  # as above
        self._hear_new(catalogue)
        self._log.info("catalogue_swapped", epoch=published.epoch, digest=catalogue.digest[:12])

    async def _verdict(self, published: Published) -> str:
        """Why the staged edition cannot be served here; empty where it can."""
        try:
            self._turn.check(tuple((await self._shop.rehearsed(published)).providers.values()))
        except (ContractError, SettingsError) as error:
            return str(error)[:2000]
        return ""

    def _hear_new(self, catalogue: Catalogue) -> None:
        new = tuple(code for code in catalogue.providers if code not in self._heard)
        if new and self._listen is not None:
            self._heard.update(new)
            task = asyncio.ensure_future(self._listen(new))
            self._listening.add(task)
            task.add_done_callback(self._listening.discard)
