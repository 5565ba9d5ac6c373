"""Stand-ins for values of a message: of the same form, so that a mapping can be tried on them, and of nobody.

Digits become digits and letters letters, case, length and punctuation stay, equal texts become equal stand-ins; a date stays a date of its
year. Kept as they are: codes that a contract or a code table lists, booleans, null, and everything of an open service.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Keyed = Callable[[bytes], bytes]

_DATE = re.compile(r"(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
LOWER = "abcdeghiklmnopqrstuvxyăâđêôơư"


def masked(value: Any, keyed: Keyed, kept: frozenset[Any]) -> Any:
    """The value with stand-ins. keyed: a keyed digest, at least 16 bytes. kept: codes that name nobody."""
    if isinstance(value, dict):
        return {name: masked(inner, keyed, kept) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(item, keyed, kept) for item in value]
    if value is None or isinstance(value, bool) or value in kept:
        return value
    if isinstance(value, str):
        return _text(value, keyed)
    return type(value)(_text(str(value), keyed))


def codes_in(schema: Any) -> frozenset[Any]:
    """Every value that a JSON Schema, or a document full of them, enumerates."""
    found: set[Any] = set()
    ahead = [schema]
    while ahead:
        node = ahead.pop()
        if isinstance(node, dict):
            listed = node.get("enum")
            found.update(each for each in listed if isinstance(each, str | int)) if isinstance(listed, list) else None
            if isinstance(node.get("const"), str | int):
                found.add(node["const"])
            ahead += node.values()
        elif isinstance(node, list):
            ahead += node
    return frozenset(found)


def of_purpose(purpose: Mapping[str, str | None], keyed: Keyed) -> dict[str, str | None]:
    """Who asked and about which dossier, as stand-ins; the purpose itself stays."""
    return {name: text if name == "slug" or text is None else _text(text, keyed) for name, text in purpose.items()}


def _text(text: str, keyed: Keyed) -> str:
    date = _DATE.match(text)
    noise = _noise(text, keyed)
    if date is not None:
        day = f"{date[1]}-{next(noise) % 12 + 1:02d}-{next(noise) % 28 + 1:02d}"
        return day + text[date.end() :]
    return "".join(_letter(letter, next(noise)) for letter in text)


def _letter(letter: str, number: int) -> str:
    if letter.isdecimal():
        return letter if letter == "0" else str(number % 9 + 1)
    if not letter.isalpha():
        return letter
    made = LOWER[number % len(LOWER)]
    return made.upper() if letter.isupper() else made


def _noise(text: str, keyed: Keyed) -> Any:
    block = keyed(text.encode())
    while True:
        yield from block
        block = keyed(block)
