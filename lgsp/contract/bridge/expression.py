"""Regular expressions between XML Schema (part 2, appendix F: the whole text, its own escapes) and JSON Schema (ECMA-262, anywhere).

A translation allows no less than its source, or there is none. It may allow a little more: the contract that has the pattern judges too.
"""

from __future__ import annotations

import re
from types import MappingProxyType

# What both dialects write alike: letters, groups, alternatives, repetitions, and sets without subtraction.
_PIECE = re.compile(
    r"(?P<group>\(\?:|\((?!\?))|(?P<end>\))|(?P<set>\[\^?(?:\\.|[^\\\[\]])+\])|(?P<escape>\\(?:[pP]\{[A-Za-z]{1,2}\}|.))"
    r"|(?P<times>(?:[*+?]|\{[0-9]{1,4}(?:,[0-9]{0,4})?\})(?![?+*]))|(?P<anchor>[\^$])|(?P<any>\.)|(?P<plain>[^\\\[\](){}*+?.^$]+)",
    re.DOTALL,
)
_INNER = re.compile(r"\\(?:[pP]\{[A-Za-z]{1,2}\}|.)|.", re.DOTALL)
_SAME = frozenset("\\|.-^?*+{}()[]nrt")
# Escapes whose meaning differs, as parts of a set: from XSD to ECMA, and back.
_TO_ECMA = MappingProxyType({"d": r"\p{Nd}", "s": r" \t\n\r"})
_TO_XSD = MappingProxyType({"d": "0-9", "w": "A-Za-z0-9_", "/": "/", "$": "$", "'": "'", '"': '"', " ": " ", ",": ",", "@": "@", "_": "_"})


class _NoneError(Exception):
    """There is no translation."""


def to_ecma(expression: str) -> str | None:
    """The JSON Schema pattern of an XSD pattern."""
    try:
        return f"^(?:{_translated(expression, 'xsd')})$"
    except _NoneError:
        return None


def to_xsd(pattern: str) -> str | None:
    """The XSD pattern of a JSON Schema pattern that is bound to both ends of the text (`^...$`)."""
    whole = re.fullmatch(r"\^(.*)\$", pattern, re.DOTALL)
    if whole is None:
        return None
    inner = whole[1]
    if "|" in inner and not _is_one_group(inner):
        return None  # `^a|b$` is bound to one end each
    try:
        return _translated(inner, "ecma")
    except _NoneError:
        return None


def _is_one_group(inner: str) -> bool:
    """Whether each alternative stands in a group, so that both anchors hold for all of them."""
    depth, at = 0, 0
    while at < len(inner):
        piece = _PIECE.match(inner, at)
        if piece is None:
            return False
        depth += (piece.lastgroup == "group") - (piece.lastgroup == "end")
        if piece.lastgroup == "plain" and "|" in piece[0] and depth == 0:
            return False
        at = piece.end()
    return True


def _translated(text: str, dialect: str) -> str:
    parts, at = [], 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise _NoneError
        parts.append(_part(piece.lastgroup or "", piece[0], dialect))
        at = piece.end()
    return "".join(parts)


def _part(kind: str, text: str, dialect: str) -> str:
    is_xsd = dialect == "xsd"
    if kind == "group":
        if is_xsd and text == "(?:":
            raise _NoneError
        return "(?:" if is_xsd else "("
    if kind == "anchor":
        if is_xsd:
            return "\\" + text
        raise _NoneError
    if kind == "any":
        return r"[^\n\r]" if is_xsd else "."
    if kind == "escape":
        return _escape(text, dialect, within=False)
    if kind == "set":
        return _set(text, dialect)
    return text


def _set(text: str, dialect: str) -> str:
    negated, inner = ("^", text[2:-1]) if text.startswith("[^") else ("", text[1:-1])
    members = []
    for sign in _INNER.findall(inner):
        if sign.startswith("\\"):
            members.append(_escape(sign, dialect, within=True))
        elif sign in {"&", "~"} and dialect == "xsd":
            members.append("\\" + sign)  # the engine reads `&&` and `~~` as operations on sets
        else:
            members.append("\\^" if sign == "^" else sign)
    if dialect == "ecma" and members[:1] == ["-"]:
        members[0] = "\\-"
    return f"[{negated}{''.join(members)}]"


def _escape(text: str, dialect: str, *, within: bool) -> str:
    sign = text[1]
    if sign in "pP" and len(text) > 2:  # noqa: PLR2004  # a category, written alike by both
        return text
    if sign in _SAME:
        return text
    known = (_TO_ECMA if dialect == "xsd" else _TO_XSD).get(sign)
    if known is None:
        raise _NoneError
    return known if within or len(known) == 1 else f"[{known}]"
