"""The functions that expressions may call: digests, encodings and small conversions, all pure."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.errors import MappingError, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MANY = 20


@dataclass(frozen=True, slots=True)
class Function:
    """A function and how many arguments it takes."""

    run: Callable[..., Any]
    least: int
    most: int

    @property
    def arity(self) -> str:
        """How many arguments, in words."""
        if self.least == self.most:
            return f"{self.least} argument{'' if self.least == 1 else 's'}"
        return f"at least {self.least} argument{'' if self.least == 1 else 's'}"


def text(value: Any) -> str:
    """The text of a scalar; an absent value is an error, never the word None."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, dict | list):
        detail = "is needed here and absent" if value is None else "is no single value"
        raise MappingError([Violation("", detail, "expression")])
    return str(value)


def _concat(*parts: Any) -> str:
    return "".join(map(text, parts))


def _sha256hex(*parts: Any) -> str:
    return hashlib.sha256(_concat(*parts).encode()).hexdigest()


def _hmac_sha256(key: Any, *parts: Any) -> str:
    return hmac.digest(text(key).encode(), _concat(*parts).encode(), "sha256").hex()


def _base64(*parts: Any) -> str:
    return b64encode(_concat(*parts).encode()).decode("ascii")


def _basic(user: Any, password: Any) -> str:
    return "Basic " + _base64(user, ":", password)


def _count(value: Any) -> int:
    if value is None:
        return 0
    return len(value) if isinstance(value, str | list | dict) else 1


FUNCTIONS: Mapping[str, Function] = {
    "base64": Function(_base64, 1, _MANY),
    "basic": Function(_basic, 2, 2),
    "concat": Function(_concat, 1, _MANY),
    "count": Function(_count, 1, 1),
    "either": Function(lambda holds, yes, no: yes if holds else no, 3, 3),
    "hmac_sha256": Function(_hmac_sha256, 2, _MANY),
    "lower": Function(lambda value: text(value).lower(), 1, 1),
    "sha256hex": Function(_sha256hex, 1, _MANY),
    "text": Function(text, 1, 1),
    "upper": Function(lambda value: text(value).upper(), 1, 1),
}
"""`count` is the length of a text or list, 0 for what is absent; `either(condition, yes, no)` chooses; digests are padded hexadecimal."""
