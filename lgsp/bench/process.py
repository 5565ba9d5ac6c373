"""What a process and its children cost, read from /proc (proc_pid_stat(5), proc_pid_status(5))."""

from __future__ import annotations

import os
import re
from pathlib import Path

PROC = Path("/proc")
TICKS_S = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and all that descend from it; those that end meanwhile are left out."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += [int(child) for task in _tasks(one) for child in _text(task / "children").split()]
    return found


def cpu_s(pid: int) -> float:
    """Seconds of processor time that the tree has used, in user and kernel mode."""
    # the command's name may hold blanks and brackets; what follows its last bracket does not
    fields = (_text(PROC / str(one) / "stat").rpartition(")")[2].split() for one in tree(pid))
    return sum(int(field[11]) + int(field[12]) for field in fields if field) / TICKS_S


def peak_bytes(pid: int) -> int:
    """The most memory that the tree has held, process by process."""
    return _status(pid, "VmHWM")


def resident_bytes(pid: int) -> int:
    """The memory that the tree holds now."""
    return _status(pid, "VmRSS")


def _status(pid: int, name: str) -> int:
    found = (re.search(rf"^{name}:\s+(\d+) kB", _text(PROC / str(one) / "status"), re.MULTILINE) for one in tree(pid))
    return sum(int(size[1]) * 1024 for size in found if size)


def _tasks(pid: int) -> list[Path]:
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except OSError:
        return []


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
