"""Compare: what the log and the acts tell now with what was sealed of them; whoever changed a row after its leaf is found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lgsp.acts.audit import read
from lgsp.codec import json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.evidence import Event
    from lgsp.ports.office import Office

LEAVES_AT_ONCE = 2_000
BEGIN = "evidence_begin"
DIFFERENCES = 100
"""So many are told at most; the first is what counts."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not what was sealed: `source` as `log 12`; leaf: -1 where there is none."""

    source: str
    leaf: int
    reason: str


@dataclass(frozen=True, slots=True)
class Compared:
    """How far: `size` leaves, and by source the number of the last row. done: everything sealed is compared."""

    size: int
    read: Mapping[str, int]
    done: bool
    differences: Sequence[Difference] = field(default=())


async def compare(office: Office, size: int, marks: Mapping[str, int]) -> Compared:
    """Go on from leaf `size` and these marks for a bounded number of leaves."""
    archive, sealed = office.evidence, {}
    leaves = await archive.leaves.leaves(size, size + LEAVES_AT_ONCE)
    for row in leaves:
        fields = read(row).fields
        sealed[fields.get("source", "")] = (row.number, fields)
    found: dict[str, Event] = {}
    marks = marks if size else {**marks, **_begin(sealed)}
    until = dict(marks)
    for name in marks:
        numbers = [int(source.partition(" ")[2]) for source in sealed if source.startswith(f"{name} ")]
        if numbers:
            until[name] = max(numbers)
            events = await archive.sources.events_between(name, marks[name], until[name])
            found.update({event.fields["source"]: event for event in events})
    oldest = {name: await archive.sources.oldest(name) for name in marks}
    differences = [*_changed(sealed, found, oldest), *[Difference(s, -1, "has no leaf") for s in found if s not in sealed]]
    return Compared(size + len(leaves), until, len(leaves) < LEAVES_AT_ONCE, sorted(differences, key=lambda d: d.leaf)[:DIFFERENCES])


def _begin(sealed: Mapping[str, tuple[int, Mapping[str, str]]]) -> Mapping[str, int]:
    """After which rows evidence began, where the hub is older than its evidence: the first act that was sealed tells it."""
    for _, fields in sealed.values():
        if fields.get("verb") == BEGIN:
            return {name: int(number) for name, number in json.decode(fields["facts"].encode()).items()}
    return {}


def _changed(
    sealed: Mapping[str, tuple[int, Mapping[str, str]]], found: Mapping[str, Event], oldest: Mapping[str, int]
) -> list[Difference]:
    differences = []
    for source, (leaf, fields) in sealed.items():
        name, _, number = source.partition(" ")
        event = found.get(source)
        if event is None:
            if int(number or 0) >= oldest.get(name, 0):
                differences.append(Difference(source, leaf, "is gone"))
            continue
        other = [each for each, value in fields.items() if event.fields.get(each) != value]
        if other:
            differences.append(Difference(source, leaf, f"says something else than was sealed: {', '.join(other)}"))
    return differences
