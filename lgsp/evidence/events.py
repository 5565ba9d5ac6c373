"""Events as the texts of a leaf: an exchange from its OPENED and CLOSED rows, an administrative act from its own."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lgsp.model.evidence import Disclosed, Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.happening import Closed

ABOUT, OFFICIAL, DOSSIER, SUBJECT = "about", "official", "dossier", "subject"
"""Kinds of topics: the message or whatever an act is about, and whom and what an exchange served."""
DELIVER = "deliver"
EXCHANGE, ACT = "exchange", "act"
UNREADABLE = "unreadable"


class Ended(NamedTuple):
    """What an event takes from a CLOSED row, named as there; a tuple, since many are read at once."""

    message_id: str
    attempt: int
    at: float
    consumer: str
    service: str
    operation: str
    outcome: str
    status: int
    blame: str
    cause: str
    reply_digest: bytes
    duration_us: int
    stages: Sequence[tuple[str, int]]
    disclosed: Disclosed


def exchange_event(source: str, closed: Closed | Ended, opened: Mapping[str, str]) -> Event:
    """One passage. opened: provider, request digest (hex), why and whom; of what was refused before it was opened only why.

    Concerned are those whom the request named, and those whom the answer did.
    """
    found = " ".join(dict.fromkeys([*opened.get("subjects", "").split(), *closed.disclosed.subjects.split()]))
    fields = {
        "attempt": str(closed.attempt),
        "basis": opened.get("basis", ""),
        "consumer": closed.consumer,
        "digests": f"request={opened.get('digest', '')} answer={closed.reply_digest.hex()}",
        "dossier": opened.get("dossier", ""),
        "kind": EXCHANGE,
        "message": closed.message_id,
        "official": opened.get("official", ""),
        "operation": f"{closed.service}/{closed.operation}",
        "outcome": " ".join([str(closed.outcome), str(closed.status), *([closed.cause, closed.blame] if closed.cause else [])]),
        "provider": opened.get("provider", ""),
        "public_service": opened.get("public_service", ""),
        "purpose": opened.get("slug", ""),
        "released": closed.disclosed.fields,
        "represented": opened.get("represented_party", ""),
        "source": source,
        "subjects": found,
        "times": times(closed),
    }
    return Event(closed.at, closed.consumer, fields, topics_of(fields))


def topics_of(fields: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """By what an exchange is found again."""
    whom = [(ABOUT, fields.get("message", "")), (OFFICIAL, fields.get("official", "")), (DOSSIER, fields.get("dossier", ""))]
    whom += [(SUBJECT, mark) for mark in fields.get("subjects", "").split()]
    return tuple(topic for topic in whom if topic[1])


def unreadable_event(source: str, at: float, consumer: str, message_id: str) -> Event:
    """An exchange whose row is damaged: that it was there, and from whom, is sealed all the same."""
    fields = {"consumer": consumer, "kind": EXCHANGE, "message": message_id, "outcome": UNREADABLE, "source": source}
    return Event(at, consumer, fields, topics_of(fields))


def act_event(source: str, at: float, deed: tuple[str, str, str], facts: str) -> Event:
    """An administrative act: (author, verb, subject), and its facts as JSON."""
    author, verb, subject = deed
    texts = {"at": moment(at), "author": author, "facts": facts, "kind": ACT, "source": source, "subject": subject, "verb": verb}
    return Event(at, "", texts, ((ABOUT, subject),) if subject else ())


def times(closed: Closed | Ended) -> str:
    """The four moments of X-Road's operational monitoring, by name; of an exchange that did not come to its provider the first and last."""
    began = closed.at - closed.duration_us / 1e6
    sent = answered = None
    passed = 0
    for stage, took_us in closed.stages:
        if stage == DELIVER:
            sent = passed if sent is None else sent
            answered = passed + took_us
        passed += took_us
    inner = [] if sent is None or answered is None else [("requestOut", began + sent / 1e6), ("responseIn", began + answered / 1e6)]
    every = [("requestIn", began), *inner, ("responseOut", closed.at)]
    return " ".join([f"{name}={moment(at)}" for name, at in every])


def moment(at: float) -> str:
    """POSIX seconds as RFC 3339 in UTC, to the microsecond."""
    fraction, second = math.modf(at)
    micros = round(fraction * 1e6)
    return f"{_second(second + micros // 1_000_000)}.{micros % 1_000_000:06d}Z"


@lru_cache(maxsize=256)
def _second(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()[:-6]
