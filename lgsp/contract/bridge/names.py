"""Names of JSON members as XML names and nothing lost: what an NCName cannot hold is written `_xHHHH_`, as .NET's XmlConvert does."""

from __future__ import annotations

import re
from functools import lru_cache

_CODE = re.compile(r"_x[0-9A-F]{4,6}_")
_START = re.compile(r"[A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff]")
_PART = re.compile(r"[-.0-9A-Za-z_\u00b7\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0300-\u036f\u0370-\u037d\u037f-\u1fff]")


@lru_cache(maxsize=4096)
def xml_name(name: str) -> str:
    """The NCName of a member's name; different names stay different."""
    if not name:
        return "_x0000_"
    letters = [letter if _PART.fullmatch(letter) else _code(letter) for letter in name]
    if not _START.fullmatch(name[0]):
        letters[0] = _code(name[0])
    for found in _CODE.finditer(name):
        letters[found.start()] = _code("_")
    return "".join(letters)


def _code(letter: str) -> str:
    return f"_x{ord(letter):04X}_"
