"""The hub's clock: the wall's, carried on by the monotonic one, so that a clock that is set does not move leases, quotas or deadlines.

A step of the wall clock is followed at a tenth of the pace of time: an hour in ten hours, or at once by a new start. At that pace a lease
is still longer than the calls that it covers. Nodes of one hub keep their machines' clocks by NTP, as any cluster does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SLEW = 0.1
NOTED_S = 1.0


class SteadyClock:
    """POSIX seconds. `wall`: POSIX seconds as the machine has them; `tick`: monotonic nanoseconds; `on_step` is told how far they part."""

    def __init__(self, wall: Callable[[], float], tick: Callable[[], int], on_step: Callable[[float], None]) -> None:
        self._wall = wall
        self._tick = tick
        self._on_step = on_step
        self._now, self._ticked = wall(), tick()
        self._noted_s = 0.0

    def __call__(self) -> float:
        """Now; never before what it was."""
        ticked = self._tick()
        passed_s = (ticked - self._ticked) / 1e9
        self._ticked = ticked
        behind_s = self._wall() - self._now - passed_s
        self._now += passed_s + min(max(behind_s, -SLEW * passed_s), SLEW * passed_s)
        if abs(behind_s - self._noted_s) > NOTED_S:
            self._noted_s = behind_s
            self._on_step(behind_s)
        return self._now
