"""Checks evidence of a hub offline. One file that needs no hub: the standard library, and `cryptography` for the signatures of heads.

    python verifier.py FILE... [--key FINGERPRINT] [--heads FILE]

FILE is what `lgsp audit prove` or `lgsp audit export` wrote. The tree is that of RFC 9162, section 2.1: SHA-256 of 0x00 and a leaf, of 0x01
and two nodes. A leaf is b"lgsp-leaf-1" and, for each of its fields in the order of their names, the length of the name (one byte), the name
and the field's digest: SHA-256 of a salt of 16 bytes, the length of the name, the name and the value (all UTF-8). A field that shows
its digest in place of salt and value was withheld or erased; the rest of its leaf is as certain as before. A head is the text of
`head_text`, signed with Ed25519 (RFC 8032). Whoever trusts a key's fingerprint, or keeps a head that left the hub, trusts nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

sha256 = hashlib.sha256
HASH_BYTES = 32
SALT_BYTES = 16
EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""
LEAF_MARK = b"\x00lgsp-leaf-1"
HEAD_LINES = ("hub", "batch", "size", "root", "at", "key")
PROOF, EXPORT = "lgsp-proof-1", "lgsp-export-1"


class WrongError(Exception):
    """The evidence does not hold; `number`: the first leaf that is wrong, where one can be named (leaves are counted from 0)."""

    def __init__(self, reason: str, number: int | None = None) -> None:
        super().__init__(reason if number is None else f"leaf {number}: {reason}")
        self.number = number


# ---- the tree (RFC 9162, section 2.1) ---------------------------------------------------------------------------------------------------


def leaf_hash(content: bytes) -> bytes:
    """The node of one leaf."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node above two."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees of a tree, largest first: all that is needed to append to it, and to know its root."""

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.nodes = list(nodes)
        if len(self.nodes) != size.bit_count():
            raise WrongError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(self.nodes)}")

    def append(self, node: bytes) -> list[bytes]:
        """Add a leaf by its hash; the nodes that it completed, lowest first."""
        completed, size = [], self.size
        while size & 1:
            node = node_hash(self.nodes.pop(), node)
            completed.append(node)
            size >>= 1
        self.nodes.append(node)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self.nodes:
            return EMPTY
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


def is_subtree(start: int, end: int) -> bool:
    """Whether the leaves from `start` to before `end` are a subtree of every tree that holds them."""
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


def includes(place: int, size: int, node: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves that the leaf is at this place of the tree (section 2.1.3.2)."""
    if not 0 <= place < size or len(node) != HASH_BYTES:
        return False
    here, last = place, size - 1
    for sibling in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            node = node_hash(sibling, node)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and node == root


