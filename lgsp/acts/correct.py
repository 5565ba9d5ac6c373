"""An operator's correction of a stored message: one person proposes it, another approves it, and it takes the message's place."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.ports.office import Correction, CorrectionState, Ruled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.ports.office import Office

SHOWN = 100
UNSENT_S = 30.0
"""So long after its approval a correction that is not known as sent is taken up: who approved it died on the way."""


async def propose(office: Office, message_id: str, body: bytes, reason: str, author: str) -> Correction:
    """Keep the proposal if the message could be sent as it is; what is wrong is told now."""
    await office.successors.check(message_id, body)
    found = Correction(office.new_id(), message_id, body, reason, author, office.now())
    await office.corrections.propose(found)
    return found


async def corrections(office: Office) -> Sequence[Correction]:
    """The newest first, without their bodies."""
    return await office.corrections.corrections(SHOWN)


async def read(office: Office, correction_id: str, author: str) -> Correction:
    """One with its body, which may name people: that somebody read it is an act."""
    found = await office.corrections.correction(correction_id, author, office.now())
    if found is None:
        raise Fault("not-found", "no correction has this id")
    return found


async def approve(office: Office, correction_id: str, author: str) -> Correction:
    """Send the corrected message in the place of the old one; if that fails, the proposal stands again."""
    found = await _proposed(office, correction_id, author)
    ruled = Ruled(CorrectionState.APPROVED, author, office.now())
    await _rule(office, correction_id, ruled)
    await _send(office, found, author)
    return replace(found, state=CorrectionState.APPROVED, decided_by=author, decided_at=ruled.at, successor=found.id)


async def send_unsent(office: Office) -> int:
    """Finish what a process that died had approved; says how many. What cannot be sent is proposed again."""
    unsent = await office.corrections.unsent(office.now() - UNSENT_S)
    for found in unsent:
        with suppress(Fault):
            await _send(office, found, found.decided_by)
    return len(unsent)


async def _send(office: Office, found: Correction, author: str) -> None:
    """Under the correction's own id, so that it is sent once, however often it is tried."""
    try:
        await office.successors.accept(found.message_id, found.body, found.id)
    except Fault as fault:
        if fault.slug != "record-uncertain":  # nobody knows whether it was sent; it is tried again, and then somebody does
            await office.corrections.decide_correction(found.id, Ruled(CorrectionState.PROPOSED, author, office.now()))
        raise
    await office.corrections.succeed(found.id, found.id)


async def reject(office: Office, correction_id: str, author: str) -> Correction:
    """Nothing is sent; whoever proposed it may take it back so, too."""
    ruled = Ruled(CorrectionState.REJECTED, author, office.now())
    await _rule(office, correction_id, ruled)
    return await _standing(office, correction_id)


async def _proposed(office: Office, correction_id: str, author: str) -> Correction:
    found = await read(office, correction_id, author)
    if found.author == author:
        raise Fault("second-person-needed")
    return found


async def _rule(office: Office, correction_id: str, ruled: Ruled) -> None:
    if await office.corrections.decide_correction(correction_id, ruled):
        return
    await _standing(office, correction_id)
    raise Fault("correction-decided")


async def _standing(office: Office, correction_id: str) -> Correction:
    found = await office.corrections.standing(correction_id)
    if found is None:
        raise Fault("not-found", "no correction has this id")
    return found
