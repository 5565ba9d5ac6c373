"""Names of fields as words: Vietnamese and English, accents removed, snake and camel case split; and what the glossary calls them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lgsp.contract.source import read_source

if TYPE_CHECKING:
    from collections.abc import Sequence

GLOSSARY = Path(__file__).parent / "glossary.yaml"
LEAST_SQUEEZED = 5
"""Shorter spellings are looked for as whole words only: `me` (mother) stands inside of many a word."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APART = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Word:
    """One entry: our name for the thing, what kind of personal data it is ("" for none), and how others spell it."""

    name: str
    personal: str
    spellings: tuple[str, ...]


def plain(text: str) -> str:
    """Without accents; `đ` is d."""
    return unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D")).encode("ascii", "ignore").decode()


def words_of(name: str) -> tuple[str, ...]:
    """`SoDinhDanh`, `so_dinh_danh` and `Số định danh` are all `("so", "dinh", "danh")`."""
    parted = _HUMP.sub(" ", plain(name))
    return tuple(word for word in _APART.split(parted.lower()) if word)


def known(name: str) -> Word | None:
    """The entry whose longest spelling stands in the name; None if there is none."""
    words = words_of(name)
    spaced, squeezed = f" {' '.join(words)} ", "".join(words)
    for spelling, word in _spellings():
        if f" {spelling} " in spaced:
            return word
        short = spelling.replace(" ", "")
        if len(short) >= LEAST_SQUEEZED and short in squeezed and len(words) == 1:
            return word
    return None


@cache
def glossary() -> tuple[Word, ...]:
    """The entries of glossary.yaml."""
    entries = read_source(GLOSSARY, GLOSSARY.name).value
    return tuple(Word(name, entry.get("personal", ""), tuple(entry["spellings"])) for name, entry in entries.items())


@cache
def _spellings() -> Sequence[tuple[str, Word]]:
    """The longest first, so that `ho ten cha` is not read as a name alone."""
    found = [(spelling, word) for word in glossary() for spelling in word.spellings]
    return sorted(found, key=lambda pair: -len(pair[0]))
