"""The gate in front of the data plane: says whether this node is alive and ready, and refuses what is too much (policy/admission.py).

It comes before everything else and reads no body, so that a refusal costs little: whose request it is, it knows only where this process
has verified the token before; all others are strangers and share one share. While the hub stops, each answer is the last of its
connection.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.codec import json
from lgsp.drivers.doors.asgi import write_reply
from lgsp.drivers.doors.problems import language_of, problem_reply
from lgsp.drivers.doors.soap import SUFFIX
from lgsp.errors import Fault
from lgsp.model.happening import Reply
from lgsp.policy.admission import USUAL, AdmissionRule, Intake, admits, looked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from lgsp.ports.engine import Identity
    from lgsp.telemetry import Telemetry

AGAIN_S = (1.0, 2.0, 3.0)
"""Retry-After of refusals, in turn, so that those who were refused together do not come back together."""
STRANGER = ""
UNREADY = 503
PLACE, REFUSAL = "lgsp.place", "lgsp.refusal"
"""Keys of the scope: the Place of a request that is let in; the Fault of a SOAP request that is not, for its door to tell."""
NOBODY = "00000000-0000-0000-0000-000000000000"
TRACELESS = NOBODY.replace("-", "").encode()


class Places:
    """Who has how many exchanges under way. `most`: places, whatever the delay."""

    def __init__(self, most: int, telemetry: Telemetry, rule: AdmissionRule = USUAL) -> None:
        self._most = most
        self._telemetry = telemetry
        self._rule = rule
        self._intake = Intake(float(most))
        self._under_way: Counter[str] = Counter()
        self._total = 0
        self._refused = 0

    def enter(self, consumer: str) -> None:
        """Take a place, or raise Fault("overloaded")."""
        mine = self._under_way[consumer]
        if not admits(self._intake.limit, self._total, mine, len(self._under_way) + (not mine)):
            self._refused += 1
            self._telemetry.shed.inc()
            raise Fault("overloaded", retry_after_s=AGAIN_S[self._refused % len(AGAIN_S)])
        self._under_way[consumer] = mine + 1
        self._total += 1

    def leave(self, consumer: str) -> None:
        """Give the place back."""
        self._total -= 1
        self._under_way[consumer] -= 1
        if not self._under_way[consumer]:
            del self._under_way[consumer]

    def looked(self, delay_s: float, now: float) -> None:
        """The loop ran a timer so late; `now` in monotonic seconds."""
        self._intake = looked(self._intake, (delay_s, self._total, now), self._most, self._rule)
        self._telemetry.places(int(self._intake.limit), self._total)


class Place:
    """One place, taken when it is made; who only waits for something else gives it back early."""

    __slots__ = ("_consumer", "_places")

    def __init__(self, places: Places, consumer: str) -> None:
        places.enter(consumer)
        self._places: Places | None = places
        self._consumer = consumer

    def give_back(self) -> None:
        """Once; again does nothing."""
        if self._places is not None:
            self._places.leave(self._consumer)
            self._places = None


class Refusals:
    """The problem of a refusal, written once for each language and wait, with the request's own id put in: it must cost next to nothing."""

    def __init__(self, issuer: str, new_id: Callable[[], str]) -> None:
        self._issuer = issuer
        self._new_id = new_id
        self._written: dict[tuple[str, float | None], Reply] = {}

    def reply(self, fault: Fault, language: str) -> tuple[Reply, str]:
        """The answer, and the id that it names."""
        kind = (language, fault.retry_after_s)
        written = self._written.get(kind)
        if written is None:
            written = self._written[kind] = problem_reply(fault, language, self._issuer, NOBODY, NOBODY.replace("-", ""))
        message_id = self._new_id()
        body = written.body.replace(NOBODY.encode(), message_id.encode())
        return Reply(written.status, body.replace(TRACELESS, message_id.replace("-", "").encode()), written.headers), message_id


@dataclass(frozen=True, slots=True)
class Front:
    """What the gate asks. ready: what the hub needs, by name, and whether it is there. stopping: whether the hub was told to stop."""

    places: Places
    ready: Callable[[], Awaitable[Mapping[str, bool]]]
    stopping: Callable[[], bool]
    refusals: Refusals


class Gate:
    """The ASGI application in front of `app`."""

    def __init__(self, app: ASGIApp, identity: Identity, front: Front) -> None:
        self._app = app
        self._identity = identity
        self._front = front
        self._places = front.places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = _last(send) if self._front.stopping() else send
        if scope["path"] in {"/livez", "/readyz"}:
            await write_reply(receive, sent, await self._health(scope["path"]), ())
            return
        consumer = self._whose(scope)
        try:
            place = Place(self._places, consumer)
        except Fault as fault:
            await self._refuse(fault, scope, receive, sent)
            return
        try:
            await self._app({**scope, PLACE: place}, receive, sent)
        finally:
            place.give_back()

    async def _refuse(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """As a problem here; a SOAP fault is the SOAP door's to write."""
        if scope["path"].endswith(SUFFIX):
            await self._app({**scope, REFUSAL: fault}, receive, send)
            return
        wanted = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
        reply, message_id = self._front.refusals.reply(fault, language_of(wanted.decode("latin-1")))
        await write_reply(receive, send, reply, (("lgsp-message-id", message_id),))

    def _whose(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"authorization":
                return self._identity.recall(value.decode("latin-1")) or STRANGER
        return STRANGER

    async def _health(self, path: str) -> Reply:
        if path == "/livez":
            return _fact("live", holds=True)
        return _fact("ready", holds=all((await self._front.ready()).values()))


def _last(send: Send) -> Send:
    """Answers that end their connection (RFC 9112 section 9.6), so that a proxy opens the next one elsewhere."""

    async def sent(event: Message) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event["headers"], (b"connection", b"close")]}
        await send(event)

    return sent


def _fact(name: str, *, holds: bool) -> Reply:
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return Reply(200 if holds else UNREADY, json.encode({name: holds}), headers)
