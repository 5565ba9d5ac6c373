"""Proposed corrections in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.ports.office import Act, Correction, CorrectionState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.ports.office import Ruled

_VERBS = {
    CorrectionState.APPROVED: "approve_correction",
    CorrectionState.REJECTED: "reject_correction",
    CorrectionState.PROPOSED: "reopen_correction",
}


class MemoryCorrections:
    """The port Corrections."""

    _acts: list[Act]

    def __init__(self) -> None:
        self._corrections: dict[str, Correction] = {}

    async def propose(self, correction: Correction) -> None:
        """Corrections."""
        self._corrections[correction.id] = correction
        facts = {"correction": correction.id, "reason": correction.reason}
        self._acts.append(Act(correction.at, correction.author, "propose_correction", correction.message_id, facts))

    async def corrections(self, limit: int) -> Sequence[Correction]:
        """Corrections."""
        newest = sorted(self._corrections.values(), key=lambda each: (each.at, each.id), reverse=True)
        return [replace(each, body=b"") for each in newest[:limit]]

    async def correction(self, correction_id: str, reader: str, at: float) -> Correction | None:
        """Corrections."""
        found = self._corrections.get(correction_id)
        if found is not None:
            self._acts.append(Act(at, reader, "read_correction", found.message_id, {"correction": correction_id}))
        return found

    async def standing(self, correction_id: str) -> Correction | None:
        """Corrections."""
        found = self._corrections.get(correction_id)
        return None if found is None else replace(found, body=b"")

    async def unsent(self, before: float) -> Sequence[Correction]:
        """Corrections."""
        approved = [each for each in self._corrections.values() if each.state is CorrectionState.APPROVED and each.successor is None]
        return [each for each in approved if (each.decided_at or 0.0) < before]

    async def decide_correction(self, correction_id: str, ruled: Ruled) -> bool:
        """Corrections."""
        found = self._corrections.get(correction_id)
        before = CorrectionState.APPROVED if ruled.state is CorrectionState.PROPOSED else CorrectionState.PROPOSED
        if found is None or found.state is not before:
            return False
        body = b"" if ruled.state is CorrectionState.REJECTED else found.body
        self._corrections[correction_id] = replace(found, state=ruled.state, decided_by=ruled.author, decided_at=ruled.at, body=body)
        self._acts.append(Act(ruled.at, ruled.author, _VERBS[ruled.state], found.message_id, {"correction": correction_id}))
        return True

    async def succeed(self, correction_id: str, successor: str) -> None:
        """Corrections."""
        found = self._corrections[correction_id] = replace(self._corrections[correction_id], successor=successor, body=b"")
        facts = {"correction": correction_id, "supersedes": found.message_id, "proposed_by": found.author}
        self._acts.append(Act(found.decided_at or 0.0, found.decided_by, "send_correction", successor, facts))
