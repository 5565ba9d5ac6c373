"""Tolerance (Postel's law, bounded): what a contract does not know is cut away from an answer, so that the rest may go on."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lgsp.errors import Violation

UNKNOWN_MEMBER = frozenset({"additionalProperties", "unevaluatedProperties"})
ROUNDS = 50
"""Of a large value one violation is told at a time."""


def without_unknown(
    value: Any, violations: Sequence[Violation], check: Callable[[Any], Sequence[Violation]]
) -> tuple[Any, Sequence[Violation]]:
    """The value without the members that the contract does not know, and what then is still wrong; the value itself is not changed."""
    kept = value
    for _ in range(ROUNDS):
        named = [each for each in violations if each.code in UNKNOWN_MEMBER and each.members]
        if not named:
            break
        kept = deepcopy(value) if kept is value else kept
        for violation in named:
            _cut(kept, violation)
        violations = check(kept)
    return kept, violations


def _cut(value: Any, violation: Violation) -> None:
    for token in violation.pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    for member in violation.members:
        value.pop(member, None)
