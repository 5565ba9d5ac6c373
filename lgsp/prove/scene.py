"""The scene of one row: provider, nodes, load, and the hands that strike; what was struck and when is kept for the reckoning."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lgsp.prove.nodes import Hub, Node, free_port, outside
from lgsp.prove.oracle import Effect, Strike
from lgsp.prove.provider import Plan

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from lgsp.prove.cluster import Cluster
    from lgsp.prove.proxy import Proxy
    from lgsp.prove.sender import Desk, Load

CONTROL_S = 10.0
TRACED_S = 15.0


@dataclass(slots=True)
class Scene:
    """Everything that a row may touch."""

    folder: Path
    provider: Node
    hub: Hub
    desk: Desk
    load: Load
    database: str
    dice: random.Random
    kills: int = 5
    cluster: Cluster | None = None
    database_line: Proxy | None = None
    broker_line: Proxy | None = None
    strikes: list[Strike] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def on_sqlite(self) -> bool:
        """One process on a file."""
        return self.database.startswith("sqlite")

    @contextlib.contextmanager
    def strike(self, name: str) -> Iterator[None]:
        """A fault for as long as the block runs."""
        began = _clock()
        try:
            yield
        finally:
            self.strikes.append(Strike(name, began, _clock()))

    async def calm(self, seconds: float) -> None:
        """Let the load run undisturbed."""
        await asyncio.sleep(seconds)

    async def misbehave(self, mode: str = "ok", share: float = 1.0, wait_s: float = 3.0, pid: int = 0) -> None:
        """Tell the provider; one that is away hears of it when it is back."""
        plan = asdict(Plan(mode, share, wait_s, pid))
        with contextlib.suppress(OSError):
            await asyncio.to_thread(_put, f"http://127.0.0.1:{self.provider.port}/_plan", plan)

    async def kill(self, *nodes: Node) -> None:
        """SIGKILL at this moment, started again at once, as a supervisor would."""
        with self.strike("kill " + " ".join(node.name for node in nodes)):
            for node in nodes:
                node.signal(signal.SIGKILL)
            for node in nodes:
                node.kill()
                node.start()
        await asyncio.gather(*(node.listening() for node in nodes))

    async def died(self, node: Node, patience_s: float = TRACED_S) -> bool:
        """Wait until a node has ended; False if it lives on."""
        until = time.monotonic() + patience_s
        while node.alive and time.monotonic() < until:
            await asyncio.sleep(0.02)
        return not node.alive

    async def revive(self, node: Node) -> None:
        """Start a node that died, and wait until it serves."""
        with self.strike(f"death of {node.name}"):
            node.kill()
            node.start()
        await node.listening()

    async def traced(self, node: Node, calls: str, inject: str, seconds: float) -> bool:
        """Attach strace to a node for some seconds or until it dies (FAULTS fact 4); True if it died."""
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(node.pid), "-e", f"trace={calls}", "-e", f"inject={calls}:{inject}"]
        tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            return await self.died(node, seconds)
        finally:
            tracer.terminate()
            await asyncio.to_thread(tracer.wait)

    def ledger(self) -> list[Effect]:
        """What the provider did; a line that was cut off by its death was never answered and does not count."""
        effects = []
        for line in self._ledger_file.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                effects.append(Effect(**json.loads(line)))
        return effects

    @property
    def _ledger_file(self) -> Path:
        return ledger_file(self.folder)


def ledger_file(folder: Path) -> Path:
    """Where the provider of a scene keeps its ledger."""
    return folder / "ledger.jsonl"


def make_provider(folder: Path) -> Node:
    """The provider's process, not started."""
    port = free_port()
    command = [sys.executable, "-m", "lgsp.prove.provider", str(port), str(ledger_file(folder))]
    return Node("provider", command, outside(), port, folder / "provider.log")


def can_trace() -> bool:
    """Whether strace is there and may attach to our own processes."""
    if shutil.which("strace") is None:
        return False
    with subprocess.Popen(["sleep", "5"]) as target:  # noqa: S607  # coreutils
        command = ["strace", "-qq", "-o", "/dev/null", "-p", str(target.pid)]  # found by the path, as shutil.which did
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as tracer:
            try:
                tracer.wait(0.5)
            except subprocess.TimeoutExpired:
                tracer.terminate()
                return True
            finally:
                target.kill()
    return False


def _put(url: str, value: dict[str, Any]) -> None:
    request = urllib.request.Request(url, json.dumps(value).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=CONTROL_S).close()


def _clock() -> float:
    """The clock of the sender's book."""
    return asyncio.get_running_loop().time()
