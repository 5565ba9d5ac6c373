"""Bundles, editions, nodes and bindings in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.model.edition import Edition, EditionState, Lifespan, Node, Published
from lgsp.ports.office import Act

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.ports.publishing import Bundle, Decided

BEFORE = {EditionState.REJECTED: EditionState.PROPOSED, EditionState.REFUSED: EditionState.STAGED}


class MemoryEditions:
    """The ports Bundles, Editions, Staging, Nodes and BindingBook."""

    _acts: list[Act]

    def __init__(self) -> None:
        self._bundles: dict[str, Bundle] = {}
        self._editions: dict[str, Edition] = {}
        self._staged_until = 0.0
        self._nodes: dict[str, Node] = {}
        self._published = Published()
        self._bindings: dict[str, str] = {}

    async def keep_bundle(self, bundle: Bundle, author: str, at: float) -> bool:
        """Bundles."""
        if bundle.digest in self._bundles:
            return False
        self._bundles[bundle.digest] = bundle
        self._acts.append(Act(at, author, "upload_bundle", bundle.adapter, {"digest": bundle.digest}))
        return True

    async def bundle(self, digest: str) -> Bundle | None:
        """Bundles."""
        return self._bundles.get(digest)

    async def propose_edition(self, edition: Edition) -> None:
        """Editions."""
        self._editions[edition.id] = edition
        self._did(edition.author, edition.at, f"propose_{edition.verb}", edition)

    async def edition(self, edition_id: str) -> Edition | None:
        """Editions."""
        return self._editions.get(edition_id)

    async def editions(self, adapter: str, limit: int) -> Sequence[Edition]:
        """Editions."""
        found = [each for each in self._editions.values() if adapter in {"", each.adapter}]
        return sorted(found, key=lambda each: (each.at, each.id), reverse=True)[:limit]

    async def end_edition(self, edition_id: str, state: EditionState, decided: Decided) -> bool:
        """Editions."""
        found = self._editions.get(edition_id)
        if found is None or found.state is not BEFORE[state]:
            return False
        self._put_edition(replace(found, state=state, refusals=tuple(decided.refusals), decided_by=decided.author, decided_at=decided.at))
        self._did(decided.author, decided.at, f"{state.value}_edition", found)
        return True

    async def stage(self, edition_id: str, until: float, decided: Decided) -> bool:
        """Staging."""
        found, staged = self._editions.get(edition_id), self._published.staged
        if found is None or found.state is not EditionState.PROPOSED:
            return False
        if staged is not None and self._staged_until > decided.at:
            return False
        if staged is not None:
            self._put_edition(replace(staged, state=EditionState.REFUSED, refusals=("abandoned",)))
        self._staged_until = until
        self._put_edition(replace(found, state=EditionState.STAGED, decided_by=decided.author, decided_at=decided.at))
        return True

    async def go_live(self, edition_id: str, at: float) -> Sequence[Node]:
        """Staging."""
        alive = await self.nodes(at)
        missing = [node for node in alive if node.staged != edition_id or node.verdict]
        found = self._editions[edition_id]
        if missing or not alive or found.state is not EditionState.STAGED:
            return missing or [Node("", "")]
        for other in [each for each in self._editions.values() if each.adapter == found.adapter and each.state is EditionState.LIVE]:
            self._put_edition(replace(other, state=EditionState.SUPERSEDED))
        self._put_edition(replace(found, state=EditionState.LIVE, live_at=at))
        self._published = replace(self._published, epoch=self._published.epoch + 1)
        self._did(found.decided_by, at, found.verb, found)
        return []

    async def set_lifespan(self, lifespan: Lifespan) -> None:
        """Staging."""
        lifespans = {**self._published.lifespans, (lifespan.service, lifespan.major): lifespan}
        self._published = replace(self._published, epoch=self._published.epoch + 1, lifespans=lifespans)
        facts = {"sunset": lifespan.sunset, "successor": lifespan.successor}
        self._acts.append(Act(lifespan.since, lifespan.author, lifespan.stage.value, f"{lifespan.service}/{lifespan.major}", facts))

    async def beat(self, node: Node) -> None:
        """Nodes."""
        self._nodes[node.id] = node

    async def leave(self, node_id: str) -> None:
        """Nodes."""
        self._nodes.pop(node_id, None)

    async def nodes(self, now: float) -> Sequence[Node]:
        """Nodes."""
        return [node for _, node in sorted(self._nodes.items()) if node.until > now]

    async def published(self) -> Published:
        """Nodes."""
        return self._published

    async def bindings(self) -> Mapping[str, str]:
        """BindingBook."""
        return self._bindings

    async def bind(self, name: str, value: str, author: str, at: float) -> None:
        """BindingBook."""
        self._bindings = {**self._bindings, name: value}
        self._acts.append(Act(at, author, "bind", name, {}))

    async def unbind(self, name: str, author: str, at: float) -> bool:
        """BindingBook."""
        if name not in self._bindings:
            return False
        self._bindings = {key: value for key, value in self._bindings.items() if key != name}
        self._acts.append(Act(at, author, "unbind", name, {}))
        return True

    def _put_edition(self, edition: Edition) -> None:
        self._editions[edition.id] = edition
        editions = sorted(self._editions.values(), key=lambda each: each.adapter)
        live = tuple(each for each in editions if each.state is EditionState.LIVE)
        staged = next((each for each in editions if each.state is EditionState.STAGED), None)
        self._published = replace(self._published, live=live, staged=staged)

    def _did(self, author: str, at: float, verb: str, edition: Edition) -> None:
        facts = {"digest": edition.digest, "edition": edition.id, "reason": edition.reason, "breaking": edition.breaking}
        self._acts.append(Act(at, author, verb, edition.adapter, facts))
