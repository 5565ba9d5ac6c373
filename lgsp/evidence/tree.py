"""Which nodes of a kept Merkle tree a proof needs, and the proof made of them (RFC 9162, section 2.1).

Whoever keeps a tree keeps, with each leaf, its hash and the nodes that it completed: leaf n completes a subtree of 2**k leaves for every k
up to the number of trailing zero bits of n + 1. So each complete subtree is found at its last leaf, and no proof reads many rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.evidence.verifier import HASH_BYTES, Frontier, node_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Span = tuple[int, int]
"""The leaves from the first number to before the second."""
Keeper = dict[int, bytes]
"""By the number of a leaf, what is kept with it: its hash, then the nodes that it completed, lowest first."""


def inclusion_spans(place: int, size: int) -> list[Span]:
    """Whose roots, in their order, are the path of a leaf (section 2.1.3.1)."""
    spans, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if place < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(size: int, larger: int) -> list[Span]:
    """Whose roots, in their order, prove that the tree of `larger` leaves begins with that of `size` (section 2.1.4.1)."""
    spans, start, end = [], 0, larger
    while size != end:
        middle = start + _split(end - start)
        if size <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return ([(start, end)] if start else []) + spans[::-1]


def keepers(spans: Sequence[Span]) -> set[int]:
    """The leaves with which the nodes are kept that make the roots of these spans."""
    return {last for span in spans for last, _ in _complete(span)}


def path(spans: Sequence[Span], kept: Mapping[int, bytes]) -> list[bytes]:
    """The roots of these spans."""
    return [_root(span, kept) for span in spans]


def frontier(size: int, kept: Mapping[int, bytes]) -> Frontier:
    """What is needed to append to the tree of `size` leaves."""
    return Frontier(size, [_node(kept[last], level) for last, level in _complete((0, size))])


def _split(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1


def _complete(span: Span) -> list[tuple[int, int]]:
    """The complete subtrees of a span, largest first: (last leaf, level)."""
    start, end = span
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        start += 1 << level
        found.append((start - 1, level))
    return found


def _root(span: Span, kept: Mapping[int, bytes]) -> bytes:
    *left, last = [_node(kept[number], level) for number, level in _complete(span)]
    for node in reversed(left):
        last = node_hash(node, last)
    return last


def _node(kept: bytes, level: int) -> bytes:
    return kept[level * HASH_BYTES : (level + 1) * HASH_BYTES]
