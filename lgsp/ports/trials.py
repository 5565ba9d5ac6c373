"""Stored messages for trials of a mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.happening import Stored


class Trials(Protocol):
    """Reading what is stored, for people who change a mapping."""

    async def latest_stored(self, service: str, major: int, limit: int) -> Sequence[Stored]:
        """The newest messages of a service whose content is still kept, the newest first; parts of publications are none."""

    async def note_trial(self, service: str, count: int, author: str, at: float) -> None:
        """That somebody read so many of them, masked, is an act."""
