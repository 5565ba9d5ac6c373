"""Audit: the sealed tree is walked and compared with its signed heads; leaves leave the hub as offline proofs and as exports."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.errors import Fault, Violation
from lgsp.evidence import tree
from lgsp.evidence.batch import leaf_of, shown_head
from lgsp.evidence.events import ABOUT, EXCHANGE
from lgsp.evidence.verifier import EXPORT, PROOF, Frontier, WrongError
from lgsp.evidence.walk import Walk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from lgsp.evidence.leaf import Leaf
    from lgsp.model.evidence import Head, SealedLeaf
    from lgsp.ports.evidence import Archive
    from lgsp.ports.office import Office

PAGE = 1_000
LEAVES_A_WALK = 50_000
"""A slow machine walks so many before the caller gives up waiting."""
HEADS_A_WALK = 10_000
PROVEN_AT_ONCE = 1_000
SHOWN_A_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where a walk begins: `size` leaves are walked, `front` are their complete subtrees in hex, `batch` is the last head passed."""

    size: int = 0
    front: tuple[str, ...] = ()
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a walk came. passed: the heads on the way; wrong: (leaf, reason) where it ended too early; done: at the newest head."""

    until: Stretch
    passed: Sequence[Head]
    done: bool
    wrong: tuple[int, str] | None = None


async def verify(office: Office, since: Stretch) -> Verdict:
    """Walk on for a bounded number of leaves."""
    archive = office.evidence
    try:
        front = Frontier(since.size, [bytes.fromhex(node) for node in since.front])
    except (WrongError, ValueError) as error:
        raise Fault("body-invalid", errors=[Violation("/front", "does not fit the size", "front")]) from error
    newest = await archive.leaves.head()
    heads = [head for head in await archive.leaves.heads(since.batch, HEADS_A_WALK) if head.size <= since.size + LEAVES_A_WALK]
    heads = heads or list(await archive.leaves.heads(since.batch, 1))
    walk = Walk(archive.hub, await archive.keys.publics(), front, since.batch, heads)
    wrong = await _walked(walk, archive)
    done = newest is None or not heads or heads[-1].batch >= newest.batch
    if done and wrong is None:
        wrong = await _left_over(archive, walk)
    until = Stretch(front.size, tuple(node.hex() for node in front.nodes), walk.batch)
    return Verdict(until, walk.passed, done, wrong)


async def _walked(walk: Walk, archive: Archive) -> tuple[int, str] | None:
    start, end = walk.front.size, walk.heads[-1].size if walk.heads else walk.front.size
    try:
        async for rows, (nodes, wrong) in archive.checks.check(_pages(archive, start, end)):
            walk.step(rows, nodes, wrong)
        walk.end()
    except WrongError as error:
        return error.number or 0, str(error)
    return None


async def _pages(archive: Archive, start: int, end: int) -> AsyncIterator[Sequence[SealedLeaf]]:
    for first in range(start, end, PAGE):
        yield await archive.leaves.leaves(first, min(first + PAGE, end))


async def _left_over(archive: Archive, walk: Walk) -> tuple[int, str] | None:
    """A leaf behind the newest head; one that was sealed a moment ago has its head by now."""
    size = walk.front.size
    if await archive.leaves.leaves(size, size + 1) and await archive.leaves.head(size + 1) is None:
        return size, f"leaf {size}: no head covers it"
    return None


async def prove(office: Office, subject: str, withheld: Collection[str], author: str) -> dict[str, Any]:
    """The offline file: every leaf about a message (or whatever acts were about), its path, the newest head, the key."""
    archive = office.evidence
    found, head = await archive.leaves.leaves_about(ABOUT, subject, PROVEN_AT_ONCE), await archive.leaves.head()
    if not found or head is None:
        raise Fault("not-found", "nothing about it is sealed; an exchange is sealed a second after it closed")
    await archive.reading.note_reading(author, office.now(), ("evidence_prove", subject, {"leaves": len(found)}))
    leaves = [{**shown(row, withheld), "path": await _path(archive, row.number, head.size)} for row in found]
    return {"format": PROOF, "leaves": leaves, "head": shown_head(head, archive.hub), "keys": dict(await archive.keys.publics())}


def shown(row: SealedLeaf, withheld: Collection[str]) -> dict[str, Any]:
    """A leaf as files show it."""
    return {"number": row.number, "fields": read(row).shown(withheld)}


def read(row: SealedLeaf) -> Leaf:
    """The leaf; a Fault that names it where it was damaged."""
    try:
        return leaf_of(row)
    except WrongError as error:
        raise Fault("record-unavailable", f"{error}; lgsp audit verify tells more") from error


async def _path(archive: Archive, number: int, size: int) -> list[str]:
    spans = tree.inclusion_spans(number, size)
    return [node.hex() for node in tree.path(spans, await archive.sealing.nodes_of(tree.keepers(spans)))]


async def export(office: Office, span: tuple[int, int | None], withheld: Collection[str], author: str) -> dict[str, Any]:
    """A page of an export: its first line, and the lines of up to SHOWN_A_PAGE leaves and of their heads; `next` is where to go on.

    The end of the span is rounded up to that of a batch, so that a head covers all of it.
    """
    archive, (start, end) = office.evidence, span
    last = await archive.leaves.head(end) if end else None
    last = last or await archive.leaves.head()
    if last is None or start >= last.size:
        raise Fault("not-found", "no such leaves are sealed")
    await archive.reading.note_reading(author, office.now(), ("evidence_export", "", {"from": start, "to": last.size}))
    spans = [(0, start)]
    before = tree.frontier(start, await archive.sealing.nodes_of(tree.keepers(spans))).nodes
    first = {"format": EXPORT, "from": start, "to": last.size, "before": [node.hex() for node in before]}
    stop = min(start + SHOWN_A_PAGE, last.size)
    lines: list[dict[str, Any]] = [shown(row, withheld) for row in await archive.leaves.leaves(start, stop)]
    heads = {head.size: shown_head(head, archive.hub) for head in await _heads(archive, start, stop)}
    woven = [line for leaf in lines for line in (leaf, heads.get(leaf["number"] + 1)) if line]
    return {"first": {**first, "keys": dict(await archive.keys.publics())}, "lines": woven, "next": stop if stop < last.size else None}


async def _heads(archive: Archive, start: int, stop: int) -> Sequence[Head]:
    first = await archive.leaves.head(start + 1)
    return await archive.leaves.heads(first.batch - 1, stop - start) if first else ()


async def report(office: Office, since: float, until: float) -> dict[str, Any]:
    """What happened from `since` to before `until` (POSIX seconds), counted from the leaves."""
    archive = office.evidence
    counted: dict[str, Counter[tuple[str, ...]]] = {"exchanges": Counter(), "acts": Counter()}
    start, end = await archive.leaves.between(since, until)
    for first in range(start, end, PAGE):
        for row in await archive.leaves.leaves(first, min(first + PAGE, end)):
            if since <= row.at < until:
                _count(read(row).fields, counted)
    exchanges = [
        dict(zip(("consumer", "operation", "outcome", "count"), (*key, n), strict=True)) for key, n in sorted(counted["exchanges"].items())
    ]
    acts = [dict(zip(("verb", "author", "count"), (*key, n), strict=True)) for key, n in sorted(counted["acts"].items())]
    head = await archive.leaves.head()
    return {"exchanges": exchanges, "acts": acts, "head": shown_head(head, archive.hub) if head else None}


def _count(fields: Mapping[str, str], counted: Mapping[str, Counter[tuple[str, ...]]]) -> None:
    if fields.get("kind") == EXCHANGE:
        outcome = fields.get("outcome", "").partition(" ")[0]
        counted["exchanges"][fields.get("consumer", ""), fields.get("operation", ""), outcome] += 1
    else:
        counted["acts"][fields.get("verb", ""), fields.get("author", "")] += 1


async def rotate(office: Office, author: str) -> str:
    """A new key for the heads to come."""
    return await office.evidence.keys.rotate(author, office.now())


async def erase(office: Office, message_id: str, names: Collection[str], author: str) -> int:
    """Erase fields that tell of people from the leaves of an exchange; the rest still verifies. Fault("not-found") if it has none."""
    erased = await office.evidence.erasures.erase(message_id, names, author, office.now())
    if not erased:
        raise Fault("not-found", "no sealed leaf of this exchange has such a field")
    return erased
