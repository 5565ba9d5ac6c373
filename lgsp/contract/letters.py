"""Texts that match a regular expression, short and within a budget: a pattern may ask for more letters than there is memory.

What rstr cannot read gives an empty text, which the caller's own check then judges.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rstr import Rstr

if TYPE_CHECKING:
    from random import Random

MOST_REPEATS = 5_000
MOST_MORE = 8
"""So many repeats beyond the least that a pattern asks for."""
_PROPERTY = re.compile(r"\\p\{(L|Lu|Ll|N|Nd)\}")
_RANGES = {"L": "A-Za-z", "Lu": "A-Z", "Ll": "a-z", "N": "0-9", "Nd": "0-9"}


class _TooLong(Exception):
    """The pattern asks for more than the budget."""


class _Texts(Rstr):
    """One text of one pattern."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._left = MOST_REPEATS

    def _handle_repeat(self, start_range: int, end_range: Any, value: Any) -> str:
        result = []
        for _ in range(self._random.randint(int(start_range), max(int(start_range), min(int(end_range), int(start_range) + MOST_MORE)))):
            self._left -= 1
            if self._left < 0:
                raise _TooLong
            result.append("".join(self._handle_state(part) for part in value))
        return "".join(result)


def matching(pattern: str, random: Random) -> str:
    """A text of ASCII letters that should match; empty where none is found within the budget."""
    try:
        return str(_Texts(random).xeger(_in_ascii(pattern)))
    except (_TooLong, re.error, KeyError, IndexError, ValueError, OverflowError, RecursionError, TypeError):
        return ""


def _in_ascii(pattern: str) -> str:
    r"""Classes of letters by their property (`\p{L}`) as the ranges that Python's expressions know."""

    def ranges(found: re.Match[str]) -> str:
        before = pattern[: found.start()].replace("\\[", "").replace("\\]", "")
        within = before.rfind("[") > before.rfind("]")
        return _RANGES[found[1]] if within else f"[{_RANGES[found[1]]}]"

    return _PROPERTY.sub(ranges, pattern)
