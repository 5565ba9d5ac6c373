"""The Merkle tree of RFC 9162 against outside vectors and a naive twin; leaves whose fields can be withheld or erased."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgsp.evidence import tree, verifier
from lgsp.evidence.events import moment
from lgsp.evidence.keyed import Keyed
from lgsp.evidence.leaf import Leaf, leaf_mac, ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED = bytes(range(16))
FIELDS = ordered({"kind": "exchange", "consumer": "VN/GOV/H99/onestop", "official": "cb-17", "outcome": "delivered", "cause": ""})
TEXTS = st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), st.text(st.characters(codec="utf-8")), min_size=1)
KINDS = {
    "inclusion": lambda v, p: verifier.includes(v["leafIdx"], v["treeSize"], raw(v["leafHash"]), p, raw(v["root"])),
    "subtreeinclusion": lambda v, p: verifier.subtree_includes(v["leafIdx"], (v["start"], v["end"]), raw(v["leafHash"]), p, raw(v["root"])),
    "consistency": lambda v, p: verifier.continues(v["size1"], raw(v["root1"]), v["size2"], raw(v["root2"]), p),
    "subtreeconsistency": lambda v, p: verifier.subtree_continues((v["start"], v["end"]), raw(v["root1"]), v["size"], raw(v["root2"]), p),
}


def raw(text: str) -> bytes:
    return base64.b64decode(text)


@pytest.mark.parametrize(
    ("kind", "count"), [("inclusion", 98), ("subtreeinclusion", 204), ("consistency", 98), ("subtreeconsistency", 118)]
)
def test_every_outside_vector_has_its_verdict(corpora, kind, count):
    vectors = [json.loads(file.read_text()) for file in sorted((corpora / "merkle" / "testdata" / kind).rglob("*.json"))]

    wrong = [v["desc"] for v in vectors if KINDS[kind](v, [raw(node) for node in v["proof"] or ()]) == v["wantErr"]]

    assert wrong == []
    assert len(vectors) == count


# ---- a naive twin: section 2.1 as it is written ------------------------------------------------------------------------------------------


def naive_root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) < 2:
        return hashlib.sha256(b"\x00" + leaves[0]).digest() if leaves else hashlib.sha256(b"").digest()
    k = largest_power_below(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(place: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if place < k:
        return [*naive_path(place, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(place - k, leaves[k:]), naive_root(leaves[:k])]


def naive_consistency(size: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = largest_power_below(len(leaves))
    if size <= k:
        return [*naive_consistency(size, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*naive_consistency(size - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@dataclass(frozen=True, slots=True)
class Grown:
    """A tree grown leaf by leaf, with what its keeper keeps."""

    leaves: list[bytes]
    kept: tree.Keeper
    roots: list[bytes]


def grown(size: int) -> Grown:
    front, kept = verifier.Frontier(), {}
    leaves, roots = [b"%d" % n for n in range(size)], [verifier.EMPTY]
    for number, leaf in enumerate(leaves):
        node = verifier.leaf_hash(leaf)
        kept[number] = b"".join([node, *front.append(node)])
        roots.append(front.root())
    return Grown(leaves, kept, roots)


LARGEST = 70
GROWN = grown(LARGEST)


def test_roots_are_those_of_the_definition():
    assert GROWN.roots == [naive_root(GROWN.leaves[:size]) for size in range(LARGEST + 1)]


def test_each_inclusion_path_is_that_of_the_definition_and_holds():
    for size in (1, 2, 3, 7, 8, 33, LARGEST):
        for place in range(size):
            path = tree.path(tree.inclusion_spans(place, size), GROWN.kept)

            assert path == naive_path(place, GROWN.leaves[:size])
            assert verifier.includes(place, size, verifier.leaf_hash(GROWN.leaves[place]), path, GROWN.roots[size])


def test_each_consistency_path_is_that_of_the_definition_and_holds():
    for larger in (1, 2, 3, 7, 8, 33, LARGEST):
        for size in range(1, larger + 1):
            path = tree.path(tree.consistency_spans(size, larger), GROWN.kept)

            assert path == naive_consistency(size, GROWN.leaves[:larger])
            assert verifier.continues(size, GROWN.roots[size], larger, GROWN.roots[larger], path)


@given(st.integers(1, LARGEST), st.data())
def test_a_path_holds_for_no_other_leaf_place_size_or_root(size, data):
    place, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, LARGEST - 1))
    node, path = verifier.leaf_hash(GROWN.leaves[place]), tree.path(tree.inclusion_spans(place, size), GROWN.kept)

    assert verifier.includes(other, size, node, path, GROWN.roots[size]) == (other == place)
    assert verifier.includes(place, size, verifier.leaf_hash(GROWN.leaves[other]), path, GROWN.roots[size]) == (other == place)
    assert not verifier.includes(place, size, node, path, GROWN.roots[other + 1]) or other + 1 == size
    assert not verifier.includes(place, size, node, [*path, node], GROWN.roots[size])


def test_a_proof_reads_few_rows_and_a_frontier_goes_on_where_it_was_left():
    front = tree.frontier(33, {n: GROWN.kept[n] for n in tree.keepers([(0, 33)])})
    front.append(verifier.leaf_hash(GROWN.leaves[33]))

    assert front.root() == GROWN.roots[34]
    assert len(tree.keepers(tree.inclusion_spans(5, 1_000_000))) <= 30


def test_a_frontier_of_another_size_is_refused():
    with pytest.raises(verifier.WrongError, match="complete subtrees"):
        verifier.Frontier(3, [b""])


# ---- leaves ------------------------------------------------------------------------------------------------------------------------------


@given(TEXTS, st.data())
def test_a_leaf_hashes_alike_whole_withheld_and_erased(texts, data):
    leaf = Leaf(ordered(texts), SEED)
    some = data.draw(st.sets(st.sampled_from(sorted(texts))))
    erased = leaf.without(some)

    assert verifier.hash_of_fields(leaf.shown()) == leaf.node()
    assert verifier.hash_of_fields(leaf.shown(some)) == leaf.node()
    assert erased.node() == leaf.node()
    assert verifier.hash_of_fields(erased.shown()) == leaf.node()
    assert not set(erased.fields) & some


def test_a_withheld_field_shows_neither_value_nor_salt():
    shown = Leaf(FIELDS, SEED).shown({"official"})

    assert set(shown["official"]) == {"digest"}
    assert "cb-17" not in json.dumps(shown)


def test_an_erased_field_takes_the_seed_with_it():
    erased = Leaf(FIELDS, SEED).without({"official"})

    assert erased.seed == b""
    assert "official" not in erased.fields
    assert "official" not in erased.salts


@pytest.mark.parametrize(
    "changed",
    [
        {**FIELDS, "outcome": "failed"},
        ordered({**FIELDS, "more": ""}),
        {name: value for name, value in FIELDS.items() if name != "cause"},
        ordered({"causes": "", **{name: value for name, value in FIELDS.items() if name != "cause"}}),
    ],
)
def test_another_value_name_or_number_of_fields_is_another_leaf(changed):
    assert Leaf(changed, SEED).node() != Leaf(FIELDS, SEED).node()


def test_equal_leaves_do_not_look_alike():
    assert Leaf(FIELDS, SEED).node() != Leaf(FIELDS, bytes(16)).node()


def test_a_leaf_is_known_by_its_place_and_its_key():
    node = Leaf(FIELDS, SEED).node()

    assert len({leaf_mac(b"k", 0, node), leaf_mac(b"k", 1, node), leaf_mac(b"j", 0, node)}) == 3


@given(st.binary(max_size=64), st.binary(max_size=200))
def test_keyed_digests_are_hmac(key, content):
    assert Keyed(key).digest(content) == hmac.digest(key, content, "sha256")


def test_a_key_longer_than_a_block_is_refused():
    with pytest.raises(ValueError, match="64 bytes"):
        Keyed(bytes(65))


@given(st.floats(0, 4e9))
def test_moments_are_those_of_the_standard_library(at):
    assert moment(at) == datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")[:-6] + "Z"
