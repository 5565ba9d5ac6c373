"""Leaves hashed anew and compared with what is kept, many at once; as a process of its own it takes pages from standard input.

A page is four bytes of length and MessagePack: first the key of the macs, then lists of (number, node, mac, seed, fields, erased). The
answer to a list is framed alike: the hashes of its leaves one after the other, and the place of the first that is not what it was, or None.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from lgsp.evidence.leaf import Leaf, leaf_mac, node_of_text

if TYPE_CHECKING:
    from collections.abc import Iterable

Packed = tuple[int, bytes, bytes, bytes, str, str]
"""(number, kept hash, mac, seed, fields, erased)."""
Checked = tuple[bytes, int | None]
LENGTH_BYTES = 4

_pages = msgspec.msgpack.Decoder(list[Packed])


def check(rows: Iterable[Packed], mac_key: bytes) -> Checked:
    """The hash of each leaf, up to the first that is wrong, and its place in the page."""
    nodes: list[bytes] = []
    for place, (number, kept, mac, seed, fields, erased) in enumerate(rows):
        try:
            node = node_of_text(fields, seed) if seed else Leaf.left(fields, erased).node()
        except (ValueError, KeyError, AttributeError, TypeError):
            return b"".join(nodes), place
        if node != kept or mac != leaf_mac(mac_key, number, node):
            return b"".join(nodes), place
        nodes.append(node)
    return b"".join(nodes), None


def framed(value: Any) -> bytes:
    """A value with its length before it."""
    packed = msgspec.msgpack.encode(value)
    return len(packed).to_bytes(LENGTH_BYTES, "big") + packed


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer page after page until there is none."""
    mac_key = msgspec.msgpack.decode(_frame(source), type=bytes)
    while page := _frame(source):
        sink.write(framed(check(_pages.decode(page), mac_key)))
        sink.flush()


def _frame(source: BinaryIO) -> bytes:
    return source.read(int.from_bytes(source.read(LENGTH_BYTES), "big"))


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
