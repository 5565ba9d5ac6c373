"""Starts the servers of a bench, each on its core, and stops them again; what they print goes to a file each."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PATIENCE_S = 180.0
STOP_S = 15.0


class BenchError(Exception):
    """The bench cannot go on; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """What load is sent to: a server's name, the address of one operation, the headers it wants, its process.

    soap: Clark name of the element that SOAP consumers send; without it JSON is sent.
    """

    name: str
    url: str
    pid: int
    headers: Mapping[str, str] = field(default_factory=dict)
    soap: str = ""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where servers run and where load and provider run; None where there is one core only."""

    server: int | None
    load: int | None


def cores() -> Cores:
    """The first two cores that this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[1]) if len(allowed) > 1 else Cores(None, None)


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Run this process, and what it starts, on one core."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def peer(name: str, *arguments: str) -> list[str]:
    """The command line of a peer."""
    return [sys.executable, "-m", f"lgsp.bench.peers.{name}", *arguments]


@contextlib.contextmanager
def running(command: Sequence[str], port: int, core: int | None, log: Path, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run a server until the block ends; gives its process id once it listens on `port`. No `env`: this one's."""
    with log.open("wb") as output, on_core(core):
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env)
    try:
        await_listening(process, port, log)
        yield process.pid
    finally:
        stop(process)


def await_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until somebody listens; raises BenchError with the end of the log if the server ends or takes too long."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    state = "is not listening" if process.poll() is None else f"ended with {process.returncode}"
    raise BenchError(f"{process.args!r} {state} on port {port}; it printed:\n{tail}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to end, then make it."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
