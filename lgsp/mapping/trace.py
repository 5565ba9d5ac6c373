"""From a place in a native request back to the place in the canonical one: a limit of the provider is told at the consumer's own field."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.mapping.rules import Rule


def origin(rules: Sequence[Rule], pointer: str) -> str | None:
    """The canonical JSON pointer from which the value at a native pointer came; None if no rule made it from the request."""
    return _among(rules, pointer.split("/")[1:])


def _among(rules: Sequence[Rule], tokens: list[str]) -> str | None:
    for rule in rules:
        width = len(rule.target)
        if tokens[:width] == list(rule.target):
            return _inside(rule, tokens[width:])
    return None


def _inside(rule: Rule, tokens: list[str]) -> str | None:
    own = next((path.pointer for path in rule.sources if not path.root), None)
    if rule.kind == "each" and own is not None and tokens:
        return _below(f"{own}/{tokens[0]}", rule, tokens[1:])
    if rule.kind == "map" and own is not None:
        return _below(own, rule, tokens)
    if rule.kind == "list" and tokens and tokens[0].isdecimal() and int(tokens[0]) < len(rule.parts):
        return _inside(rule.parts[int(tokens[0])], tokens[1:])
    if rule.kind == "first":
        return next((found for part in rule.parts if (found := _inside(part, tokens)) is not None), None)
    return own


def _below(own: str, rule: Rule, tokens: list[str]) -> str | None:
    if not tokens:
        return own
    inner = _among(rule.parts, tokens)
    return None if inner is None else own + inner
