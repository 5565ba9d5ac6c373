"""JSON without surprises: what comes in is refused unless it means one thing only, what goes out keeps every digit.

RFC 8259 leaves open what a doubled name, a lone surrogate, a byte order mark or 1E+400000 mean, and two systems that answer differently can
be played against each other. So the decoder refuses them (RFC 7493, I-JSON), and NaN, and nesting that no contract of ours needs.
Numbers with a fraction or an exponent become Decimal, integers stay int of any length that Python converts (4300 digits).
msgspec decodes and encodes; it is as strict, but keeps the last of two members of one name, which counting the strings betrays. Where
anything is in doubt the standard library decodes anew, with one hook an object: it alone refuses, and names the place.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from lgsp.errors import JsonError
from lgsp.schema import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 64
MAX_EXPONENT = 400
MAX_NUMBER_CHARS = 4300

_NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"'))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_STEP = {ord("["): 1, ord("]"): -1}
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_STRING = re.compile(rb'"[^"]*"')
_ESCAPE_OR_LONE_SURROGATE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F])|.)", re.DOTALL)


def decode(body: bytes, depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text in UTF-8; raises JsonError with the place, never with the value."""
    try:
        return _decode_quickly(body, depth)
    except (msgspec.MsgspecError, ValueError, RecursionError, _RefusalError):
        return _decode_carefully(body, depth)


def _decode_quickly(body: bytes, depth: int) -> Any:
    """The value if it is sound; raises anything else. A member that was dropped took its name along, and each string has two quotes."""
    value = _read(body)
    bare = _ESCAPE.sub(b"", body) if b"\\" in body else body
    if bare.count(b'"') != 2 * _strings([value], depth + 1):
        raise _RefusalError("a name occurs twice in one object")
    return value


def _strings(value: Any, depth: int) -> int:
    """How many strings a container holds, names of members among them; refuses one with more levels than `depth`."""
    if not depth:
        raise _RefusalError("nested too deeply")
    count, items = (len(value), value.values()) if type(value) is dict else (0, value)
    for item in items:
        kind = type(item)
        if kind is str:
            count += 1
        elif kind is dict or kind is list:
            count += _strings(item, depth - 1)
    return count


def _decode_carefully(body: bytes, depth: int) -> Any:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise JsonError("not UTF-8", offset=error.start) from None
    if text.startswith("\ufeff"):
        raise JsonError("begins with a byte order mark", offset=0)
    _refuse_depth(body, depth)
    _refuse_lone_surrogates(body)
    try:
        return _decode(text)
    except json.JSONDecodeError as error:
        raise JsonError(_reason(error), offset=len(text[: error.pos].encode())) from None
    except (_RefusalError, ValueError):
        raise _located(text) from None


def canonical(value: Any) -> bytes:
    """The one text of a value: names in order, no spaces; two bodies that mean the same are the same."""
    return _SORTED.encode(value)


def encode(value: Any) -> bytes:
    """JSON bytes of a value; a Decimal keeps its digits, so it must be finite (`decode` makes no other)."""
    return _ENCODER.encode(value)


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_SORTED = msgspec.json.Encoder(decimal_format="number", order="sorted")


class _RefusalError(Exception):
    """Raised inside the decoders' hooks; `decode` then looks for the place."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RefusalError("a name occurs twice in one object")
    return members


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= MAX_NUMBER_CHARS else None
    except InvalidOperation:
        number = None
    if number is None or abs(number.adjusted()) > MAX_EXPONENT:
        raise _RefusalError("a number is too large, too small or too long")
    return number


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _RefusalError("a number is too large, too small or too long") from None


def _constant(_text: str) -> NoReturn:
    raise _RefusalError("NaN and Infinity are not JSON")


_read = msgspec.json.Decoder(float_hook=_number).decode
_decode = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_constant).decode


def _refuse_depth(body: bytes, depth: int) -> None:
    """Count brackets outside of strings. Few brackets decide it by their number; otherwise each round takes away the innermost pairs."""
    if body.count(b"[") + body.count(b"{") <= depth:
        return
    bare = _ESCAPE.sub(b"", body) if b"\\" in body else body
    structure = bare.translate(_ONE_KIND, _NOT_STRUCTURE).replace(b'""', b"")
    brackets = rest = _STRING.sub(b"", structure).replace(b'"', b"")
    for _ in range(depth):
        rest = rest.replace(b"[]", b"")
        if not rest:
            return
    if max(accumulate(map(_STEP.__getitem__, brackets))) > depth:
        raise JsonError(f"nested deeper than {depth} levels")


def _refuse_lone_surrogates(body: bytes) -> None:
    if b"\\u" not in body or (b"\\ud" not in body and b"\\uD" not in body):
        return
    for match in _ESCAPE_OR_LONE_SURROGATE.finditer(body):
        if match.group(1):
            raise JsonError("half of a surrogate pair", offset=match.start())


def _reason(error: json.JSONDecodeError) -> str:
    return {
        "Extra data": "something follows the JSON value",
        "Expecting value": "a value is expected",
        "Invalid control character at": "a control character stands unescaped in a string",
        "Unterminated string starting at": "a string does not end",
    }.get(error.msg, f"not JSON: {error.msg}")


# ---- where a hook refused: only on the way to an error, so a second decoding costs nobody ----------------------------------------------


@dataclass(frozen=True, slots=True)
class _Mark:
    """Stands in the decoded value where a hook refused."""

    reason: str


def _located(text: str) -> JsonError:
    def marking(hook: Any) -> Any:
        def marked(argument: Any) -> Any:
            try:
                return hook(argument)
            except _RefusalError as refusal:
                return _Mark(str(refusal))

        return marked

    marks = json.JSONDecoder(
        object_pairs_hook=marking(_object),
        parse_float=marking(_number),
        parse_int=marking(_integer),
        parse_constant=marking(_constant),
    )
    try:
        value = marks.decode(text)
    except json.JSONDecodeError as error:
        return JsonError(_reason(error), offset=len(text[: error.pos].encode()))
    path, mark = next(_marks(value, ()))
    return JsonError(mark.reason, pointer=pointer(path))


def _marks(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], _Mark]]:
    if isinstance(value, _Mark):
        yield path, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _marks(member, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _marks(item, (*path, index))