def subtree_includes(place: int, span: tuple[int, int], node: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """As `includes`, for the root of the leaves of `span` (from, to before)."""
    start, end = span
    return is_subtree(start, end) and start <= place < end and includes(place - start, end - start, node, path, root)


def continues(size: int, root: bytes, larger: int, larger_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path proves that the larger tree begins with the smaller one (section 2.1.4.2)."""
    return size > 0 and subtree_continues((0, size), root, larger, larger_root, path)


def subtree_continues(span: tuple[int, int], root: bytes, size: int, tree_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path proves that `root` is that of the leaves of `span` in the tree of `size` leaves; of no leaves it is EMPTY."""
    start, end = span
    if start == end and 0 <= start <= size:
        return root == EMPTY and not path
    if not is_subtree(start, end) or end > size:
        return False
    first, last, tree_last = start, end - 1, size - 1
    at_edge = last == tree_last
    while first != last and (at_edge or last & 1):
        first, last, tree_last = first >> 1, last >> 1, tree_last >> 1
    nodes = list(path)
    if first != last and not nodes:
        return False
    inner = outer = root if first == last else nodes.pop(0)
    for node in nodes:
        if tree_last == 0:
            return False
        if last & 1 or last == tree_last:
            inner = node_hash(node, inner) if first < last else inner
            outer = node_hash(node, outer)
            while last and not last & 1:
                first, last, tree_last = first >> 1, last >> 1, tree_last >> 1
        else:
            outer = node_hash(outer, node)
        first, last, tree_last = first >> 1, last >> 1, tree_last >> 1
    return tree_last == 0 and inner == root and outer == tree_root


# ---- leaves and heads -------------------------------------------------------------------------------------------------------------------


def field_digest(name: str, salt: bytes, value: str) -> bytes:
    """What a leaf says of one field."""
    encoded = name.encode()
    return sha256(salt + bytes((len(encoded),)) + encoded + value.encode()).digest()


def hash_of_digests(digests: Mapping[str, bytes]) -> bytes:
    """The node of a leaf with these fields."""
    parts = [LEAF_MARK]
    for name in sorted(digests):
        encoded = name.encode()
        parts += [bytes((len(encoded),)), encoded, digests[name]]
    return sha256(b"".join(parts)).digest()


def hash_of_fields(fields: Mapping[str, Mapping[str, str]]) -> bytes:
    """The node of a leaf as files show it: each field with `salt` and `value`, or with `digest` alone."""
    digests = {}
    for name, field in fields.items():
        shown = "value" in field
        digests[name] = field_digest(name, bytes.fromhex(field["salt"]), field["value"]) if shown else bytes.fromhex(field["digest"])
        if len(digests[name]) != HASH_BYTES or (shown and len(field["salt"]) != 2 * SALT_BYTES):
            raise WrongError(f"field {name} has a salt or digest of a wrong length")
    return hash_of_digests(digests)


def head_text(head: Mapping[str, Any]) -> bytes:
    """What is signed: six lines after the first, `name: value`; `at` is RFC 3339, `root` and `key` are hex, `batch` counts from 1."""
    return "".join(["lgsp-head-1\n", *(f"{name}: {head[name]}\n" for name in HEAD_LINES)]).encode()


def fingerprint(public: bytes) -> str:
    """By which a key is known: SHA-256 of its 32 bytes, in hex."""
    return sha256(public).hexdigest()


def check_head(head: Mapping[str, Any], keys: Mapping[str, str], trusted: str = "") -> None:
    """Raise WrongError unless a key of `keys` (public bytes in hex, by fingerprint) signed the head; only `trusted`, where it is given."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 -- whoever reads files without heads needs no such library
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 -- as above

    name = f"the head of batch {head['batch']} ({head['size']} leaves)"
    public = bytes.fromhex(keys.get(head["key"], ""))
    if fingerprint(public) != head["key"]:
        raise WrongError(f"{name} names a key that is not here")
    if trusted and head["key"] != trusted.lower():
        raise WrongError(f"{name} is signed by the key {head['key']}, not by the one you trust")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(head["signature"]), head_text(head))
    except (InvalidSignature, ValueError) as error:
        raise WrongError(f"the signature of {name} is wrong") from error


# ---- files ------------------------------------------------------------------------------------------------------------------------------


def check_proof(proof: Mapping[str, Any], trusted: str = "", kept: Sequence[Mapping[str, Any]] = ()) -> str:
    """The offline proof of some leaves; says what holds, or raises WrongError. `kept`: heads that left the hub earlier."""
    head = proof["head"]
    check_head(head, proof["keys"], trusted)
    if any(each["size"] == head["size"] and each["root"] != head["root"] for each in kept):
        raise WrongError(f"the root of {head['size']} leaves is another than the one that left the hub: history was rewritten")
    for leaf in proof["leaves"]:
        path = [bytes.fromhex(node) for node in leaf["path"]]
        if not includes(leaf["number"], head["size"], hash_of_fields(leaf["fields"]), path, bytes.fromhex(head["root"])):
            raise WrongError("its fields and its path do not lead to the root of the head", leaf["number"])
    numbers = ", ".join(str(leaf["number"]) for leaf in proof["leaves"]) or "none"
    signed = f"signed at {head['at']} by the key {head['key']}"
    return f"leaves in the tree of {head['size']} leaves of {head['hub']}: {numbers}; {signed}"


def check_export(lines: Iterable[Mapping[str, Any]], trusted: str = "", kept: Sequence[Mapping[str, Any]] = ()) -> str:
    """An exported range: a first line, then leaves, each head behind its last leaf; says what holds, or raises WrongError."""
    rest = iter(lines)
    first = next(rest, {})
    if first.get("format") != EXPORT:
        raise WrongError(f"the first line is none of {EXPORT}")
    tree = Frontier(first["from"], [bytes.fromhex(node) for node in first["before"]])
    heads: list[Mapping[str, Any]] = []
    roots = {head["size"]: head["root"] for head in kept}
    agreed = first["from"]
    for line in rest:
        if "root" in line:
            _check_root(line, tree, heads[-1]["size"] if heads else first["from"])
            check_head(line, first["keys"], trusted)
            heads.append(line)
        elif line["number"] != tree.size:
            raise WrongError(f"leaf {line['number']} stands in its place", tree.size)
        else:
            tree.append(hash_of_fields(line["fields"]))
            if tree.size in roots and roots[tree.size] != tree.root().hex():
                raise WrongError(f"the root of {tree.size} leaves is another than the one that left the hub: history was rewritten", agreed)
            agreed = tree.size if tree.size in roots else agreed
    if not heads or heads[-1]["size"] != tree.size or tree.size != first["to"]:
        raise WrongError("the end is missing: no head covers what was announced", heads[-1]["size"] if heads else first["from"])
    return f"leaves {first['from']} to {tree.size - 1} of {heads[-1]['hub']} are whole, under {len(heads)} signed heads"


def _check_root(head: Mapping[str, Any], tree: Frontier, since: int) -> None:
    if head["size"] != tree.size:
        raise WrongError(f"leaves are missing before the head of {head['size']} leaves, or too many", min(head["size"], tree.size))
    if bytes.fromhex(head["root"]) != tree.root():
        raise WrongError(f"the leaves up to {tree.size - 1} do not lead to the root of their head", since)


def _lines(path: Path) -> Iterator[Any]:
    if path.is_dir():
        for inside in sorted(path.glob("*.json")):
            yield from _lines(inside)
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def check_file(path: Path, trusted: str, kept: Sequence[Mapping[str, Any]]) -> str:
    """A proof (one JSON object) or an export (a JSON object a line)."""
    try:
        try:
            whole = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError:
            return check_export(_lines(path), trusted, kept)
        if whole.get("format") != PROOF:
            raise WrongError(f"is none of {PROOF}, {EXPORT}")
        return check_proof(whole, trusted, kept)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WrongError(f"is no evidence, or is damaged ({type(error).__name__}: {error})") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """0: all holds; 1: something does not; 2: a file cannot be read."""
    parser = argparse.ArgumentParser(description="Check evidence of a hub, offline.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="written by `lgsp audit prove` or `lgsp audit export`")
    parser.add_argument("--key", default="", help="fingerprint of the only key to trust (SHA-256 in hex)")
    parser.add_argument("--heads", type=Path, help="heads that left the hub: a JSON object a line, or a folder of them")
    chosen = parser.parse_args(arguments)
    verdict = 0
    try:
        kept = list(_lines(chosen.heads)) if chosen.heads else []
        for path in chosen.files:
            try:
                sys.stdout.write(f"{path}: {check_file(path, chosen.key, kept)}\n")
            except WrongError as error:
                sys.stdout.write(f"{path}: WRONG: {error}\n")
                verdict = 1
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return verdict


if __name__ == "__main__":
    sys.exit(main())
