"""From the columns of a claimed message to what a worker holds; or, of one that is damaged, to what it takes to lay it to rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from lgsp.codec import json
from lgsp.drivers.store.claims import COLUMNS
from lgsp.drivers.store.core import Unreadable
from lgsp.drivers.store.rows import id_out
from lgsp.drivers.store.sqlite import LOST
from lgsp.errors import CodecError
from lgsp.model.happening import Due, Stored
from lgsp.model.parties import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.drivers.store.statements import Row

_TEXTS = ("consumer", "service", "operation", "provider", "purpose", "digest", "trace_id", "cause")
_NUMBERS = ("accepted_at", "deadline_at")
_COUNTS = ("major", "attempts", "lease", "denials")

_purpose = msgspec.json.Decoder(Purpose)


def due(row: Row, plaintext: bytes, calls: Sequence[tuple[str, bool]]) -> Due:
    """Of the columns, the opened payload, and (name, finished) of its unsafe calls; Unreadable names the field that is damaged."""
    found = dict(zip(COLUMNS, row, strict=True))
    for name in (*_TEXTS, *_NUMBERS, *_COUNTS):
        if not _is_sound(name, found[name]):
            raise Unreadable("payload-unreadable", f"damaged: {name}")
    head, _, request = plaintext.partition(b"\n")
    try:
        purpose = _purpose.decode(str(found["purpose"]))
        parameters, order_key, business_key = json.decode(head)
    except (msgspec.DecodeError, CodecError, ValueError) as error:
        raise Unreadable(
            "payload-unreadable", "damaged: purpose" if isinstance(error, msgspec.DecodeError) else "damaged: content"
        ) from error
    content = {"purpose": purpose, "parameters": parameters, "order_key": order_key, "business_key": business_key, "request": request}
    return _due(found, content, calls)


def remains(row: Row, calls: Sequence[tuple[str, bool]]) -> Due:
    """The same without a content; what is damaged is told as nothing."""
    found: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
    for names, nothing in ((_TEXTS, ""), (_NUMBERS, 0.0), (_COUNTS, 0)):
        found |= {name: nothing for name in names if not _is_sound(name, found[name])}
    content = {"purpose": Purpose(), "parameters": {}, "order_key": None, "business_key": None, "request": b""}
    return _due(found, content, calls)


def _is_sound(name: str, value: object) -> bool:
    if name in _TEXTS:
        return isinstance(value, str) and LOST not in value
    return isinstance(value, int) if name in _COUNTS else isinstance(value, int | float)


def _due(found: Mapping[str, Any], content: Mapping[str, Any], calls: Sequence[tuple[str, bool]]) -> Due:
    kept = {name: found[name] for name in (*_TEXTS, *_NUMBERS, "major") if name != "cause"}
    stored = Stored(**{**kept, **content}, message_id=id_out(bytes(found["message_id"])), skips_dead=bool(found["skips_dead"]))
    began = frozenset(name for name, _ in calls)
    finished = frozenset(name for name, done in calls if done)
    return Due(stored, found["attempts"], found["lease"], began, finished, found["denials"], has_failed=bool(found["cause"]))
