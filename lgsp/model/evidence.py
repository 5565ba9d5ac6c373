"""What is proven: events that are to be sealed, leaves with their place in the tree, signed heads, and whose turn it is to seal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Event(NamedTuple):
    """An exchange or an act, as texts by name; `topics`: by what it can be found again, each (kind, value).

    A tuple, as a leaf is: they are made a thousand times a second, and a frozen dataclass takes ten times as long.
    """

    at: float
    consumer: str
    fields: Mapping[str, str]
    topics: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody may seal until `until`; `fence` guards every write. `size` leaves and `batch` batches are sealed.

    read: how far each source of events (the log, the acts) is sealed.
    """

    fence: int
    until: float
    size: int
    batch: int
    read: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Unsealed:
    """Events in their order, and how far each source is read with them; `more`: there are others."""

    events: Sequence[Event]
    read: Mapping[str, int]
    more: bool = False


class SealedLeaf(NamedTuple):
    """A leaf in its place. nodes: its hash, then those that it completed; mac: by which the hub knows it again.

    fields is JSON text, and `erased` too (evidence/leaf.py), empty as long as nothing was.
    """

    number: int
    at: float
    consumer: str
    nodes: bytes
    mac: bytes
    seed: bytes
    fields: str
    erased: str = ""
    topics: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"SealedLeaf(number={self.number})"


@dataclass(frozen=True, slots=True)
class Head:
    """The root of a tree, signed; at: RFC 3339 in UTC; key: the fingerprint of the key that signed; batches are counted from 1."""

    batch: int
    size: int
    root: bytes
    at: str
    key: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sealed at once."""

    leaves: Sequence[SealedLeaf]
    head: Head
    read: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The newest batch whose head a recipient has, and since when (POSIX seconds; before the first: since it is a recipient)."""

    confirmed: int
    confirmed_at: float


@dataclass(frozen=True, slots=True)
class Traces:
    """What the evidence of an operation tells beside the exchange: on what ground, and which members hold a person's number."""

    basis: str = ""
    identifiers: frozenset[str] = frozenset()


NO_TRACES = Traces()


@dataclass(frozen=True, slots=True)
class Disclosed:
    """The ground of an exchange, the fields that left the hub by name, the marks of the people concerned; separated by spaces."""

    basis: str = ""
    fields: str = ""
    subjects: str = ""


NOTHING_DISCLOSED = Disclosed()
