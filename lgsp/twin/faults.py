"""A layer around any twin that makes it misbehave to order, and shows what effects took place.

    PUT    /_twin/faults  {"kind": ..., "seconds"?, "share"?, "count"?, "status"?, "after_effect"?}   replaces the fault in force
    DELETE /_twin/faults                                                                               behave again
    GET    /_twin/ledger                                                                               effects so far, in order
    POST   /_twin/reset                                                                                forget everything

    kind     what the caller meets                                             `seconds` means
    slow     the right answer, late                                            how late (2)
    html502  a proxy's HTML page with status 502                               -
    status   an empty answer with `status` (503)                               -
    empty    200 without a body                                                -
    drop     the connection is cut without an answer                           -
    hang     nothing, then a cut                                               how long (3600)
    drip     the right answer, one byte at a time                              between two bytes (1)
    refuse   each connection is cut at its first byte; nothing is looked at    how long in all (without: until told otherwise)
    down     nobody listens on the port; the control face is gone with it      how long (5)

`share` is the part of the requests that suffer (1.0; evenly spread, no dice), `count` how many at most. `after_effect` lets the twin do
its work first, so that only the answer is lost: the dangerous case. Connections are cut with a TCP reset; that needs `lgsp.twin.serve`.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

TRANSPORT = "lgsp.twin.transport"
PAGE = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"
SECONDS = {"slow": 2.0, "hang": 3600.0, "drip": 1.0, "down": 5.0}
KINDS = frozenset({"slow", "html502", "status", "empty", "drop", "hang", "drip", "refuse", "down"})


class FaultError(ValueError):
    """An order that cannot be understood; its text names the place."""


@dataclass(slots=True)
class Plan:
    """One fault in force: what, whom it hits (`share`, `count`), and until when (`until`, monotonic seconds)."""

    kind: str
    seconds: float | None = None
    share: float = 1.0
    count: int | None = None
    status: int = 503
    after_effect: bool = False
    until: float | None = None
    owed: float = 0.0

    @property
    def wait_s(self) -> float:
        """The `seconds` that were ordered, or what is usual for this kind."""
        return SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    def strikes(self) -> bool:
        """Whether the next request suffers; counts it."""
        if self.count == 0 or (self.until is not None and time.monotonic() >= self.until):
            return False
        self.owed += self.share
        if self.owed < 1.0:
            return False
        self.owed -= 1.0
        self.count = self.count if self.count is None else self.count - 1
        return True


def read_plan(body: bytes) -> Plan:
    """The plan that a control request orders; raises FaultError."""
    try:
        order = json.loads(body)
    except ValueError as error:
        raise FaultError("body: JSON expected") from error
    if not isinstance(order, dict) or order.get("kind") not in KINDS:
        raise FaultError(f"kind: one of {', '.join(sorted(KINDS))} expected")
    allowed = {field.name for field in fields(Plan)} - {"until", "owed"}
    if unknown := sorted(order.keys() - allowed):
        raise FaultError(f"{', '.join(unknown)}: unknown")
    _check_numbers(order)
    plan = Plan(**order)
    if plan.kind == "refuse" and plan.seconds is not None:
        plan.until = time.monotonic() + plan.seconds
    return plan


def _check_numbers(order: Mapping[str, Any]) -> None:
    ranges = {"seconds": (0, 86_400), "share": (0, 1), "count": (0, 1_000_000), "status": (400, 599)}
    whole = {"count", "status"}
    for name, (low, high) in ranges.items():
        value = order.get(name, low)
        right = isinstance(value, int) if name in whole else isinstance(value, (int, float))
        if not right or isinstance(value, bool) or not low <= value <= high:
            raise FaultError(f"{name}: a number from {low} to {high} expected")
    if not isinstance(order.get("after_effect", False), bool):
        raise FaultError("after_effect: true or false expected")


class FaultLayer:
    """Any twin, with the control face before it.

    `go_down` is set by the server that listens; `bindings` are what a hub binds to reach it, with `{address}` where the server's belongs.
    """

    def __init__(self, app: ASGIApp, bindings: Mapping[str, str] | None = None) -> None:
        self.app = app
        self.bindings = bindings or {}
        self.plan: Plan | None = None
        self.go_down: Callable[[float], None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if control := self._control(scope["method"], scope["path"]):
            status, answer = control(await read_whole(receive))
            await _answer(send, status, json.dumps(answer, ensure_ascii=False).encode())
            return
        plan = self.plan
        if plan is None or plan.kind in {"refuse", "down"} or scope["path"].startswith("/_twin/") or not plan.strikes():
            await self.app(scope, receive, send)
            return
        await self._suffer(plan, scope, receive, send)

    def refuses(self, first_bytes: bytes) -> bool:
        """Whether the connection that begins with these bytes is to be cut; control requests always pass."""
        plan = self.plan
        if plan is None or plan.kind != "refuse" or b" /_twin/" in first_bytes.split(b"\r\n", 1)[0]:
            return False
        return plan.strikes()

    async def _suffer(self, plan: Plan, scope: Scope, receive: Receive, send: Send) -> None:
        answer: list[Message] = []
        if plan.after_effect or plan.kind == "drip":
            answer = await self._answer_of_app(scope, receive)
        match plan.kind:
            case "slow":
                await asyncio.sleep(plan.wait_s)
                await (_replay(send, answer) if answer else self.app(scope, receive, send))
            case "html502":
                await _answer(send, 502, PAGE, b"text/html; charset=utf-8")
            case "status":
                await _answer(send, plan.status, b"")
            case "empty":
                await _answer(send, 200, b"")
            case "drip":
                await _drip(send, answer, plan.wait_s)
            case "drop":
                await _cut(scope, receive)
            case _:
                await _hang(scope, receive, plan.wait_s)

    async def _answer_of_app(self, scope: Scope, receive: Receive) -> list[Message]:
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self.app(scope, receive, keep)
        return kept

    def _control(self, method: str, path: str) -> Callable[[bytes], tuple[int, Any]] | None:
        return {
            ("PUT", "/_twin/faults"): self._order,
            ("DELETE", "/_twin/faults"): self._behave,
            ("GET", "/_twin/ledger"): self._ledger,
            ("POST", "/_twin/reset"): self._reset,
        }.get((method, path))

    def _order(self, body: bytes) -> tuple[int, Any]:
        try:
            plan = read_plan(body)
        except FaultError as error:
            return 400, {"error": str(error)}
        if plan.kind == "down":
            if self.go_down is None:
                return 400, {"error": "kind: down needs a server of lgsp.twin.serve"}
            self.go_down(plan.wait_s)
        self.plan = plan
        return 200, {"kind": plan.kind}

    def _behave(self, _: bytes) -> tuple[int, Any]:
        self.plan = None
        return 200, {}

    def _ledger(self, _: bytes) -> tuple[int, Any]:
        entries: Sequence[Mapping[str, Any]] = getattr(_state(self.app), "ledger", ())
        counts: dict[str, dict[str, int]] = {}
        for entry in entries:
            effects = counts.setdefault(entry["key"], {})
            effects[entry["effect"]] = effects.get(entry["effect"], 0) + 1
        return 200, {"entries": list(entries), "counts": counts}

    def _reset(self, _: bytes) -> tuple[int, Any]:
        self.plan = None
        reset: Callable[[], None] | None = getattr(_state(self.app), "reset", None)
        if reset is not None:
            reset()
        return 200, {}


def _state(app: ASGIApp) -> Any:
    return getattr(app, "state", None)


async def read_whole(receive: Receive) -> bytes:
    """The body of a request, in one piece."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: Send, status: int, body: bytes, media_type: bytes = b"application/json; charset=utf-8") -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _replay(send: Callable[[Message], Awaitable[None]], answer: Sequence[Message]) -> None:
    for message in answer:
        await send(message)


async def _drip(send: Send, answer: Sequence[Message], wait_s: float) -> None:
    await send(answer[0])
    body = b"".join(message.get("body", b"") for message in answer[1:])
    for place in range(len(body)):
        await send({"type": "http.response.body", "body": body[place : place + 1], "more_body": True})
        await asyncio.sleep(wait_s)
    await send({"type": "http.response.body", "body": b""})


async def _hang(scope: Scope, receive: Receive, wait_s: float) -> None:
    try:
        await asyncio.wait_for(_until_gone(receive), wait_s)
    except TimeoutError:
        await _cut(scope, receive)


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["extensions"][TRANSPORT].abort()
    await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
