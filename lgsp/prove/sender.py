"""The open-loop sender: a request falls due at each tick of the rate, whatever has become of the others; its book knows each by number.

A request whose outcome is unknown (cut, timed out, 5xx) or that was not taken yet (429, 503, 409 in progress) is sent again under the
same Idempotency-Key, by turns at each gateway, until it is settled or patience ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from lgsp.prove.answers import case_of
from lgsp.prove.oracle import KEYED, SOAP, SOAP_ONCE, TRIAL, UNKEYED, Answer, Sent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ANSWER_S = 12.0
AGAIN_S = 0.25
AGAIN_AT_MOST_S = 3.0
CONNECTIONS = 200
BEYOND = 50
"""At most so many times the messages asked for, however long the faults take."""
AGAIN = frozenset({408, 409, 425, 429})
"""Told without doubt: not taken (yet); the same key may be sent again. What no key would settle (its outcome is unknown) is a refusal."""
CUT, NOT_REACHED = 0, 599
"""In place of a status: nothing definite came back; nobody listened, so that nothing was sent."""
NOT_NOW = frozenset({429, 503})
PATHS = {
    KEYED: "prove/1/keyed",
    UNKEYED: "prove/1/unkeyed",
    TRIAL: "prove/1/trial",
    SOAP: "neighbour/1/entries",
    SOAP_ONCE: "neighbour/1/once",
}


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: at least how many at which rate (a second), over how many matters, how long to go on asking about the last ones.

    `unkeyed_every`: one of so many requests goes to the operation without a key (0: none); `neighbour_every` to the second provider,
    `trial_every` to the operation that may break. `table`: each goes where its case of F35 says. `twins`: so many at once send each
    request.
    """

    messages: int
    rate: float
    matters: int = 50
    patience_s: float = 90.0
    unkeyed_every: int = 3
    neighbour_every: int = 0
    trial_every: int = 0
    table: int = 0
    twins: int = 1

    @property
    def has_neighbour(self) -> bool:
        """Whether anything goes to the second provider."""
        return bool(self.neighbour_every or self.table)

    def kind_of(self, number: int) -> str:
        """The operation that gets a request."""
        if self.table:
            return case_of(number).kind
        shares = ((self.neighbour_every, SOAP), (self.trial_every, TRIAL), (self.unkeyed_every, UNKEYED))
        return next((kind for every, kind in shares if every and number % every == 0), KEYED)


@dataclass(slots=True)
class Desk:
    """Who sends: addresses of the gateways, and the headers of a consumer that may; `told` counts all answers by status and problem.

    `lines`: a request that finds all taken waits for one here, before its time is taken: the hub has not heard of it yet.
    """

    gateways: list[str]
    headers: Mapping[str, str]
    book: list[Sent] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once all faults are over: until then the load goes on beyond its number."""
    lines: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONNECTIONS))


def note_of(number: int) -> str:
    """The content of a request: of its own, with what tends to break on the way."""
    return f"Hồ sơ số {number}: “đã nhận”, ± 0,10 ‰ — {hashlib.sha256(str(number).encode()).hexdigest()}"


def entry_of(number: int, load: Load, due_at: float) -> Sent:
    """A page of the book."""
    digest = hashlib.sha256(note_of(number).encode()).hexdigest()
    return Sent(number, load.kind_of(number), f"V-{number % load.matters}", digest, due_at)


async def send_all(desk: Desk, load: Load) -> None:
    """Send everything; returns when each is settled or patience has ended."""
    clock = asyncio.get_running_loop().time
    async with _session() as session:
        began_at, tasks = clock(), []
        for number in range(load.messages * BEYOND):
            if number >= load.messages and desk.struck.is_set():
                break
            due_at = began_at + number / load.rate
            if due_at > clock():
                await asyncio.sleep(due_at - clock())
            entry = entry_of(number, load, due_at)
            desk.book.append(entry)
            tasks.append(asyncio.create_task(_settle(session, desk, entry, due_at + load.patience_s)))
            tasks += [asyncio.create_task(_twin(session, desk, entry)) for _ in range(load.twins - 1)]
        await asyncio.gather(*tasks)


async def settle_rest(desk: Desk, patience_s: float) -> None:
    """Ask again, under their keys, about those whose outcome is unknown so far."""
    ends_at = asyncio.get_running_loop().time() + patience_s
    async with _session() as session:
        await asyncio.gather(*(_settle(session, desk, entry, ends_at) for entry in desk.book if entry.answer is Answer.UNKNOWN))


def _session() -> aiohttp.ClientSession:
    """`Desk.lines` bounds how many connections there are."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=ANSWER_S))


