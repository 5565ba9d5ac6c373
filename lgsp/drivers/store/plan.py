"""What one transaction does with a batch of writes, in which order; a generator that knows no database.

It yields (statement, rows) and is sent back the rows that the statement returned, so that the writer thread of SQLite and the connection
of PostgreSQL run the same plan. Losers write nothing: who finds its key held, or its lease taken over, leaves no row behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.drivers.store.statements import (
    CALL,
    CALLS,
    CLAIM,
    FINISH_KEY,
    KEY_HOLDER,
    LEASE,
    LOG,
    MESSAGE,
    PAYLOAD,
    REFUSALS,
    RELEASE_KEY,
    REPLY,
    REQUEST,
    SETTLE,
    TAKE_KEY,
    Row,
    Statement,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

Step = tuple[Statement, "Sequence[Row]"]
Steps = "Generator[Step, list[Row], list[Any]]"


@dataclass(slots=True)
class Work:
    """What one write asks for; each part is a row of the statement of the same name, `log` written only if the rest was granted.

    The result: for `take_key` None or the holder's row; for `settle` and `call` whether the lease still holds; for `lease` the granted
    number; for `claim` (message rows, request rows, call rows).
    """

    log: Row | None = None
    take_key: Row | None = None
    message: Row | None = None
    payload: Row | None = None
    finish_key: Row | None = None
    release_key: Row | None = None
    settle: Row | None = None
    reply: Row | None = None
    call: Row | None = None
    lease: Row | None = None
    claim: Row | None = None
    refusals: Sequence[Row] = ()


_ALWAYS: tuple[tuple[Statement, str], ...] = (
    (MESSAGE, "message"),
    (PAYLOAD, "payload"),
    (REPLY, "reply"),
    (FINISH_KEY, "finish_key"),
    (RELEASE_KEY, "release_key"),
    (LOG, "log"),
)
"""Written for every work that was granted, in this order."""


def plan(works: Sequence[Work]) -> Generator[Step, list[Row], list[Any]]:
    """One transaction for all of them; returns their results in order."""
    results: list[Any] = [None] * len(works)
    granted = [True] * len(works)
    yield from _take_keys(works, results, granted)
    yield from _guard(SETTLE, [work.settle for work in works], results, granted)
    yield from _guard(CALL, [work.call for work in works], results, granted)
    going = [work for work, is_granted in zip(works, granted, strict=True) if is_granted]
    for statement, part in _ALWAYS:
        rows = [row for work in going if (row := getattr(work, part)) is not None]
        if rows:
            yield statement, rows
    refusals = _added(row for work in works for row in work.refusals)
    if refusals:
        yield REFUSALS, refusals
    for place, work in enumerate(works):
        if work.lease is not None:
            back = yield LEASE, [work.lease]
            results[place] = back[0][0]
        if work.claim is not None:
            results[place] = yield from _claim(work.claim)
    return results


def _take_keys(works: Sequence[Work], results: list[Any], granted: list[bool]) -> Generator[Step, list[Row], None]:
    """Sorted, so that two nodes never wait for each other; of two that want one key in this batch the first gets it."""
    firsts: dict[Row, tuple[int, Row]] = {}
    wanted = [(place, work.take_key) for place, work in enumerate(works) if work.take_key is not None]
    if not wanted:
        return
    for place, row in wanted:
        firsts.setdefault(row[:3], (place, row))
    back = yield TAKE_KEY, [row for _, row in sorted(firsts.values(), key=lambda first: _order(first[1]))]
    won = {firsts[tuple(row)][0] for row in back}
    losers = [(place, row) for place, row in wanted if place not in won]
    if losers:
        yield from _tell_holders(losers, results, granted)


def _tell_holders(losers: Sequence[tuple[int, Row]], results: list[Any], granted: list[bool]) -> Generator[Step, list[Row], None]:
    back = yield KEY_HOLDER, sorted({row[:3] for _, row in losers}, key=_order)
    holders = {tuple(row[:3]): row[3:] for row in back}
    for place, row in losers:
        granted[place] = False
        results[place] = holders[row[:3]]


def _guard(statement: Statement, rows: Sequence[Row | None], results: list[Any], granted: list[bool]) -> Generator[Step, list[Row], None]:
    """Rows that name (message id, lease) first; those that come back still hold it."""
    wanted = [(place, row) for place, row in enumerate(rows) if row is not None]
    if not wanted:
        return
    back = yield statement, [row for _, row in wanted]
    holding = {tuple(row[:2]) for row in back}
    for place, row in wanted:
        granted[place] = results[place] = row[:2] in holding


def _claim(row: Row) -> Generator[Step, list[Row], tuple[list[Row], list[Row], list[Row]]]:
    messages = yield CLAIM, [row]
    if not messages:
        return [], [], []
    ids: list[Row] = [(message[1],) for message in messages]
    requests = yield REQUEST, ids
    calls = yield CALLS, ids
    return sorted(messages, key=_seq), requests, calls


def _added(rows: Iterable[Row]) -> list[Row]:
    counts: dict[Row, int] = {}
    for *key, count in rows:
        counts[tuple(key)] = counts.get(tuple(key), 0) + int(str(count))
    return [(*key, count) for key, count in sorted(counts.items(), key=_order)]


def _seq(row: Row) -> int:
    return int(str(row[0]))


_order: Callable[[Any], Any] = repr
