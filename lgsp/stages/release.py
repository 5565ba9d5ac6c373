"""Release: only the fields that the access right names leave the hub; which, and about whom, is evidence where the data are personal."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lgsp.model.agreed import DataClass
from lgsp.model.evidence import Disclosed
from lgsp.policy.disclosure import mark_of, told_by

if TYPE_CHECKING:
    from lgsp.model.happening import Exchange
    from lgsp.ports.engine import Ports
    from lgsp.telemetry import Trail


def release(reply: Any, exchange: Exchange, ports: Ports, trail: Trail) -> Any:
    """The reply as far as the right allows; told are the personal data that leave, counted that these fields are used."""
    shown = allowed(reply, exchange.right.fields)
    ports.usage.used(exchange, shown, ports.now())
    if exchange.operation.data_class is DataClass.PERSONAL:
        fields, found = told_by(shown, exchange.operation.traces.identifiers)
        trail.disclosed = Disclosed("", fields, " ".join(sorted(mark_of(each, ports.digest) for each in found)))
    return shown


def allowed(reply: Any, fields: frozenset[str] | None) -> Any:
    """The reply without what the right does not name. A field is a dotted path (`citizens.full_name`); it covers all below it.

    Lists are passed through: their items are judged by the same path. None means that all fields are allowed.
    """
    return reply if fields is None else _pick(reply, _tree(fields))


@lru_cache(maxsize=4096)
def _tree(fields: frozenset[str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(fields, key=len, reverse=True):
        branch = tree
        *parents, leaf = path.split(".")
        for name in parents:
            branch = branch.setdefault(name, {})
        branch[leaf] = {}
    return tree


def _pick(value: Any, tree: dict[str, Any]) -> Any:
    if not tree:
        return value
    if isinstance(value, list):
        return [_pick(item, tree) for item in value]
    if isinstance(value, dict):
        return {name: _pick(item, tree[name]) for name, item in value.items() if name in tree}
    return None
