"""Watches the nodes from outside while a row runs: memory, open files, threads; the most of each is told."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.prove.nodes import Node

PERIOD_S = 0.25


def rss_mb(node: Node) -> float:
    """Resident memory of a process; 0 of one that is gone."""
    return _status(node).get("VmRSS", 0) / 1024


def threads(node: Node) -> int:
    """Its threads."""
    return _status(node).get("Threads", 0)


def files(node: Node) -> int:
    """Its open files and sockets."""
    with contextlib.suppress(OSError):
        return len(list(Path(f"/proc/{node.pid}/fd").iterdir()))
    return 0


def _status(node: Node) -> dict[str, int]:
    """The numbers of proc(5) status."""
    with contextlib.suppress(OSError):
        pairs = (line.split(":", 1) for line in Path(f"/proc/{node.pid}/status").read_text(encoding="utf-8").splitlines())
        return {name: int(value.split()[0]) for name, value in pairs if name in {"VmRSS", "Threads"}}
    return {}


async def watch(nodes: Sequence[Node], most: dict[str, float]) -> None:
    """For ever: keep the most of each in `most`."""
    while True:
        for name, measure in (("rss_mb", rss_mb), ("fds", files), ("threads", threads)):
            most[name] = max(most.get(name, 0), *(round(measure(node), 1) for node in nodes))
        await asyncio.sleep(PERIOD_S)
