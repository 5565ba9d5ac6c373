"""Sealing: events become leaves at the end of the tree, and the tree's new root is signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from lgsp.evidence.leaf import SEED_BYTES, Leaf, leaf_mac, ordered
from lgsp.evidence.verifier import HASH_BYTES, Frontier, WrongError, head_text
from lgsp.model.evidence import Batch, Head, SealedLeaf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lgsp.model.evidence import Event, Turn, Unsealed

_encode = msgspec.json.Encoder().encode
_texts = msgspec.json.Decoder(dict[str, str])


class Signer(Protocol):
    """A signing key, by its fingerprint."""

    fingerprint: str

    def sign(self, content: bytes) -> bytes: ...


def append(front: Frontier, events: Sequence[Event], mac_key: bytes, random: Callable[[int], bytes]) -> list[SealedLeaf]:
    """The leaves of these events; the frontier grows by them."""
    leaves, seeds = [], random(SEED_BYTES * len(events))
    for place, event in enumerate(events):
        number, seed = front.size, seeds[place * SEED_BYTES : (place + 1) * SEED_BYTES]
        fields = ordered(event.fields)
        node = Leaf(fields, seed).node()
        nodes = b"".join([node, *front.append(node)])
        text, mac = _encode(fields).decode(), leaf_mac(mac_key, number, node)
        leaves.append(SealedLeaf(number, event.at, event.consumer, nodes, mac, seed, text, "", event.topics))
    return leaves


def sealed(turn: Turn, unsealed: Unsealed, leaves: Sequence[SealedLeaf], head: Head) -> Batch:
    """All that one transaction writes."""
    return Batch(leaves, head, {**turn.read, **unsealed.read})


def signed_head(front: Frontier, batch: int, at: str, hub: str, signer: Signer) -> Head:
    """The head of the tree as it stands."""
    shown = {"hub": hub, "batch": batch, "size": front.size, "root": front.root().hex(), "at": at, "key": signer.fingerprint}
    return Head(batch, front.size, front.root(), at, signer.fingerprint, signer.sign(head_text(shown)))


def shown_head(head: Head, hub: str) -> dict[str, str | int]:
    """A head as files show it."""
    shown: dict[str, str | int] = {"hub": hub, "batch": head.batch, "size": head.size, "root": head.root.hex(), "at": head.at}
    return {**shown, "key": head.key, "signature": head.signature.hex()}


def leaf_of(row: SealedLeaf) -> Leaf:
    """A leaf as it was sealed, or what was left of it; WrongError if it cannot be read any more."""
    try:
        return Leaf.left(row.fields, row.erased) if row.erased else Leaf(_texts.decode(row.fields), row.seed)
    except (ValueError, KeyError) as error:
        raise WrongError("it cannot be read", row.number) from error


def node_of(row: SealedLeaf) -> bytes:
    """The hash that is kept with a leaf."""
    return row.nodes[:HASH_BYTES]
