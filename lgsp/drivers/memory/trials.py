"""Stored messages for trials of a mapping, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.ports.office import Act

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.memory.exchanges import Owed
    from lgsp.model.happening import Stored


class MemoryTrials:
    """The port Trials."""

    _acts: list[Act]
    _owed: dict[str, Owed]

    async def latest_stored(self, service: str, major: int, limit: int) -> Sequence[Stored]:
        """Trials."""
        found = [owed.stored for owed in self._owed.values() if (owed.stored.service, owed.stored.major) == (service, major)]
        return [stored for stored in reversed(found) if stored.part_of is None][:limit]

    async def note_trial(self, service: str, count: int, author: str, at: float) -> None:
        """Trials."""
        self._acts.append(Act(at, author, "read_samples", service, {"count": count}))
