"""Send a dead or held message again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.errors import Fault

if TYPE_CHECKING:
    from lgsp.ports import Office


async def replay(office: Office, message_id: str, author: str) -> str:
    """Move the message to waiting and ring; returns the provider that is owed it."""
    provider = await office.steering.replay(message_id, author, office.now())
    if provider is None:
        raise await _reason(office, message_id)
    office.bell.ring(provider, [message_id])
    return provider


async def _reason(office: Office, message_id: str) -> Fault:
    if await office.inspection.timeline(message_id):
        return Fault("not-replayable", "only a dead or held message is sent again")
    return Fault("not-found", "no message has this id")
