"""False clocks: a node that runs under one reads its wall clock with an offset from a file, which is changed while it runs.

Its monotonic clock stays true, as on a machine whose wall clock is set. libfaketime does the same for any program, but its lock makes a
clock read by several threads dearer by a factor of forty (measured: 46 us), and a hub under it tells nothing about clocks; Python reads a
`sitecustomize` of ours before anything else, which costs a microsecond.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FILE, LOOK_S, EVE_S = "clock", 0.2, 40.0
"""The file with the offset in seconds; how old a reading may be; how long before a moment the hub is started."""
PROGRAM = f"""
import time

_real, _real_ns, _tick = time.time, time.time_ns, time.monotonic
_seen = [0.0, -1.0]


def _offset():
    if _tick() > _seen[1] + {LOOK_S}:
        _seen[1] = _tick()
        try:
            with open(__file__.rpartition("/")[0] + "/{FILE}") as file:
                _seen[0] = float(file.read())
        except (OSError, ValueError):
            pass
    return _seen[0]


time.time = lambda: _real() + _offset()
time.time_ns = lambda: _real_ns() + int(_offset() * 1e9)
"""


def false_clock(folder: Path, moment: str) -> dict[str, str]:
    """The environment of a node whose clock is told by `set_clock`: true at first, or some seconds before `moment` (ISO 8601, UTC)."""
    place = folder / "false"
    place.mkdir()
    (place / "sitecustomize.py").write_text(PROGRAM, encoding="ascii")
    set_clock(folder, seconds_until(moment) - EVE_S if moment else 0.0)
    return {"PYTHONPATH": os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH", "")])])}


def set_clock(folder: Path, offset_s: float) -> None:
    """So many seconds ahead of the true time from now on."""
    file = folder / "false" / FILE
    file.with_suffix(".new").write_text(str(offset_s), encoding="ascii")
    file.with_suffix(".new").replace(file)


def false_now(folder: Path) -> float:
    """What a node under the false clock takes for the time, in POSIX seconds."""
    return time.time() + float((folder / "false" / FILE).read_text(encoding="ascii"))


def posix(moment: str) -> float:
    """POSIX seconds of a moment in UTC."""
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


def seconds_until(moment: str) -> float:
    """From the true time."""
    return posix(moment) - time.time()
