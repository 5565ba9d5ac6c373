"""Who looked: every access to one person's data, or by one official, consumer or for one dossier; and what a breach reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.acts.audit import read
from lgsp.evidence.events import DOSSIER, EXCHANGE, OFFICIAL, SUBJECT
from lgsp.policy.disclosure import mark_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.evidence import SealedLeaf
    from lgsp.ports.office import Office

CONSUMER = "consumer"
TOPICS = {"subject": SUBJECT, "official": OFFICIAL, "dossier": DOSSIER}
PAGE = 1_000
MOST = 100_000
"""So many accesses are told at most; more, and the answer says that it is cut."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose accesses are meant: `by` is subject, official, dossier or consumer; since, until: POSIX seconds."""

    by: str
    value: str
    since: float = 0.0
    until: float = float("inf")

    def __repr__(self) -> str:
        return f"Asked({self.by!r}, ***)"


@dataclass(frozen=True, slots=True)
class Access:
    """One passage of data: `leaf` is its place in the evidence, `fields` its texts there, `agency` the title of its consumer."""

    leaf: int
    agency: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the accesses reach; people are told by number only."""

    accesses: int
    people: int
    dossiers: int
    officials: Sequence[str]
    consumers: Sequence[str]
    operations: Sequence[str]
    fields: Sequence[str]
    is_cut: bool


async def accesses(office: Office, asked: Asked, author: str) -> tuple[Sequence[Access], Scope]:
    """From the sealed leaves, oldest first; that somebody asked is an act."""
    archive = office.evidence
    value = mark_of(asked.value, archive.digest) if asked.by == "subject" else asked.value
    rows = await _rows(office, asked, value)
    found = [row for row in rows if asked.since <= row.at < asked.until]
    titles = {consumer.id: consumer.title for consumer in await office.register.consumers()}
    told = [(row.number, read(row).fields) for row in found]
    told = [(number, fields) for number, fields in told if fields.get("kind") == EXCHANGE]
    shown = [Access(number, titles.get(fields.get("consumer", ""), ""), fields) for number, fields in told]  # type: ignore[call-overload]
    await archive.reading.note_reading(
        author, office.now(), ("evidence_accesses", "", {"by": asked.by, "value": value, "found": len(shown)})
    )
    return shown, scope_of(shown, is_cut=len(rows) >= MOST)


async def _rows(office: Office, asked: Asked, value: str) -> Sequence[SealedLeaf]:
    leaves = office.evidence.leaves
    if asked.by != CONSUMER:
        return await leaves.leaves_about(TOPICS[asked.by], value, MOST)
    start, end = await leaves.between(asked.since, asked.until)
    found: list[SealedLeaf] = []
    for first in range(start, end, PAGE):
        found += [row for row in await leaves.leaves(first, min(first + PAGE, end)) if row.consumer == value]
        if len(found) >= MOST:
            break
    return found[:MOST]


def scope_of(shown: Sequence[Access], *, is_cut: bool) -> Scope:
    """What a breach of these accesses reaches."""
    texts = [access.fields for access in shown]

    def every(name: str) -> list[str]:
        return sorted({text for fields in texts for text in fields.get(name, "").split()})

    def each(name: str) -> list[str]:
        return sorted({fields.get(name, "") for fields in texts} - {""})

    people, dossiers = len(every("subjects")), len(each("dossier"))
    return Scope(len(shown), people, dossiers, each("official"), each("consumer"), each("operation"), every("released"), is_cut)
