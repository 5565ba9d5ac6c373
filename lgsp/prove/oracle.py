"""The oracle: holds the sender's book, the hub's record and the provider's ledger against one another; pure arithmetic over sets.

A request is A (accepted: a 202 was seen), U (unknown to the end: cut, timed out or 5xx, and no repetition settled it) or R (refused for
good). E are effects in the ledger, D and P messages that the hub keeps at rest for a person or still owes, L opened rows of its log.

    lost         A without an effect, a dead letter or anything pending
    phantom      effects of numbers that nobody accepted: neither A nor U
    doubled      effects beyond the first of a number; a provider that honours keys and a call that none protects are counted apart
    unaudited    effects of messages without an OPENED row before them or, once settled, without CLOSED
    stuck        messages still under way after the hub had time enough to finish
    unresolved   U, and receipts that disagree with the record
    out_of_order two effects of one matter in the wrong order, where the first was accepted before the second was sent
    mismatched   effects whose content is not what was sent
    misjudged    told as refused, or as dead where no key allows another attempt, and yet with an effect

All of them must be 0. A message that rests as `unknown` or `dead` is no violation: the hub says that a person must look.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

KEYED, UNKEYED, SOAP, SOAP_ONCE, TRIAL = "keyed", "unkeyed", "soap", "soap_once", "trial"
UNPROTECTED = frozenset({UNKEYED, SOAP_ONCE})
UNDER_WAY = frozenset({"accepted", "waiting", "delivering"})
AT_REST = frozenset({"dead", "held", "unknown"})
UNREADABLE = "provider-reply-invalid"


class Answer(StrEnum):
    """What the sender knows of a request."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(slots=True)
class Sent:
    """A request in the sender's book; times in seconds of one clock.

    doubts: answers that settled nothing. refused_s: how long each definite refusal (429, 503) took; bare: those without Retry-After.
    again_s: when to come again, as told
    last. longest_s: the longest wait for any answer. ids: the message ids that this request and its twins were told.
    """

    number: int
    kind: str
    matter: str
    digest: str
    due_at: float
    answer: Answer = Answer.UNKNOWN
    message_id: str = ""
    sent_at: float = 0.0
    answered_at: float = 0.0
    tries: int = 0
    doubts: int = 0
    status: int = 0
    bare: int = 0
    again_s: float = 0.0
    longest_s: float = 0.0
    refused_s: list[float] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Effect:
    """A line of the provider's ledger, in the order in which things happened; `at` on the sender's clock."""

    number: int
    kind: str
    matter: str
    digest: str
    message_id: str
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What the hub's record says of one message: its state, how many OPENED and CLOSED rows it has, why it rests."""

    state: str
    opened: int
    closed: int
    cause: str = ""


@dataclass(slots=True)
class Verdict:
    """The violations of one run; each list holds numbers of requests, so that a finding can be followed."""

    lost: list[int] = field(default_factory=list)
    phantom: list[int] = field(default_factory=list)
    doubled_keyed: list[int] = field(default_factory=list)
    doubled_unkeyed: list[int] = field(default_factory=list)
    unaudited: list[int] = field(default_factory=list)
    stuck: list[int] = field(default_factory=list)
    unresolved: list[int] = field(default_factory=list)
    out_of_order: list[int] = field(default_factory=list)
    mismatched: list[int] = field(default_factory=list)
    misjudged: list[int] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {each.name: len(getattr(self, each.name)) for each in fields(self)}

    @property
    def violations(self) -> int:
        """All of them."""
        return sum(self.counts().values())


def reconcile(book: Sequence[Sent], ledger: Sequence[Effect], record: Mapping[str, Kept]) -> Verdict:
    """Hold the three against one another; `record` by message id."""
    verdict = Verdict()
    sent = {entry.number: entry for entry in book}
    effects: defaultdict[int, list[Effect]] = defaultdict(list)
    for effect in ledger:
        effects[effect.number].append(effect)
    for entry in book:
        _judge_entry(entry, effects[entry.number], record.get(entry.message_id), verdict)
    _judge_effects(ledger, sent, record, verdict)
    verdict.out_of_order = _disorder(ledger, sent)
    return verdict


def _judge_entry(entry: Sent, effects: Sequence[Effect], kept: Kept | None, verdict: Verdict) -> None:
    """What became of one request."""
    state = kept.state if kept else ""
    if entry.answer is Answer.UNKNOWN:
        verdict.unresolved.append(entry.number)
    elif entry.answer is Answer.ACCEPTED:
        if not effects and state not in UNDER_WAY | AT_REST | {"refused"}:
            verdict.lost.append(entry.number)
        if state in UNDER_WAY:
            verdict.stuck.append(entry.number)
        if effects and kept and _denies(kept, entry.kind):
            verdict.misjudged.append(entry.number)
    doubled = verdict.doubled_unkeyed if entry.kind in UNPROTECTED else verdict.doubled_keyed
    doubled += [entry.number] * (len(effects) - 1)


