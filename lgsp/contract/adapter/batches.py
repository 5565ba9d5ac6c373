"""A declared batch, compiled: how requests become one, and what one answer means for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.model.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FIRST = "0"


def list_and_item(key: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """`data.0.MaHoSo` as the list's path and the key's path within an item; None where the key is not that of a list's first item."""
    before, found, after = key.partition(f".{FIRST}.")
    return (tuple(before.split(".")), tuple(after.split("."))) if found and before and after else None


def compile_batch(declared: Mapping[str, Any], key: str, ok_when: Callable[[Mapping[str, Any]], Any] | None) -> Batch:
    """From the manifest's `batch`; `key` as list_and_item reads it."""
    places = list_and_item(key)
    if places is None:
        message = f"{key!r} names no item of a list"
        raise ValueError(message)
    where, name = places
    outcomes: Mapping[str, Any] = declared.get("outcomes", {})

    def split(reply: Any, natives: Sequence[Any]) -> Sequence[Any]:
        rows = _rows(reply, outcomes) if outcomes else {}
        is_well = isinstance(reply, dict) and (ok_when is None or bool(ok_when({**reply, "known": {}})))
        names = [_text(_at(_at(native, where)[0], name)) for native in natives]
        return [_told(reply, rows[each], outcomes) if each in rows else reply if is_well else None for each in names]

    def joined(natives: Sequence[Any]) -> Any:
        return _with(natives[0], where, [item for native in natives for item in _at(native, where)])

    def parted(native: Any) -> tuple[Any, Any]:
        return _with(native, where, []), _at(native, where)

    return Batch(int(declared["max_items"]), float(declared["max_wait_s"]), joined, parted, split)


def _rows(reply: Any, outcomes: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The answer's rows by the key of the item that each is about."""
    rows = _at(reply, tuple(outcomes["at"].split(".")))
    found = [row for row in rows if isinstance(row, dict) and outcomes["id"] in row] if isinstance(rows, list) else []
    return {_text(row[outcomes["id"]]): row for row in found}


def _told(reply: Mapping[str, Any], row: Mapping[str, Any], outcomes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer as it would have been to this item alone: what the row says stands where a single answer says it."""
    own = {name: row[told] for name, told in outcomes["gives"].items() if told in row}
    return {**_with(reply, tuple(outcomes["at"].split(".")), [row]), **own}


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _with(value: Any, path: tuple[str, ...], new: Any) -> Any:
    """The same value with another at this path; nothing that was there is changed."""
    name, *rest = path
    return {**value, name: _with(value.get(name, {}), tuple(rest), new) if rest else new}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
