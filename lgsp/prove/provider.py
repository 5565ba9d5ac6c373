"""The crash test's provider: a process with an append-only ledger, each effect on the disk before it is answered.

`/keyed`, `/trial` and SOAP's `GhiMuc` record a request code once and answer repetitions alike; `/unkeyed` and `GhiMotLan` record each time
they are asked. How it misbehaves is told by `PUT /_plan` (see Plan). Run as `python -m lgsp.prove.provider PORT LEDGER`; started again on
its ledger it remembers every key. Beside the ledger it keeps a file of calls, which may lose its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httptools
import uvloop
from lxml import etree

from lgsp.prove.answers import case_of, soap_reply
from lgsp.prove.oracle import KEYED, SOAP, SOAP_ONCE, TRIAL, UNKEYED

JSON_HEAD = b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n"
REASONS = {200: b"OK", 401: b"Unauthorized", 500: b"Internal Server Error", 503: b"Service Unavailable"}
REFUSALS = {"busy": 503, "failed": 500, "denied": 401}
HONOURS_KEYS = frozenset({KEYED, TRIAL, SOAP})
SOAP_OPERATIONS = {"GhiMuc": SOAP, "GhiMotLan": SOAP_ONCE}
BROKEN = {
    "short": (b"Content-Length: 5000\r\n", b'{"error_code": "0"'),
    "long": (b"Content-Length: 4\r\n", b'{"error_code": "0", "SoThuTu": 0}'),
    "chunks": (b"Transfer-Encoding: chunked\r\n", b'zz\r\n{"error_code": "0"}\r\n0\r\n\r\n'),
    "gzip": (b"Content-Encoding: gzip\r\nContent-Length: 9\r\n", b"\x1f\x8b\x08nonsen"),
    "garbled": (b"Content-Length: 9\r\n", b"<html/>\r\n"),
}


@dataclass(slots=True)
class Plan:
    """What goes wrong with a share of the requests, or with those whose number leaves `rest` on division by `every`.

    mode: `ok`; without an effect `cut` (connection reset), `busy` (503), `failed` (500), `denied` (401), `hang`; with an effect `lost`
    (reset without an answer), `late` (answered after wait_s), `drip` (a byte each wait_s), those of BROKEN; `table`: as the table of F35
    has it; `kill_before` and `kill_after` kill `pid` before or after the effect, once; `poison` says words that break who translates them.
    """

    mode: str = "ok"
    share: float = 1.0
    wait_s: float = 3.0
    pid: int = 0
    every: int = 0
    rest: int = 0

    def strikes(self, number: int) -> bool:
        """Whether this request is hit."""
        if self.mode == "ok" or (self.every and number % self.every != self.rest):
            return False
        return random.random() < self.share


@dataclass(slots=True)
class Ledger:
    """The file and what it says: keys that were served; and the file of calls."""

    path: Path
    keys: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    busy: int = 0
    busiest: int = 0
    file: int = -1
    calls: int = -1

    def open(self) -> None:
        """Read what is there, and append from now on."""
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                if entry["kind"] in HONOURS_KEYS:
                    self.keys.add(entry["message_id"])
        self.file = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        self.calls = os.open(self.path.with_suffix(".calls"), os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def note(self, request: dict[str, Any]) -> bool:
        """Write a call down; whether it is the first of its message."""
        key = str(request["MaYeuCau"])
        is_first = key not in self.asked
        self.asked.add(key)
        call = {"number": int(request["SoThuTu"]), "message_id": key, "at": time.monotonic(), "clock": time.time()}
        os.write(self.calls, json.dumps(call).encode() + b"\n")
        return is_first

    def record(self, kind: str, request: dict[str, Any]) -> None:
        """Write an effect down, durably; a repetition of a key has none."""
        key = str(request["MaYeuCau"])
        if kind in HONOURS_KEYS and key in self.keys:
            return
        digest = hashlib.sha256(str(request["NoiDung"]).encode()).hexdigest()
        entry = {"number": int(request["SoThuTu"]), "kind": kind, "matter": request["VuViec"], "digest": digest, "message_id": key}
        os.write(self.file, json.dumps({**entry, "at": time.monotonic()}).encode() + b"\n")
        os.fdatasync(self.file)
        if kind in HONOURS_KEYS:
            self.keys.add(key)


class Provider(asyncio.Protocol):
    """One connection of the hub."""

    plan = Plan()

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.parts: list[bytes] = []
        self.path = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        self.transport = cast("asyncio.Transport", transport)  # TCP gives no other
        self.parser = httptools.HttpRequestParser(self)
        self.ledger.busy += 1
        self.ledger.busiest = max(self.ledger.busiest, self.ledger.busy)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """One less."""
        self.ledger.busy -= 1

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which calls the `on_` methods."""
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Forget the last request."""
        self.parts.clear()
        self.path = b""

    def on_url(self, url: bytes) -> None:
        """Keep the path."""
        self.path += url

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self.parts.append(body)

    def on_message_complete(self) -> None:
        """Obey the plan, record, answer."""
        body = b"".join(self.parts)
        if self.path == b"/_plan":
            Provider.plan = Plan(**json.loads(body))
            self.ledger.busiest = self.ledger.busy
            self.answer(200, {})
        elif self.path == b"/_busiest":
            self.answer(200, {"connections": self.ledger.busiest})
        else:
            self.serve(*_read(self.path.decode(), body))

    def serve(self, kind: str, request: dict[str, Any]) -> None:
        """One entry."""
        is_first, number, plan = self.ledger.note(request), int(request["SoThuTu"]), Provider.plan
        mode = plan.mode if plan.strikes(number) else "ok"
        if mode == "kill_before":
            strike(plan)
        if mode in {"cut", "kill_before"}:
            self.transport.abort()
        elif mode in REFUSALS:
            self.answer(REFUSALS[mode], {"error_code": "1", "SoThuTu": number})
        elif mode == "table" and is_first:
            self.by_the_table(kind, request)
        elif mode != "hang":
            self.ledger.record(kind, request)
            self.reply(mode, plan, kind, number)

    def by_the_table(self, kind: str, request: dict[str, Any]) -> None:
        """The first answer of its case."""
        case = case_of(int(request["SoThuTu"]))
        if case.acts:
            self.ledger.record(kind, request)
        self.transport.write(case.answer(int(request["SoThuTu"])))

    def reply(self, mode: str, plan: Plan, kind: str, number: int) -> None:
        """After the effect."""
        answer = {"error_code": "0", "SoThuTu": number}
        if mode == "kill_after":
            strike(plan)
        if mode in {"lost", "kill_after"}:
            self.transport.abort()
        elif mode == "late":
            asyncio.get_running_loop().call_later(plan.wait_s, self.answer, 200, answer, kind)
        elif mode == "drip":
            self.drip(_written(kind, answer), plan.wait_s)
        elif mode in BROKEN:
            head, body = BROKEN[mode]
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head + b"\r\n" + body)
            self.transport.close()
        else:
            self.answer(200, answer | ({"message": random.choice(POISONS)} if mode == "poison" else {}), kind)

    def answer(self, status: int, value: dict[str, Any], kind: str = KEYED) -> None:
        """Send JSON, or SOAP to who speaks it."""
        if not self.transport.is_closing():
            body = _written(kind, value)
            media_type = b"text/xml; charset=utf-8" if kind in {SOAP, SOAP_ONCE} else b"application/json"
            self.transport.write(JSON_HEAD % (status, REASONS[status], media_type, len(body), b"") + body)

    def drip(self, body: bytes, wait_s: float) -> None:
        """Send the answer byte by byte."""
        self.transport.write(JSON_HEAD % (200, REASONS[200], b"application/json", len(body), b""))
        for place in range(len(body)):
            asyncio.get_running_loop().call_later(wait_s * place, self._write, body[place : place + 1])

    def _write(self, part: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(part)


POISONS = ("recursion", "decimal", "division")


def _read(path: str, body: bytes) -> tuple[str, dict[str, Any]]:
    """Which operation, and its fields."""
    kind = path.strip("/")
    if kind in {KEYED, UNKEYED, TRIAL}:
        return kind, json.loads(body)
    (entry,) = etree.fromstring(body).iterfind("{*}Body/*")
    return SOAP_OPERATIONS[etree.QName(entry).localname], {etree.QName(each).localname: each.text for each in entry}


def _written(kind: str, value: dict[str, Any]) -> bytes:
    if kind not in {SOAP, SOAP_ONCE}:
        return json.dumps(value).encode()
    element = "GhiMucTraLoi" if kind == SOAP else "GhiMotLanTraLoi"
    return soap_reply(element, f"<MaLoi>{value['error_code']}</MaLoi><SoThuTu>{value['SoThuTu']}</SoThuTu>").encode()


def strike(plan: Plan) -> None:
    """Kill the process that the plan names, once."""
    pid, Provider.plan = plan.pid, Plan()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


async def serve(port: int, ledger: Ledger) -> None:
    """Listen on loopback until the process ends."""
    ledger.open()
    server = await asyncio.get_running_loop().create_server(lambda: Provider(ledger), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Ledger(Path(sys.argv[2]))))
