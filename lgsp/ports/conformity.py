"""What judging a provider's answers needs: the order in force, the quarantine, and the count of those that keep their contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.conformity import Conformance, Enforcement, Remark, Rigour, Suspect
    from lgsp.model.happening import Exchange


class Conformity(Protocol):
    """The engine's side; no method waits. What is told is durable soon, not now."""

    def rigour(self, service: str, now: float) -> Rigour:
        """How strictly the answers of this service are judged now."""

    def kept(self, exchange: Exchange, at: float) -> None:
        """An answer broke nothing."""

    def broken(self, exchange: Exchange, remarks: Sequence[Remark], at: float, *, passed: bool) -> None:
        """An answer broke something; the first few of each kind are quarantined."""


class Enforcements(Protocol):
    """Orders how strictly answers are judged; each act is a row with its author."""

    def enforcements(self) -> Sequence[Enforcement]:
        """Those that have not been ended (some may be over), from a snapshot at most a second old."""

    async def enforce(self, order: Enforcement) -> None:
        """Write it; the one before for the same service ends."""

    async def end_enforcement(self, service: str, author: str, at: float) -> bool:
        """False if none is in force."""


class Quarantine(Protocol):
    """Answers that broke a contract, and how many did not."""

    async def add_suspects(self, suspects: Sequence[Suspect]) -> None: ...

    async def add_conformance(self, counted: Sequence[Conformance]) -> None:
        """Add these counts to those that stand."""

    async def suspects(self, limit: int, provider: str = "", service: str = "") -> Sequence[Suspect]:
        """The newest first, without their contents; an empty name chooses all."""

    async def suspect(self, suspect_id: str, reader: str, at: float) -> Suspect | None:
        """With its content; that it was read is an act."""

    async def conformance(self, since: float) -> Sequence[Conformance]:
        """The counts of each provider and operation in the hours that began since then, summed; `hour` is the last of them."""

    async def forget_answers(self, suspects_before: float, counts_before: float) -> int:
        """Erase what is older; says how many suspects."""
