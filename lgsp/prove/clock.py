"""False clocks by libfaketime: a node that runs under one reads its wall clock from a file, which is changed while it runs.

Its monotonic clock stays true, as on a machine whose wall clock is set.
"""

from __future__ import annotations

from pathlib import Path

LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
)
FILE = "clock"


def library() -> str:
    """Where libfaketime lies; empty if nowhere."""
    return next((place for place in LIBRARIES if Path(place).exists()), "")


def false_clock(folder: Path) -> dict[str, str]:
    """The environment of a node whose clock is told by `set_clock`; true at first."""
    set_clock(folder, "+0")
    return {
        "LD_PRELOAD": library(),
        "FAKETIME_TIMESTAMP_FILE": str(folder / FILE),
        "FAKETIME_CACHE_DURATION": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }


def set_clock(folder: Path, offset: str) -> None:
    """`+3600`: an hour ahead of the true time; `@2038-01-19 03:14:00`: that moment when the node starts, and on from there."""
    file = folder / FILE
    file.with_suffix(".new").write_text(f"{offset}\n", encoding="ascii")
    file.with_suffix(".new").replace(file)
