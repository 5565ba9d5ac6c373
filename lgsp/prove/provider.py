"""The crash test's provider: a process with an append-only ledger, each effect on the disk before it is answered.

`/keyed` records a request code once and answers repetitions alike; `/unkeyed` records each time it is asked. How it misbehaves is told by
`PUT /_plan` (see Plan). Run as `python -m lgsp.prove.provider PORT LEDGER`; started again on its ledger it remembers every key.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httptools
import uvloop

JSON_HEAD = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
REASONS = {200: b"OK", 400: b"Bad Request", 500: b"Internal Server Error", 503: b"Service Unavailable"}


@dataclass(slots=True)
class Plan:
    """What goes wrong with a share of the requests.

    mode: `ok`; without an effect `cut` (connection reset), `busy` (503), `failed` (500), `hang`; with an effect `lost` (reset without an
    answer), `late` (answered after wait_s), `drip` (a byte each wait_s), `short` (ends within the body), `garbled` (no JSON);
    `kill_before` and `kill_after` kill `pid` before or after the effect, once.
    """

    mode: str = "ok"
    share: float = 1.0
    wait_s: float = 3.0
    pid: int = 0


@dataclass(slots=True)
class Ledger:
    """The file and what it says: keys that were served."""

    path: Path
    keys: set[str] = field(default_factory=set)
    calls: int = 0
    file: int = -1

    def open(self) -> None:
        """Read what is there, and append from now on."""
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                if entry["kind"] == "keyed":
                    self.keys.add(entry["message_id"])
        self.file = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def record(self, kind: str, request: dict[str, Any]) -> None:
        """Write an effect down, durably; a repetition of a key has none."""
        key = str(request["MaYeuCau"])
        if kind == "keyed" and key in self.keys:
            return
        digest = hashlib.sha256(str(request["NoiDung"]).encode()).hexdigest()
        entry = {"number": request["SoThuTu"], "kind": kind, "matter": request["VuViec"], "digest": digest, "message_id": key}
        os.write(self.file, json.dumps(entry).encode() + b"\n")
        os.fdatasync(self.file)
        if kind == "keyed":
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
        body = json.loads(b"".join(self.parts) or b"{}")
        if self.path == b"/_plan":
            Provider.plan = Plan(**body)
            self.answer(200, {})
        elif self.path == b"/_calls":
            self.answer(200, {"calls": self.ledger.calls})
        else:
            self.ledger.calls += 1
            self.serve(self.path.decode().strip("/"), body)

    def serve(self, kind: str, request: dict[str, Any]) -> None:
        """One entry."""
        plan = Provider.plan
        mode = plan.mode if plan.mode != "ok" and random.random() < plan.share else "ok"
        refusals = {"busy": 503, "failed": 500}
        if mode == "kill_before":
            strike(plan)
        if mode in {"cut", "kill_before"}:
            self.transport.abort()
        elif mode in refusals:
            self.answer(refusals[mode], {"error_code": "1", "SoThuTu": request["SoThuTu"]})
        elif mode != "hang":
            self.ledger.record(kind, request)
            self.reply(mode, plan, {"error_code": "0", "SoThuTu": request["SoThuTu"]})

    def reply(self, mode: str, plan: Plan, answer: dict[str, Any]) -> None:
        """After the effect."""
        if mode == "kill_after":
            strike(plan)
        if mode in {"lost", "kill_after"}:
            self.transport.abort()
        elif mode == "late":
            asyncio.get_running_loop().call_later(plan.wait_s, self.answer, 200, answer)
        elif mode == "drip":
            self.drip(json.dumps(answer).encode(), plan.wait_s)
        elif mode == "short":
            self.transport.write(JSON_HEAD % (200, REASONS[200], 5000, b"") + json.dumps(answer).encode())
            self.transport.close()
        elif mode == "garbled":
            self.transport.write(JSON_HEAD % (200, REASONS[200], 9, b"") + b"<html/>\r\n")
        else:
            self.answer(200, answer)

    def answer(self, status: int, value: dict[str, Any]) -> None:
        """Send JSON."""
        if not self.transport.is_closing():
            body = json.dumps(value).encode()
            self.transport.write(JSON_HEAD % (status, REASONS[status], len(body), b"") + body)

    def drip(self, body: bytes, wait_s: float) -> None:
        """Send the answer byte by byte."""
        self.transport.write(JSON_HEAD % (200, REASONS[200], len(body), b""))
        for place in range(len(body)):
            asyncio.get_running_loop().call_later(wait_s * place, self._write, body[place : place + 1])

    def _write(self, part: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(part)


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
