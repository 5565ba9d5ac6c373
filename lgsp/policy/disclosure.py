"""What of a canonical value is told in the evidence: the fields that it has, by name, and the identifiers of people, as marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KNOWN_IDENTIFIERS = frozenset({"citizen_id", "old_id", "personal_id"})
"""Names of members that hold a person's number in every contract of ours; others are marked `x-lgsp-pii: identifier`."""
MARKER, IDENTIFIER = "x-lgsp-pii", "identifier"
MARK_BYTES = 16


def mark_of(identifier: str, digest: Callable[[bytes], bytes]) -> str:
    """A keyed mark of a person's number, in hex: it tells equal numbers, however they are spaced, and nothing else."""
    return digest(b"subject " + "".join(identifier.split()).encode())[:MARK_BYTES].hex()


def identifiers_in(value: Any, names: frozenset[str]) -> set[str]:
    """The texts of all members with these names, at any depth."""
    found: set[str] = set()
    _collect(value, names, found)
    return found


def told_by(value: Any, names: frozenset[str]) -> tuple[str, set[str]]:
    """The dotted paths of everything that has a value, in their order (the items of a list are one), and the identifiers, in one pass."""
    paths: set[str] = set()
    found: set[str] = set()
    _trace(value, "", (paths, names, found))
    return " ".join(sorted(paths)), found


def marked_identifiers(document: Any) -> frozenset[str]:
    """The names of members that a contract marks as a person's number, and those that are known."""
    found: set[str] = set(KNOWN_IDENTIFIERS)
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found.update(_marked(node))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return frozenset(found)


def _marked(node: Mapping[str, Any]) -> set[str]:
    members = node.get("properties")
    names = {name for name, schema in members.items() if _is_marked(schema)} if isinstance(members, dict) else set()
    return names | ({str(node["name"])} if "in" in node and "name" in node and _is_marked(node.get("schema", node)) else set())


def _is_marked(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get(MARKER) == IDENTIFIER


def _collect(value: Any, names: frozenset[str], found: set[str]) -> None:
    if type(value) is dict:
        for name, item in value.items():
            if type(item) is dict or type(item) is list:
                _collect(item, names, found)
            elif name in names and item:
                found.add(str(item))
    elif type(value) is list:
        for item in value:
            _collect(item, names, found)


def _trace(value: Any, prefix: str, told: tuple[set[str], frozenset[str], set[str]]) -> None:
    if type(value) is list:
        for each in value:
            _trace(each, prefix, told)
        return
    paths, names, found = told
    for name, item in value.items() if type(value) is dict else ():
        kind = type(item)
        if kind is dict or kind is list:
            _trace(item, f"{prefix}{name}.", told)
            if kind is list and item and type(item[0]) is not dict:
                paths.add(prefix + name)
        elif item is not None:
            paths.add(prefix + name)
            if item and name in names:
                found.add(str(item))
