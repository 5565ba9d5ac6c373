"""Regular expressions of XML Schema (part 2, appendix F) to Python's: a translation that matches no more, in bounded time, or none.

The dialects differ in what `.`, `^`, `$` and the escaped letters mean; here each becomes the characters that are certain. Python's engine
backtracks, so an expression passes only if the ways in which it can divide any text are few; a repetition without end gets one. NUL, which
no document holds, is never matched: it separates the texts that the codec judges together.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import NamedTuple

MOST_WAYS = 1000
MOST_TIMES = 250
_META = frozenset(".\\?*+{}()|[]")
_SINGLE = MappingProxyType({"n": "\n", "r": "\r", "t": "\t", **{sign: sign for sign in "\\|.-^?*+{}()[]"}})
# Inside brackets. The sets of \d, \w, \i and \c are narrower than XML Schema's, so they must not be negated.
_SETS = MappingProxyType({"d": "0-9", "w": "0-9A-Za-z", "s": " \t\n\r", "i": "A-Za-z_:", "c": r"0-9A-Za-z_:.\-"})
_COUNT = re.compile(r"\{([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}").match


class Untranslatable(Exception):
    """What this expression says, Python's cannot say as surely."""


class _Part(NamedTuple):
    """A translated part, and in how many ways it can match at one place at most."""

    text: str
    ways: int


def translate(expression: str) -> str | None:
    """A Python expression whose full matches the XSD expression allows too; None if there is none that is sure and quick."""
    try:
        part = _Reader(expression).whole()
        re.compile(part.text)
    except (Untranslatable, re.error, OverflowError):
        return None
    return part.text


class _Reader:
    """Reads one expression from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> _Part:
        part = self._alternatives()
        if self._at < len(self._text):
            raise Untranslatable
        return part

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        sign = self._next()
        if not sign:
            raise Untranslatable
        self._at += 1
        return sign

    def _alternatives(self) -> _Part:
        branches = [self._branch()]
        while self._next() == "|":
            self._at += 1
            branches.append(self._branch())
        return _few(_Part("(?:" + "|".join(part.text for part in branches) + ")", sum(part.ways for part in branches)))

    def _branch(self) -> _Part:
        text, ways = "", 1
        while self._next() not in {"", "|", ")"}:
            part = self._repeated(self._atom())
            text, ways = text + part.text, ways * part.ways
            _few(_Part(text, ways))
        return _Part(text, ways)

    def _atom(self) -> _Part:
        sign = self._take()
        if sign == "(":
            part = self._alternatives()
            if self._take() != ")":
                raise Untranslatable
            return part
        if sign == "[":
            return _Part(self._set(), 1)
        if sign == ".":
            return _Part(r"[^\n\r\0]", 1)
        if sign == "\\":
            return _Part(self._escape(), 1)
        if sign in _META:
            raise Untranslatable
        return _Part(re.escape(sign), 1)

    def _escape(self) -> str:
        sign = self._take()
        if sign in _SINGLE:
            return re.escape(_SINGLE[sign])
        if sign == "S":
            return r"[^ \t\n\r\0]"
        if sign in _SETS:
            return f"[{_SETS[sign]}]"
        raise Untranslatable

    def _set(self) -> str:
        is_negated = self._next() == "^"
        self._at += is_negated
        members = ""
        while self._next() != "]":
            members += self._member(is_negated=is_negated)
        self._at += 1
        if not members:
            raise Untranslatable
        return f"[^\\0{members}]" if is_negated else f"[{members}]"

    def _member(self, *, is_negated: bool) -> str:
        """A character, a range or a set; a hyphen stands for itself only before the closing bracket."""
        first = self._take()
        if first == "\\" and self._next() in _SETS:
            sign = self._take()
            if is_negated and sign != "s":
                raise Untranslatable
            return _SETS[sign]
        start = self._character(first)
        if self._next() != "-" or self._text[self._at + 1 : self._at + 2] == "]":
            return _inside(start)
        self._at += 1
        end = self._character(self._take())
        if start > end or "-" in {start, end}:
            raise Untranslatable
        return f"{_inside(start)}-{_inside(end)}"

    def _character(self, sign: str) -> str:
        if sign == "\\":
            sign = _SINGLE.get(self._take(), "")
        elif sign in "[]^" or (sign == "-" and self._next() != "]"):
            raise Untranslatable
        if not sign:
            raise Untranslatable
        return sign

    def _repeated(self, part: _Part) -> _Part:
        least, most = self._times()
        if (least, most) == (1, 1):
            return part
        if self._next() in set("?*+{") or most < least or not part.text:
            raise Untranslatable
        if part.ways == 1:
            ways = most - least + 1
        else:
            ways = sum(part.ways**times for times in range(least, most + 1)) if most <= MOST_WAYS.bit_length() else MOST_WAYS + 1
        return _few(_Part(f"{part.text}{{{least},{most}}}", ways))

    def _times(self) -> tuple[int, int]:
        sign = self._next()
        if sign in {"?", "*", "+"}:
            self._at += 1
            return {"?": (0, 1), "*": (0, MOST_TIMES), "+": (1, MOST_TIMES)}[sign]
        if sign != "{":
            return 1, 1
        count = _COUNT(self._text, self._at)
        if count is None:
            raise Untranslatable
        self._at = count.end()
        least = int(count[1])
        if count[2] is None:
            return least, least
        return least, int(count[3]) if count[3] else least + MOST_TIMES


def _inside(character: str) -> str:
    return "\\" + character if character in "\\]^-[&~|" else character


def _few(part: _Part) -> _Part:
    if part.ways > MOST_WAYS:
        raise Untranslatable
    return part
