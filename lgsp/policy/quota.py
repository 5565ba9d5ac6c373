"""How a quota is spent: fixed windows, and how large a block of a shared window one process leases at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lgsp.model.agreed import Quota

BLOCKS = 20
"""A process leases at most a twentieth of a window at once, so that several nodes share it fairly."""


def window_start(quota: Quota, now: float) -> int:
    """POSIX second at which the window that holds `now` began."""
    return int(now) // quota.w * quota.w


def reset_s(quota: Quota, now: float) -> int:
    """Whole seconds until the window ends, at least 1."""
    return max(1, window_start(quota, now) + quota.w - int(now))


def block(quota: Quota) -> int:
    """How many calls to lease at once."""
    return max(1, quota.q // BLOCKS)