def _denies(kept: Kept, kind: str) -> bool:
    """Whether the hub says that the provider did not act; an answer that it could not read denies nothing."""
    is_dead = kept.state == "dead" and kind in UNPROTECTED and kept.cause != UNREADABLE
    return is_dead or kept.state == "refused"


def _judge_effects(ledger: Iterable[Effect], sent: Mapping[int, Sent], record: Mapping[str, Kept], verdict: Verdict) -> None:
    """What the provider did, seen from its side."""
    for effect in ledger:
        entry = sent.get(effect.number)
        if entry is None or entry.answer is Answer.REFUSED:
            verdict.phantom.append(effect.number)
        elif entry.digest != effect.digest or entry.matter != effect.matter:
            verdict.mismatched.append(effect.number)
        kept = record.get(effect.message_id)
        if kept is None or not kept.opened or (not kept.closed and kept.state not in UNDER_WAY):
            verdict.unaudited.append(effect.number)


def _disorder(ledger: Sequence[Effect], sent: Mapping[int, Sent]) -> list[int]:
    """Numbers whose first effect came after that of one that was sent only after they had been accepted."""
    first: dict[int, Effect] = {}
    for effect in ledger:
        if effect.kind == KEYED and effect.number in sent:
            first.setdefault(effect.number, effect)
    matters: defaultdict[str, list[Sent]] = defaultdict(list)
    for number, effect in first.items():
        matters[effect.matter].append(sent[number])
    late = []
    for entries in matters.values():
        latest_sent_at = 0.0
        for entry in entries:
            if entry.answer is Answer.ACCEPTED and entry.answered_at < latest_sent_at:
                late.append(entry.number)
            latest_sent_at = max(latest_sent_at, entry.sent_at)
    return late


# ---- how long it takes until all is well again --------------------------------------------------------------------------------------

WINDOW_S = 0.5
SLOWER = 1.5
FLOOR_S = 0.1
"""Latencies below this are well, whatever the baseline: on a machine of two cores a garbage collection costs as much."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: what, from when to when."""

    name: str
    began_at: float
    ended_at: float


def recoveries(book: Iterable[Sent], strikes: Sequence[Strike]) -> list[float]:
    """Seconds from the end of a strike until the 95th percentile of a window is back under 1.5 times that of before the first.

    A request belongs to the window in which it fell due. A strike that the next one overtakes is charged to that one.
    """
    answered = sorted((entry.due_at, entry.answered_at - entry.due_at) for entry in book if entry.answered_at)
    if not answered or not strikes:
        return []
    limit_s = max(FLOOR_S, SLOWER * p95([latency for due_at, latency in answered if due_at < strikes[0].began_at]))
    windows = _windows(answered)
    well_at = [_well_at(windows, strike, limit_s) for strike in strikes]
    following = [strike.began_at for strike in strikes[1:]] + [float("inf")]
    return [at - strike.ended_at for at, strike, next_at in zip(well_at, strikes, following, strict=True) if at <= next_at]


def _well_at(windows: Sequence[tuple[float, float]], strike: Strike, limit_s: float) -> float:
    """The start of the first good window after a strike; the end of all where none is."""
    after = [(starts_at, value) for starts_at, value in windows if starts_at + WINDOW_S > strike.ended_at]
    good = [starts_at for starts_at, value in after if value <= limit_s]
    if good or not after:
        return max(strike.ended_at, good[0] if good else 0.0)
    return after[-1][0] + WINDOW_S


def _windows(answered: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """(start, 95th percentile) of each window in which something fell due."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    for due_at, latency in answered:
        found[int(due_at / WINDOW_S)].append(latency)
    return [(place * WINDOW_S, p95(latencies)) for place, latencies in sorted(found.items())]


def p95(values: Sequence[float]) -> float:
    """The 95th percentile; 0 of nothing."""
    return percentile(values, 0.95)


def percentile(values: Iterable[float], share: float) -> float:
    """The value that this share of all does not exceed; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def struck(at: float, strikes: Iterable[Strike], margin_s: float = 0.0) -> bool:
    """Whether a moment lies within a strike, or within `margin_s` after one."""
    return any(strike.began_at <= at <= strike.ended_at + margin_s for strike in strikes)


def states(record: Mapping[str, Kept]) -> dict[str, int]:
    """How many messages stand in each state."""
    return dict(sorted(Counter(kept.state for kept in record.values()).items()))
