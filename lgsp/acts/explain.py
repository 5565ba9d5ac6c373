"""The way of one message, stage by stage, told from the log in plain Vietnamese or English.

Every event of the log has one teller here: facts in, lines out. What happened, whose fault it was and what to do come from the same problem
table that consumers are answered from, so that an operator and a caller never read two stories.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from lgsp.acts.wording import BLAMES, OUTCOMES, STATES, TEXTS
from lgsp.errors import Fault, problems
from lgsp.model.happening import Outcome, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.ports.office import Office, TimelineEntry

LANGUAGES = ("vi", "en")
VIETNAM = timezone(timedelta(hours=7))
"""One zone and no summer time, all over the country."""


async def timeline(office: Office, message_id: str) -> Sequence[TimelineEntry]:
    """The rows of one message, oldest first; Fault("not-found") if the log knows nothing of it."""
    entries = await office.inspection.timeline(message_id)
    if not entries:
        raise Fault("not-found", "no message has this id")
    return entries


async def explain(office: Office, message_id: str, language: str) -> str:
    """The message's way as text for a person; `language` is vi or en."""
    return tell(message_id, await timeline(office, message_id), language)


def tell(message_id: str, entries: Sequence[TimelineEntry], language: str) -> str:
    """Pure: the heading (who and what), a line for each row, and the verdict."""
    texts = TEXTS[language]
    lines = [texts["message"].format(id=message_id), *_heading(entries, texts), ""]
    for entry in entries:
        teller = TELLERS.get(entry.event, _other)
        first, *more = teller(entry, language)
        lines += [f"{_moment(entry.at)}  {first[:1].upper()}{first[1:]}", *(f"{'':25}{line}" for line in more)]
    return "\n".join([*lines, "", *_verdict(entries, language)])


def _heading(entries: Sequence[TimelineEntry], texts: Mapping[str, str]) -> list[str]:
    facts: dict[str, Any] = {}
    for entry in entries:
        facts = {**{key: value for key, value in entry.facts.items() if value}, **facts}
    named = ("consumer", "service", "operation", "provider", "trace_id")
    return [f"{texts[key]}: {facts[key]}" for key in named if key in facts]


def _attempt(entry: TimelineEntry, language: str) -> str:
    """Which attempt, for stored messages; a caller who waits gets one, and it has no number."""
    return TEXTS[language]["attempt"].format(attempt=entry.attempt) if entry.attempt else ""


def _accepted(entry: TimelineEntry, language: str) -> list[str]:
    deadline_at = entry.facts.get("deadline_at")
    line = TEXTS[language]["accepted"]
    return [line + TEXTS[language]["deadline"].format(at=_moment(deadline_at)) if deadline_at else line]


def _opened(entry: TimelineEntry, language: str) -> list[str]:
    return [TEXTS[language]["opened"].format(attempt=_attempt(entry, language), provider=entry.facts.get("provider", "?"))]


def _call(entry: TimelineEntry, language: str) -> list[str]:
    key = "call_finished" if entry.facts.get("finished") else "call_begun"
    return [TEXTS[language][key].format(attempt=_attempt(entry, language), name=entry.facts.get("name", "?"))]


def _closed(entry: TimelineEntry, language: str) -> list[str]:
    texts, facts = TEXTS[language], entry.facts
    outcome = OUTCOMES[language].get(str(facts.get("outcome")), str(facts.get("outcome")))
    duration = _milliseconds(facts.get("duration_us", 0), language)
    lines = [texts["closed"].format(attempt=_attempt(entry, language), outcome=outcome, status=facts.get("status", "-"), duration=duration)]
    stages = facts.get("stages") or ()
    if stages:
        lines.append(texts["stages"] + ", ".join(f"{name} {_milliseconds(us, language)}" for name, us in stages))
    return lines + _why(facts, language)


def _settled(entry: TimelineEntry, language: str) -> list[str]:
    texts, facts = TEXTS[language], entry.facts
    state = str(facts.get("state", "?"))
    line = texts["settled"].format(state=STATES[language].get(state, state))
    if state == State.WAITING and facts.get("due_at"):
        line += texts["again"].format(at=_moment(facts["due_at"]))
    return [line]


