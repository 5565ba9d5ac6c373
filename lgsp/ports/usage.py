"""Counting what consumers use, and asking for it: before a contract is changed, whom it would break."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.happening import Exchange
    from lgsp.model.parties import SubsystemId
    from lgsp.model.usage import Use


class Usage(Protocol):
    """The engine's side; it does not wait. What is told is durable soon, not now."""

    def used(self, exchange: Exchange, answer: Any, at: float) -> None:
        """An exchange went well, and its consumer gets this answer."""


class Uses(Protocol):
    """What was used, by consumer and operation; and whom to tell of a change."""

    async def add_uses(self, uses: Sequence[Use]) -> None:
        """Add counts to those of the same day, and note the fields as seen on that day."""

    async def uses(self, service: str, major: int, since: float) -> Sequence[Use]:
        """Of each consumer and operation: the uses on days that began since then, and the fields seen on such a day."""

    async def forget_uses(self, before: float) -> None:
        """Erase what was last seen on days before."""

    async def set_contact(self, consumer: SubsystemId, contact: str, author: str, at: float) -> bool:
        """Whom to tell of changes; each change is an act. False if the consumer is not registered."""

    async def contacts(self) -> Mapping[SubsystemId, str]: ...
