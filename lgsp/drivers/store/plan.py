"""What one transaction does with a batch of writes, in which order; a generator that knows no database.

It yields (statement, rows) and is sent back the rows that the statement returned, so that the writer thread of SQLite and the connection
of PostgreSQL run the same plan. Losers write nothing: who finds its key held, or its lease taken over, leaves no row behind.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.drivers.store.claims import BLOCKED_S, CLAIM, CLAIM_FINISHED, CLAIM_OVERDUE, CLAIM_UNKNOWN, HOLDING, RIPEN, TAKE, TAKEN, WAKE
from lgsp.drivers.store.statements import (
    CALL,
    CALLS,
    FINISH_KEY,
    FORGET_CALLS,
    FORGET_DOUBTS,
    KEY_HOLDER,
    LEASE,
    LOG,
    MESSAGE,
    OWE,
    PAYLOAD,
    REFUSALS,
    RELEASE_KEY,
    REPLY,
    REQUEST,
    RESOLVE,
    SETTLE,
    SUPERSEDE,
    SWAP,
    TAKE_KEY,
    Row,
    Statement,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

Step = tuple[Statement, "Sequence[Row]"]
Steps = "Generator[Step, list[Row], list[Any]]"


@dataclass(slots=True)
class Work:
    """What one write asks for; each part is a row of the statement of the same name, `log` written only if the rest was granted.

    `more`: (message, payload) of further messages. The result: for `take_key` None or the holder's row; for `settle`, `resolve` and `call`
    whether the lease still holds; for `owe` whether its place still stood; for `supersede` whether the predecessor gave way; for `lease`
    the granted number; for claims (message rows, request rows, call rows).
    """

    log: Row | None = None
    take_key: Row | None = None
    message: Row | None = None
    payload: Row | None = None
    finish_key: Row | None = None
    release_key: Row | None = None
    supersede: Row | None = None
    settle: Row | None = None
    resolve: Row | None = None
    forget_doubts: Row | None = None
    wake: Row | None = None
    reply: Row | None = None
    call: Row | None = None
    forget_calls: Row | None = None
    lease: Row | None = None
    claim: Row | None = None
    claim_unknown: Row | None = None
    take: Row | None = None
    holding: Row | None = None
    claim_overdue: Row | None = None
    claim_finished: Row | None = None
    refusals: Sequence[Row] = ()
    owe: Row | None = None
    more: Sequence[tuple[Row, Row]] = ()


_ALWAYS: tuple[tuple[Statement, str], ...] = (
    (MESSAGE, "message"),
    (PAYLOAD, "payload"),
    (REPLY, "reply"),
    (FORGET_DOUBTS, "forget_doubts"),
    (WAKE, "wake"),
    (FINISH_KEY, "finish_key"),
    (RELEASE_KEY, "release_key"),
    (FORGET_CALLS, "forget_calls"),
    (LOG, "log"),
)
"""Written for every work that was granted, in this order."""

_MORE: Mapping[str, Callable[[Work], Iterable[Row]]] = {
    "message": lambda work: [message for message, _ in work.more],
    "payload": lambda work: [payload for _, payload in work.more],
}


_CLAIMS: tuple[tuple[Statement, str], ...] = (
    (CLAIM, "claim"),
    (CLAIM_UNKNOWN, "claim_unknown"),
    (TAKE, "take"),
    (HOLDING, "holding"),
    (CLAIM_OVERDUE, "claim_overdue"),
    (CLAIM_FINISHED, "claim_finished"),
)
"""What gives messages out, with their content."""


def plan(works: Sequence[Work]) -> Generator[Step, list[Row], list[Any]]:
    """One transaction for all of them; returns their results in order."""
    results: list[Any] = [None] * len(works)
    granted = [True] * len(works)
    losers = yield from _take_keys(works, granted)
    places = yield from _supersede(works, results, granted)
    yield from _tell_holders(losers, results)
    yield from _guard(SETTLE, [work.settle for work in works], results, granted)
    yield from _guard(RESOLVE, [work.resolve for work in works], results, granted)
    yield from _guard(CALL, [work.call for work in works], results, granted)
    yield from _owe(works, results, granted)
    going = [work for work, is_granted in zip(works, granted, strict=True) if is_granted]
    for statement, part in _ALWAYS:
        rows = [row for work in going if (row := getattr(work, part)) is not None]
        rows += [row for work in going for row in _MORE[part](work)] if part in _MORE else []
        if statement is MESSAGE:
            rows = yield from _in_line(rows, {row[1] for row in places})
        if rows:
            yield statement, rows
    for row, step in itertools.product(places, SWAP):
        yield step, [row]
    refusals = _added(row for work in works for row in work.refusals)
    if refusals:
        yield REFUSALS, refusals
    for place, work in enumerate(works):
        if work.lease is not None:
            back = yield LEASE, [work.lease]
            results[place] = back[0][0]
        for statement, part in _CLAIMS:
            wanted: Row | None = getattr(work, part)
            if wanted is not None:
                results[place] = yield from _claim(statement, wanted)
    return results


def _take_keys(works: Sequence[Work], granted: list[bool]) -> Generator[Step, list[Row], list[tuple[int, Row, tuple[int, Row]]]]:
    """Sorted, so that two nodes never wait for each other; of two that want one key in this batch the first gets it.

    Returns the losers, each with the first of this batch that wanted its key (perhaps itself).
    """
    firsts: dict[Row, tuple[int, Row]] = {}
    wanted = [(place, work.take_key) for place, work in enumerate(works) if work.take_key is not None]
    if not wanted:
        return []
    for place, row in wanted:
        firsts.setdefault(row[:3], (place, row))
    back = yield TAKE_KEY, [row for _, row in sorted(firsts.values(), key=lambda first: _order(first[1]))]
    won = {firsts[tuple(row)][0] for row in back}
    losers = [(place, row, firsts[row[:3]]) for place, row in wanted if place not in won]
    for place, _, _ in losers:
        granted[place] = False
    return losers


def _tell_holders(losers: Sequence[tuple[int, Row, tuple[int, Row]]], results: list[Any]) -> Generator[Step, list[Row], None]:
    """Who holds the key. Where the first of this batch was refused and gave it back: the same refusal, or to another request that first."""
    if not losers:
        return
    back = yield KEY_HOLDER, sorted({row[:3] for _, row, _ in losers}, key=_order)
    holders = {tuple(row[:3]): row[3:] for row in back}
    for place, row, (first, taken) in losers:
        _, _, _, fingerprint, message_id, *kept, _ = taken
        refused = results[first] if row[3] == fingerprint else (message_id, fingerprint, *kept)
        results[place] = holders.get(row[:3], refused)


def _guard(statement: Statement, rows: Sequence[Row | None], results: list[Any], granted: list[bool]) -> Generator[Step, list[Row], None]:
    """Rows that name (message id, lease) first; those that come back still hold it."""
    wanted = [(place, row) for place, row in enumerate(rows) if row is not None]
    if not wanted:
        return
    back = yield statement, [row for _, row in wanted]
    holding = {tuple(row[:2]) for row in back}
    for place, row in wanted:
        granted[place] = results[place] = row[:2] in holding


def _owe(works: Sequence[Work], results: list[Any], granted: list[bool]) -> Generator[Step, list[Row], None]:
    """One at a time, so that of two that would tell the same the first does."""
    for place, work in enumerate(works):
        if work.owe is not None:
            yield from _guard(OWE, [None] * place + [work.owe], results, granted)


def _supersede(works: Sequence[Work], results: list[Any], granted: list[bool]) -> Generator[Step, list[Row], list[Row]]:
    """The predecessor gives way, or nothing of the work is written and the key that it took is given back.

    One at a time, so that of two that want the same place the first gets it. Returns (predecessor, successor, place).
    """
    places: list[Row] = []
    for at, work in enumerate(works):
        if work.supersede is None or not granted[at]:
            continue
        back = yield SUPERSEDE, [work.supersede]
        granted[at] = results[at] = bool(back)
        if back:
            places.append((*work.supersede[:2], back[0][0]))
        elif work.take_key is not None:
            yield RELEASE_KEY, [(*work.take_key[:3], work.take_key[4])]
    return places


def _claim(statement: Statement, row: Row) -> Generator[Step, list[Row], tuple[list[Row], list[Row], list[Row]]]:
    if statement is CLAIM:
        yield RIPEN, [row[:2]]
    messages = yield statement, [row]
    if not messages:
        return [], [], []
    ids: list[Row] = [(message[1],) for message in messages]
    requests = yield REQUEST, ids
    calls = yield CALLS, ids
    return sorted(messages, key=_seq), requests, calls


_PROVIDER, _ORDER_MARK, _DUE_AT = ([name for name, _ in MESSAGE.columns].index(name) for name in ("provider", "order_mark", "due_at"))


def _in_line(rows: list[Row], heirs: set[object]) -> Generator[Step, list[Row], list[Row]]:
    """New messages; one that stands behind another of its order key, and takes nobody's place, is not ready."""
    lines = [(row[_PROVIDER], row[_ORDER_MARK]) for row in rows]
    asked = sorted({line for line in lines if line[1] is not None}, key=_order)
    taken = {tuple(row) for row in (yield TAKEN, asked)} if asked else set()
    placed: list[Row] = []
    for row, line in zip(rows, lines, strict=True):
        if line in taken and row[_DUE_AT] is not None and bytes(row[0]) not in heirs:  # type: ignore[call-overload] # bytes column
            placed.append((*row[:_DUE_AT], float(str(row[_DUE_AT])) + BLOCKED_S, *row[_DUE_AT + 1 : -1], False))
        else:
            placed.append(row)
        taken |= {line} if line[1] is not None else set()
    return placed


def _added(rows: Iterable[Row]) -> list[Row]:
    counts: dict[Row, int] = {}
    for *key, count in rows:
        counts[tuple(key)] = counts.get(tuple(key), 0) + int(str(count))
    return [(*key, count) for key, count in sorted(counts.items(), key=_order)]


def _seq(row: Row) -> int:
    return int(str(row[0]))


_order: Callable[[Any], Any] = repr