def _act(entry: TimelineEntry, language: str) -> list[str]:
    line = TEXTS[language]["act"].format(verb=entry.facts.get("verb", "?"), author=entry.facts.get("author", "?"))
    told = [str(entry.facts[name]) for name in ("run", "reason") if entry.facts.get(name)]
    return [f"{line} ({', '.join(told)})" if told else line]


def _other(entry: TimelineEntry, _language: str) -> list[str]:
    return [entry.event]


TELLERS: Mapping[str, Callable[[TimelineEntry, str], list[str]]] = {
    "accepted": _accepted,
    "opened": _opened,
    "call": _call,
    "closed": _closed,
    "settled": _settled,
    "act": _act,
}


STANDING = frozenset({"settled", "closed", "opened", "accepted"})
"""Events that say where a message stands; that an earlier attempt was lost is found out later, and says nothing of that."""
ACTS: Mapping[str, State] = {
    "replay": State.WAITING,
    "replay_in_run": State.WAITING,
    "set_aside": State.HELD,
    "cancel": State.CANCELLED,
    **{f"decide_{state}": state for state in (State.WAITING, State.DELIVERED, State.DEAD)},
}
"""What people do to a message, and where it stands then; other acts about it change nothing."""


def _says_where(entry: TimelineEntry) -> bool:
    if entry.event == "act":
        return entry.facts.get("verb") in ACTS
    return entry.event in STANDING and entry.facts.get("cause") != "attempt-lost"


def _why(facts: Mapping[str, Any], language: str) -> list[str]:
    """Cause and blame in words, for what did not go well."""
    cause = str(facts.get("cause") or "")
    if not cause:
        return []
    problem = problems().get(cause)
    title = problem.title[language] if problem else cause
    blame = str(facts.get("blame") or (problem.blame if problem else ""))
    lines = [TEXTS[language]["cause"].format(title=title, slug=cause)]
    if blame:
        lines.append(TEXTS[language]["blame"].format(who=BLAMES[language].get(blame, blame)))
    if facts.get("detail"):
        lines.append(TEXTS[language]["detail"].format(detail=facts["detail"]))
    return lines


def _verdict(entries: Sequence[TimelineEntry], language: str) -> list[str]:
    """Where the message stands now, why, and what to do."""
    texts = TEXTS[language]
    telling = [entry for entry in entries if _says_where(entry)]
    last = telling[-1] if telling else entries[-1]
    standing = str(last.facts.get("state") or last.facts.get("outcome") or "")
    if last.event == "act":
        state = ACTS[last.facts["verb"]]
        return [texts["now"].format(standing=STATES[language][state]), texts["todo"].format(action=_action(state, "", language))]
    if not standing:
        open_action = "nothing_yet" if last.event == "accepted" else "open"
        return [texts["now"].format(standing=texts["under_way"]), texts["todo"].format(action=texts[open_action])]
    words = OUTCOMES[language].get(standing) if last.event == "closed" else STATES[language].get(standing)
    lines = [texts["now"].format(standing=words or standing), *_why(last.facts, language)]
    return [*lines, texts["todo"].format(action=_action(standing, str(last.facts.get("cause") or ""), language))]


def _action(standing: str, cause: str, language: str) -> str:
    texts = TEXTS[language]
    if standing in {State.DELIVERED, State.CANCELLED, Outcome.DELIVERED, Outcome.REPLAYED}:
        return texts["nothing"]
    if standing in {State.ACCEPTED, State.WAITING, State.DELIVERING}:
        return texts["nothing_yet"]
    if standing == Outcome.HANDED_OVER:
        return texts["unconfirmed"]
    problem = problems().get(cause)
    return problem.action[language] if problem else texts["look"]


def _moment(at: float) -> str:
    """Vietnamese time to the millisecond, sortable, without the zone (the heading of the text names it)."""
    return datetime.fromtimestamp(at, UTC).astimezone(VIETNAM).isoformat(" ", "milliseconds").removesuffix("+07:00")


def _milliseconds(microseconds: float, language: str) -> str:
    text = f"{microseconds / 1000:.1f} ms"
    return text.replace(".", ",") if language == "vi" else text
