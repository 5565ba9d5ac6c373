"""A leaf as the hub keeps it: named texts, each under a salt of its own; one can be withheld from a file, or erased for good.

The salts of a leaf are drawn from its seed (SHAKE-256), one for each name in their order, so that 16 bytes are kept and not a salt a field;
a salt that is shown tells nothing of the others. Once a field was erased, the salts of the others are kept in place of the seed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from lgsp.evidence.keyed import Keyed
from lgsp.evidence.verifier import LEAF_MARK, SALT_BYTES, field_digest, hash_of_digests

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SEED_BYTES = 16
MAC_BYTES = 16

_sha256 = hashlib.sha256
_encode = msgspec.json.Encoder().encode
_texts = msgspec.json.Decoder(dict[str, str])
_left = msgspec.json.Decoder(dict[str, dict[str, str]])


@dataclass(frozen=True, slots=True)
class Leaf:
    """Fields in the order of their names; `salts` and `erased` (digests) by name in place of the seed, once something was erased."""

    fields: Mapping[str, str]
    seed: bytes = field(default=b"", repr=False)
    salts: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    erased: Mapping[str, bytes] = field(default_factory=dict)

    def node(self) -> bytes:
        """Its hash in the tree."""
        return _node(self.fields, self.seed) if self.seed else hash_of_digests(self._digests())

    def shown(self, withheld: Iterable[str] = ()) -> dict[str, dict[str, str]]:
        """As files show it: a withheld or erased field by its digest."""
        hidden, salts, shown = set(withheld), self._salts(), {}
        for name, digest in self._digests().items():
            gone = name in hidden or name not in self.fields
            shown[name] = {"digest": digest.hex()} if gone else {"salt": salts[name].hex(), "value": self.fields[name]}
        return shown

    def without(self, names: Iterable[str]) -> Leaf:
        """The same leaf, as certain as before, after these fields were erased."""
        gone = {name for name in names if name in self.fields}
        if not gone:
            return self
        digests, salts = self._digests(), self._salts()
        kept = {name: value for name, value in self.fields.items() if name not in gone}
        erased = {**self.erased, **{name: digests[name] for name in gone}}
        return Leaf(kept, b"", {name: salts[name] for name in kept}, erased)

    def packed(self) -> tuple[str, str]:
        """`fields` and `erased` as they are kept."""
        if self.seed:
            return _encode(self.fields).decode(), ""
        digests = {name: digest.hex() for name, digest in self.erased.items()}
        left = {"digests": digests, "salts": {name: salt.hex() for name, salt in self.salts.items()}}
        return _encode(self.fields).decode(), _encode(left).decode()

    @staticmethod
    def left(fields: str, erased: str) -> Leaf:
        """What was left of a leaf, from what is kept."""
        left = _left.decode(erased)
        salts, digests = ({name: bytes.fromhex(text) for name, text in left[part].items()} for part in ("salts", "digests"))
        return Leaf(_texts.decode(fields), b"", salts, digests)

    def _salts(self) -> Mapping[str, bytes]:
        if not self.seed:
            return self.salts
        drawn = hashlib.shake_256(self.seed).digest(SALT_BYTES * len(self.fields))
        return {name: drawn[SALT_BYTES * place :][:SALT_BYTES] for place, name in enumerate(self.fields)}

    def _digests(self) -> dict[str, bytes]:
        salts = self._salts()
        live = {name: field_digest(name, salts[name], value) for name, value in self.fields.items()}
        return dict(sorted({**live, **self.erased}.items()))


def node_of_text(fields: str, seed: bytes) -> bytes:
    """The hash of a leaf from its fields as they are kept."""
    return _node(_texts.decode(fields), seed)


def ordered(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a leaf to be, in the order of their names."""
    return dict(sorted(fields.items()))


def leaf_mac(key: bytes, number: int, node: bytes) -> bytes:
    """By which the hub knows a leaf and its place again: nobody without the key makes one for another leaf, or another place."""
    return _keyed(key).digest(number.to_bytes(8, "big") + node)[:MAC_BYTES]


_keyed = lru_cache(maxsize=4)(Keyed)


def _node(fields: Mapping[str, str], seed: bytes) -> bytes:
    """`hash_of_digests` over the digests of every field, for the many."""
    names = tuple(fields)
    drawn = hashlib.shake_256(seed).digest(SALT_BYTES * len(names))
    parts = [LEAF_MARK]
    for prefix, value, at in zip(_prefixes(names), fields.values(), range(0, len(drawn), SALT_BYTES), strict=True):
        parts += (prefix, _sha256(drawn[at : at + SALT_BYTES] + prefix + value.encode()).digest())
    return _sha256(b"".join(parts)).digest()


@lru_cache(maxsize=64)
def _prefixes(names: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(bytes((len(name.encode()),)) + name.encode() for name in names)
