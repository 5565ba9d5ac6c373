"""Paths of mappings and how they are read: `a.b.0.c` in the current value, `$root.name` in the scope, `.` for the current value itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.errors import MappingError, Violation
from lgsp.schema import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Read = Callable[[Any, Mapping[str, Any]], Any]

ROOTS: Mapping[str, frozenset[str] | None] = {
    "message": frozenset({"id", "received_at"}),
    "purpose": frozenset({"slug", "official", "public_service", "dossier", "represented_party"}),
    "param": None,
    "uses": None,
    "request": None,
    "known": None,
}
NULL = object()
"""Stands for a null that is kept; None means absent."""


class PathError(ValueError):
    """A path is written wrongly or starts at a root that does not exist."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path: `root` is "" for the current value, else a name of ROOTS."""

    root: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        dotted = ".".join(self.keys)
        return f"${self.root}.{dotted}" if self.root else dotted or "."

    @property
    def pointer(self) -> str:
        """JSON pointer below the root."""
        return "".join(f"/{escape(key)}" for key in self.keys)


def parse_path(text: str) -> Path:
    """Read a path. Raises PathError."""
    if text == ".":
        return Path("", ())
    keys = tuple(text.split("."))
    if "" in keys or any(key != key.strip() for key in keys):
        message = f"{text!r} is no path: names are joined by single dots"
        raise PathError(message)
    if not text.startswith("$"):
        return Path("", keys)
    root = keys[0][1:]
    if root not in ROOTS:
        message = f"there is no ${root}; there are {', '.join(f'${name}' for name in ROOTS)}"
        raise PathError(message)
    names = ROOTS[root]
    if len(keys) == 1 or (names is not None and (len(keys) > 2 or keys[1] not in names)):  # noqa: PLR2004 - root and name
        message = f"${root} needs one of {', '.join(sorted(names))}" if names else f"${root} needs a name after it"
        raise PathError(message)
    return Path(root, keys[1:])


def parse_target(text: str) -> tuple[str, ...]:
    """Read a target path: names only, no root and no index. Raises PathError."""
    path = parse_path(text)
    if path.root or not path.keys or any(key.isdecimal() for key in path.keys):
        message = f"{text!r} is no target: names joined by dots, without roots and indexes; a list is made by `each` or `list`"
        raise PathError(message)
    return path.keys


def reader(path: Path, *, keep_null: bool = False) -> Read:
    """A function of (current value, scope) that gives the value at the path, or None if it is not there."""
    if path.root:
        return _rooted(path)
    if not path.keys:
        return lambda value, _scope: value
    if keep_null:
        return _null_keeping(path.keys)
    if len(path.keys) == 1 and not path.keys[0].isdecimal():
        return _single(path.keys[0])
    return lambda value, _scope: walk(value, path.keys)


def walk(value: Any, keys: tuple[str, ...]) -> Any:
    """Follow the keys through objects and lists; None where they end."""
    for key in keys:
        if type(value) is dict:
            value = value.get(key)
        elif type(value) is list and key.isdecimal():
            value = value[int(key)] if int(key) < len(value) else None
        elif value is None:
            return None
        else:
            raise _no_object(key)
    return value


def _single(key: str) -> Read:
    def read(value: Any, _scope: Mapping[str, Any]) -> Any:
        if type(value) is dict:
            return value.get(key)
        raise _no_object(key)

    return read


def _rooted(path: Path) -> Read:
    root, keys = path.root, path.keys
    if len(keys) == 1:
        key = keys[0]
        return lambda _value, scope: scope[root].get(key) if root in scope else None
    return lambda _value, scope: walk(scope.get(root), keys)


def _null_keeping(keys: tuple[str, ...]) -> Read:
    *parents, last = keys

    def read(value: Any, _scope: Mapping[str, Any]) -> Any:
        holder = walk(value, tuple(parents))
        if type(holder) is dict and last in holder:
            return NULL if holder[last] is None else holder[last]
        return None

    return read


def _no_object(key: str) -> MappingError:
    return MappingError([Violation("", f"is no object, so it has no {key!r}", "type")])
