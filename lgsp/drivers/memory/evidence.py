"""The sealed tree in memory; events are what the memory log and acts hold."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from lgsp.codec import json
from lgsp.evidence.batch import leaf_of
from lgsp.evidence.events import ABOUT, act_event, exchange_event, topics_of
from lgsp.model.evidence import Event, Head, SealedLeaf, Turn, Unsealed
from lgsp.model.happening import Closed, Opened
from lgsp.ports.office import Act

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lgsp.model.evidence import Batch
    from lgsp.model.happening import Settlement

RENEWED = 0.5


class MemoryEvidence:
    """The ports Sealing, Leaves and EvidenceLag."""

    rows: list[tuple[Opened | Closed, Settlement | None]]
    _acts: list[Act]
    _now: Callable[[], float]

    def __init__(self) -> None:
        self._holder = ""
        self._turn = Turn(0, 0.0, 0, 0, {"log": 0, "act": 0})
        self._leaves: list[SealedLeaf] = []
        self._heads: list[Head] = []
        self._kept_keys: dict[str, list[bytes]] = {}

    async def take_turn(self, holder: str, now: float, lease_s: float) -> Turn | None:
        """Sealing."""
        if self._holder != holder and self._turn.until > now:
            return None
        if self._holder != holder or self._turn.until <= now + lease_s * RENEWED:
            self._holder, self._turn = holder, replace(self._turn, fence=self._turn.fence + 1, until=now + lease_s)
        return self._turn

    async def unsealed(self, turn: Turn, limit: int) -> Unsealed:
        """Sealing."""
        found, read = self._closed(turn.read["log"], limit)
        acts = self._acts[turn.read["act"] :][:limit]
        events = [_act_event(turn.read["act"] + n, act) for n, act in enumerate(acts, 1)]
        return Unsealed([*found, *events], {"log": read, "act": turn.read["act"] + len(acts)}, more=limit in {len(found), len(acts)})

    def _closed(self, mark: int, limit: int) -> tuple[list[Event], int]:
        found: list[Event] = []
        for number, (row, _) in enumerate(self.rows[mark:], mark + 1):
            if len(found) == limit:
                return found, number - 1
            if isinstance(row, Closed):
                found.append(exchange_event(f"log {number}", row, self._opened(row, number)))
        return found, len(self.rows)

    def _opened(self, closed: Closed, number: int) -> Mapping[str, str]:
        for row, _ in reversed(self.rows[:number]):
            if isinstance(row, Opened) and (row.message_id, row.attempt) == (closed.message_id, closed.attempt):
                told = {name: str(value) for name, value in {**asdict(row.purpose), **asdict(row.disclosed)}.items() if value}
                return {**told, "provider": row.provider, "digest": row.request_digest.hex()}
        return {name: str(value) for name, value in asdict(closed.purpose).items() if value} if closed.purpose else {}

    async def events_between(self, name: str, after: int, until: int) -> Sequence[Event]:
        """Sources."""
        if name == "log":
            rows = [(number, row) for number, (row, _) in enumerate(self.rows, 1) if after < number <= until]
            return [exchange_event(f"log {number}", row, self._opened(row, number)) for number, row in rows if isinstance(row, Closed)]
        return [_act_event(number, act) for number, act in enumerate(self._acts, 1) if after < number <= until]

    async def oldest(self, name: str) -> int:
        """Sources; nothing is pruned."""
        return 1 if name else 0

    async def seal(self, turn: Turn, batch: Batch) -> Turn | None:
        """Sealing."""
        if (self._turn.fence, self._turn.size) != (turn.fence, turn.size):
            return None
        self._leaves += batch.leaves
        self._heads.append(batch.head)
        self._turn = replace(self._turn, size=len(self._leaves), batch=batch.head.batch, read=batch.read)
        return self._turn

    async def nodes_of(self, numbers: Collection[int]) -> Mapping[int, bytes]:
        """Sealing."""
        return {number: self._leaves[number].nodes for number in numbers if number < len(self._leaves)}

    async def leaves(self, start: int, end: int) -> Sequence[SealedLeaf]:
        """Leaves."""
        return [leaf._replace(topics=()) for leaf in self._leaves[start:end]]

    async def leaves_about(self, kind: str, value: str, limit: int) -> Sequence[SealedLeaf]:
        """Leaves."""
        return [leaf._replace(topics=()) for leaf in self._leaves if (kind, value) in leaf.topics][-limit:]

    async def between(self, since: float, until: float) -> tuple[int, int]:
        """Leaves."""
        found = [leaf.number for leaf in self._leaves if since <= leaf.at < until]
        return (found[0], found[-1] + 1) if found else (0, 0)

    async def heads(self, after: int, limit: int) -> Sequence[Head]:
        """Leaves."""
        return self._heads[after : after + limit]

    async def head(self, size: int | None = None) -> Head | None:
        """Leaves."""
        fitting = [head for head in self._heads if size is None or head.size >= size]
        return None if not fitting else fitting[-1] if size is None else fitting[0]

    async def erase(self, message_id: str, names: Collection[str], author: str, at: float) -> int:
        """Erasures."""
        changed = 0
        for number, row in enumerate(self._leaves):
            leaf = leaf_of(row)
            left = leaf.without(names)
            if (ABOUT, message_id) in row.topics and left is not leaf:
                fields, erased = left.packed()
                self._leaves[number] = row._replace(fields=fields, erased=erased, seed=b"", topics=topics_of(left.fields))
                changed += 1
        for number, (event, settlement) in enumerate(self.rows):
            if event.message_id == message_id:
                self.rows[number] = _forgotten(event, names), settlement
        if changed:
            self._acts.append(Act(at, author, "evidence_erase", message_id, {"fields": sorted(names), "leaves": changed}))
        return changed

    async def note_reading(self, author: str, at: float, deed: tuple[str, str, Mapping[str, object]]) -> None:
        """Reading."""
        self._acts.append(Act(at, author, *deed))

    async def load_or_create_key(self, kind: str, create: Callable[[], bytes]) -> tuple[str, bytes]:
        """KeyStore."""
        keys = self._kept_keys.setdefault(kind, [])
        if not keys:
            keys.append(create())
        return str(len(keys)), keys[-1]

    async def keys_of(self, kind: str) -> Sequence[bytes]:
        """KeyStore."""
        return self._kept_keys.get(kind, ())

    async def add_key(self, kind: str, plain: bytes, author: str, at: float) -> None:
        """KeyStore."""
        self._kept_keys.setdefault(kind, []).append(plain)
        self._acts.append(Act(at, author, "rotate_key", kind, {}))

    async def look_behind(self) -> None:
        """It is seen as it is."""

    def behind_s(self) -> float:
        """EvidenceLag."""
        waiting = [row.at for row, _ in self.rows[self._turn.read["log"] :] if isinstance(row, Closed)]
        waiting += [act.at for act in self._acts[self._turn.read["act"] :]]
        return max(0.0, self._now() - min(waiting)) if waiting else 0.0


def _act_event(number: int, act: Act) -> Event:
    return act_event(f"act {number}", act.at, (act.author, act.verb, act.subject), json.encode(act.facts).decode())


def _forgotten(event: Opened | Closed, names: Collection[str]) -> Opened | Closed:
    disclosed = replace(event.disclosed, subjects="") if "subjects" in names else event.disclosed
    if isinstance(event, Closed):
        return replace(event, disclosed=disclosed)
    gone = {name: None for name in names if hasattr(event.purpose, name)}
    return replace(event, disclosed=disclosed, purpose=replace(event.purpose, **gone))
