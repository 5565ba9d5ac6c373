"""A walk along the sealed tree, leaf by leaf: each stands in its place, is what it was, and leads to the roots that were signed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lgsp.evidence.batch import node_of, shown_head
from lgsp.evidence.verifier import HASH_BYTES, Frontier, WrongError, check_head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.evidence.check import Packed
    from lgsp.model.evidence import Head, SealedLeaf

CHANGED = "its fields, its salts or its place are not those that were sealed"


@dataclass(slots=True)
class Walk:
    """Where the walk stands. heads: of the batches after `batch`, as far as the walk goes; keys: public, in hex, by fingerprint."""

    hub: str
    keys: Mapping[str, str]
    front: Frontier
    batch: int
    heads: Sequence[Head]
    passed: list[Head] = field(default_factory=list)
    start: int = field(init=False)

    def __post_init__(self) -> None:
        self.start = self.front.size

    def step(self, rows: Sequence[SealedLeaf], nodes: bytes, wrong: int | None) -> None:
        """Go on by these leaves; raises WrongError at the first that is wrong."""
        for place, row in enumerate(rows):
            if row.number != self.front.size:
                raise WrongError("it is missing", self.front.size)
            if place == wrong:
                raise WrongError(CHANGED, row.number)
            node = nodes[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            completed = self.front.append(node)
            if b"".join([node, *completed]) != row.nodes:
                raise WrongError("the nodes kept with it are not those of the tree", row.number)
            self._pass_head()

    def end(self) -> None:
        """Nothing may be left over: neither a head without its leaves, nor leaves behind the last head."""
        if len(self.passed) < len(self.heads):
            raise WrongError(f"it is missing: a head of {self.heads[-1].size} leaves was signed", self.front.size)
        covered = self.heads[-1].size if self.heads else self.start
        if self.front.size != covered:
            raise WrongError("no head covers it", covered)

    def _pass_head(self) -> None:
        head = self.heads[len(self.passed)] if len(self.passed) < len(self.heads) else None
        if head is None or head.size > self.front.size:
            return
        since = self.passed[-1].size if self.passed else self.start
        if head.batch != self.batch + 1 or head.size < self.front.size:
            raise WrongError(f"the head of batch {self.batch + 1} is missing", since)
        if head.root != self.front.root():
            raise WrongError(f"the root of batch {head.batch} is not that of its leaves", since)
        try:
            check_head(shown_head(head, self.hub), self.keys)
        except WrongError as error:
            raise WrongError(str(error), since) from error
        self.batch = head.batch
        self.passed.append(head)


def packed(rows: Sequence[SealedLeaf]) -> list[Packed]:
    """Leaves as evidence/check.py takes them."""
    return [(row.number, node_of(row), row.mac, row.seed, row.fields, row.erased) for row in rows]