async def _settle(session: aiohttp.ClientSession, desk: Desk, entry: Sent, ends_at: float) -> None:
    """Send until the outcome is known."""
    clock = asyncio.get_running_loop().time
    entry.sent_at = entry.sent_at or clock()
    while True:
        entry.tries, entry.again_s = entry.tries + 1, 0.0
        async with desk.lines:
            status, answer = await _send(session, desk, entry)
        desk.told[f"{status} {answer.get('type', '').rpartition('/')[2]}".strip()] += 1
        if CUT < status < 300:  # noqa: PLR2004  # 2xx
            entry.answer, entry.message_id, entry.status = Answer.ACCEPTED, answer.get("id", ""), status
            entry.ids.add(entry.message_id)
            break
        if CUT < status < 500 and (status not in AGAIN or answer.get("type", "").endswith("key-outcome-unknown")):  # noqa: PLR2004  # 4xx
            entry.answer, entry.status = Answer.REFUSED, status
            break
        if status not in AGAIN and status != NOT_REACHED:
            entry.doubts += 1
        if clock() > ends_at:
            return
        await asyncio.sleep(max(entry.again_s, min(AGAIN_AT_MOST_S, AGAIN_S * entry.tries) * random.uniform(0.5, 1)))
    entry.answered_at = clock()


async def _twin(session: aiohttp.ClientSession, desk: Desk, entry: Sent) -> None:
    """The same request a second time, at once; what it is told must fit what the first one is told."""
    async with desk.lines:
        status, answer = await _send(session, desk, entry)
    if CUT < status < 300:  # noqa: PLR2004  # 2xx
        entry.ids.add(answer.get("id", ""))


async def _send(session: aiohttp.ClientSession, desk: Desk, entry: Sent) -> tuple[int, dict[str, Any]]:
    """Status and JSON, or CUT or NOT_REACHED; how long it took stands in the book."""
    clock = asyncio.get_running_loop().time
    gateway = desk.gateways[(entry.number + entry.tries) % len(desk.gateways)]
    body = body_of(entry)
    headers = {**desk.headers, "Content-Type": "application/json", "Idempotency-Key": f'"prove-{entry.number}"'}
    asked_at = clock()
    try:
        async with session.post(f"{gateway}/{PATHS[entry.kind]}", data=body, headers=headers) as answer:
            content = json.loads(await answer.read() or b"{}")
            _note_refusal(entry, answer, clock() - asked_at)
            return answer.status, content
    except aiohttp.ClientConnectorError:
        return NOT_REACHED, {}
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return CUT, {}
    finally:
        entry.longest_s = max(entry.longest_s, clock() - asked_at)


def body_of(entry: Sent) -> bytes:
    """What is sent."""
    return json.dumps({"number": entry.number, "matter": entry.matter, "note": note_of(entry.number)}, ensure_ascii=False).encode()


def _note_refusal(entry: Sent, answer: aiohttp.ClientResponse, took_s: float) -> None:
    """A definite refusal must come soon and say when to come again."""
    if answer.status in NOT_NOW:
        entry.refused_s.append(took_s)
        entry.again_s = float(answer.headers.get("Retry-After", 0)) * random.uniform(1, 1.2)
        entry.bare += "Retry-After" not in answer.headers


async def receipts(desk: Desk, entries: Sequence[Sent]) -> dict[str, str]:
    """The state that the hub tells the consumer, by message id; an id without one is missing."""
    found: dict[str, str] = {}
    slots = asyncio.Semaphore(16)

    async def ask(session: aiohttp.ClientSession, place: int, entry: Sent) -> None:
        url = f"{desk.gateways[place % len(desk.gateways)]}/receipts/{entry.message_id}"
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
            async with slots, session.get(url, headers=desk.headers) as answer:
                if answer.status == 200:  # noqa: PLR2004  # OK
                    found[entry.message_id] = (await answer.json())["state"]

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S)) as session:
        await asyncio.gather(*(ask(session, place, entry) for place, entry in enumerate(entries)))
    return found
