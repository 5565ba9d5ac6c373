"""What sealing and proving need: events in an order that nothing slips through, one writer of the tree, leaves and heads to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

    from lgsp.evidence.check import Checked
    from lgsp.model.evidence import Batch, Confirmed, Event, Head, SealedLeaf, Turn, Unsealed


class Sealing(Protocol):
    """The end of the tree; of all nodes one has the turn."""

    async def take_turn(self, holder: str, now: float, lease_s: float) -> Turn | None:
        """The turn of this holder, taken if nobody has it; None while somebody else does."""

    async def unsealed(self, turn: Turn, limit: int) -> Unsealed:
        """Closed exchanges and acts that have no leaf; never one while another that was written before it may still become visible."""

    async def seal(self, turn: Turn, batch: Batch) -> Turn | None:
        """Write leaves, head and how far was read in one transaction; None, and nothing written, if the turn is somebody else's by now."""

    async def nodes_of(self, numbers: Collection[int]) -> Mapping[int, bytes]:
        """The nodes that are kept with these leaves."""


class Leaves(Protocol):
    """The sealed tree."""

    async def leaves(self, start: int, end: int) -> Sequence[SealedLeaf]:
        """Those from `start` to before `end`, by number; without their topics."""

    async def between(self, since: float, until: float) -> tuple[int, int]:
        """From which number to before which the leaves lie whose events ended in this time; others may lie among them."""

    async def leaves_about(self, kind: str, value: str, limit: int) -> Sequence[SealedLeaf]:
        """The newest leaves with this topic, oldest first."""

    async def heads(self, after: int, limit: int) -> Sequence[Head]:
        """Heads of the batches after this one, in their order."""

    async def head(self, size: int | None = None) -> Head | None:
        """The first head of a tree of at least `size` leaves; without a size the newest."""


class EvidenceLag(Protocol):
    """How far behind sealing is, as this process last saw it."""

    def behind_s(self) -> float:
        """The age of the oldest event without a leaf; 0 where there is none."""


class EvidenceKeys(Protocol):
    """The keys that sign heads; every one that ever did."""

    async def publics(self) -> Mapping[str, str]:
        """Public keys in hex, by fingerprint, the newest last."""

    async def rotate(self, author: str, at: float) -> str:
        """Sign with a new key from the next turn on; its fingerprint. That it was made is an act."""


class LeafCheck(Protocol):
    """Leaves hashed anew and compared with what is kept."""

    def check(self, pages: AsyncIterator[Sequence[SealedLeaf]]) -> AsyncIterator[tuple[Sequence[SealedLeaf], Checked]]:
        """Each page with its verdict (evidence/check.py), in their order."""


class Sources(Protocol):
    """What was sealed, as it stands now where it came from: the log and the acts."""

    async def events_between(self, name: str, after: int, until: int) -> Sequence[Event]:
        """Events of rows after one number up to another, of the source `log` or `act`; their field `source` names the row."""

    async def oldest(self, name: str) -> int:
        """The number of the first row that was not pruned."""


class Erasures(Protocol):
    """Fields that are to be gone from evidence and log."""

    async def erase(self, message_id: str, names: Collection[str], author: str, at: float) -> int:
        """Erase these fields of every sealed leaf of an exchange, and of its rows in the log; how many leaves had them. It is an act."""


class Reading(Protocol):
    """That evidence about people was read."""

    async def note_reading(self, author: str, at: float, deed: tuple[str, str, Mapping[str, object]]) -> None:
        """An act: (verb, subject, facts)."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The evidence of one hub, for those who prove and audit.

    hub: its own URI, as heads name it. digest: that of the engine, with which people's numbers are marked.
    """

    leaves: Leaves
    sealing: Sealing
    keys: EvidenceKeys
    checks: LeafCheck
    reading: Reading
    erasures: Erasures
    sources: Sources
    hub: str
    digest: Callable[[bytes], bytes]


class Sending(Protocol):
    """What recipients of heads have confirmed."""

    async def take_sending(self, recipient: str, now: float, lease_s: float) -> Confirmed | None:
        """The turn to send to it; None while it is somebody's, for `lease_s` after it was taken."""

    async def confirm(self, recipient: str, batch: int, at: float) -> None: ...


class HeadKeeper(Protocol):
    """Heads of other hubs."""

    async def witness(self, hub: str, head: Head) -> bool:
        """Keep it; False, and the one before stays, where the hub gave another root for this size."""

    async def witnessed(self, hub: str, after: int, limit: int) -> Sequence[Head]:
        """The kept heads of a hub, of batches after this one, in their order."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A keeper of others' heads; trusted: the fingerprint of the key of each hub whose heads are kept."""

    heads: HeadKeeper
    trusted: Mapping[str, str]
