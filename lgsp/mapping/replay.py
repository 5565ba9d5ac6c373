"""Stored messages through two mappings: what a candidate would make otherwise, field by field; nothing is sent.

Only requests can be looked at so: what providers answered is kept in our form, not in theirs. Bound references are unknown here, so `$uses`
gives `-`; answers of earlier calls are unknown too, so what a mapping reads of them is absent on both sides.
"""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from lgsp.errors import Fault, MappingError
from lgsp.model.sample import FieldChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lgsp.model.agreed import Call, Operation
    from lgsp.model.sample import Sample

    Found = tuple[str, str, Any, Any]  # pointer, kind, before, after

UNBOUND = "-"
MISSING = object()


def changed_fields(base: Mapping[str, Operation], candidate: Mapping[str, Operation], samples: Sequence[Sample]) -> list[FieldChange]:
    """What would change, the most frequent first; operations by name. A sample of an operation that one side lacks says nothing."""
    count: Counter[tuple[str, str, str, str]] = Counter()
    examples: dict[tuple[str, str, str, str], tuple[Any, Any]] = {}
    for sample in samples:
        before, after = base.get(sample.operation), candidate.get(sample.operation)
        if before is None or after is None:
            continue
        for call, (pointer, kind, old, new) in dict.fromkeys(_of_sample(before, after, sample)):
            key = (sample.operation, call, pointer, kind)
            count[key] += 1
            examples.setdefault(key, (old, new))
    return [FieldChange(*key, number, *examples[key]) for key, number in count.most_common()]


def unexpected(changes: Sequence[FieldChange], accepted: Sequence[str]) -> list[FieldChange]:
    """Those that no accepted pattern names: `/HoTen`, `/*/Ma*`, or with operation and call before it: `register DangKy /LoaiDat`."""
    return [each for each in changes if not any(_names(pattern, each) for pattern in accepted)]


def accepted_in(text: str) -> list[str]:
    """Patterns, one a line; `#` begins a comment."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [" ".join(line.split()) for line in lines if line]


def _names(pattern: str, change: FieldChange) -> bool:
    return fnmatchcase(change.place if " " in pattern else change.pointer or "/", pattern)


def _of_sample(base: Operation, candidate: Operation, sample: Sample) -> Iterator[tuple[str, Found]]:
    """Of calls with the same name; one example each of what differs."""
    calls = {call.name: call for call in candidate.calls}
    for call in base.calls:
        other = calls.get(call.name)
        if other is None:
            continue
        old, new = _native(call, _scope(base, sample)), _native(other, _scope(candidate, sample))
        if isinstance(old, str) and isinstance(new, str):
            continue  # neither translates it
        if isinstance(new, str):
            yield call.name, (new.partition(":")[0], "fails", None, new)
        elif isinstance(old, str):
            yield call.name, (old.partition(":")[0], "passes", old, None)
        else:
            found = {(pointer, kind): (before, after) for pointer, kind, before, after in _differ(old, new, "")}
            yield from ((call.name, (*place, _shown(before), _shown(after))) for place, (before, after) in found.items())


def _native(call: Call, scope: dict[str, Any]) -> Any:
    """The native value, or why there is none: a text that begins with the first place that is wrong."""
    try:
        native = call.to_native(scope)
        call.prepare(native)
    except (MappingError, Fault) as error:
        places = error.violations if isinstance(error, MappingError) else error.errors
        return "; ".join(f"{each.pointer or '/'}: {each.detail}" for each in places)
    return native


def _scope(operation: Operation, sample: Sample) -> dict[str, Any]:
    return {
        "value": sample.request,
        "request": sample.request,
        "param": sample.parameters,
        "message": {"id": sample.message_id, "received_at": sample.received_at},
        "purpose": sample.purpose,
        "uses": dict.fromkeys(operation.provider.auth.uses, UNBOUND),
        "known": {},
        "now": sample.received_at,
    }


def _differ(old: Any, new: Any, at: str) -> Iterator[Found]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from _differ(old.get(name, MISSING), new.get(name, MISSING), f"{at}/{name}")
    elif isinstance(old, list) and isinstance(new, list):
        for place in range(max(len(old), len(new))):
            before, after = (each[place] if place < len(each) else MISSING for each in (old, new))
            yield from _differ(before, after, f"{at}/*")
    elif old is MISSING:
        yield at, "added", None, new
    elif new is MISSING:
        yield at, "removed", old, None
    elif type(old) is not type(new) or old != new:
        yield at, "changed", old, new


def _shown(value: Any) -> Any:
    """An example that can be compared and told: a bare value, or the kind of what is none."""
    if isinstance(value, dict):
        return f"({len(value)} fields)"
    return f"({len(value)} items)" if isinstance(value, list) else value
