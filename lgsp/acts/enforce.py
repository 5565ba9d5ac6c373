"""Order for a while how strictly a service's answers are judged; look at the answers in quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import Fault, Violation
from lgsp.model.conformity import LOOSE, Enforcement, Rigour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.conformity import Suspect
    from lgsp.ports.office import Office

REPLIES = "replies"
LONGEST_S = 90 * 86_400.0
LONGEST_LOOSE_S = 7 * 86_400.0
"""An order that lets broken answers pass is for the days until the provider or the contract is mended."""
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants of a service's `side` (replies; requests are refused) until a POSIX second."""

    service: str
    side: str
    rigour: Rigour
    until_at: float
    reason: str


def enforcements(office: Office) -> Sequence[Enforcement]:
    """Orders in force."""
    now = office.now()
    return [each for each in office.enforcements.enforcements() if each.until_at > now]


async def enforce(office: Office, wanted: Wanted, author: str) -> Enforcement:
    """Write the order; a Fault for requests, for a service that is not published, for an end that cannot be."""
    _refuse(office, wanted.service, wanted.side)
    now = office.now()
    longest_s = LONGEST_LOOSE_S if wanted.rigour in LOOSE else LONGEST_S
    if not now < wanted.until_at <= now + longest_s:
        reason = f"must lie in the future, at most {longest_s / 86_400:.0f} days ahead for {wanted.rigour}"
        raise Fault("body-invalid", errors=[Violation("/until", reason, "window")])
    order = Enforcement(office.new_id(), wanted.service, wanted.rigour, now, wanted.until_at, wanted.reason, author)
    await office.enforcements.enforce(order)
    return order


async def end(office: Office, service: str, side: str, author: str) -> None:
    """Back to the usual tolerance; Fault("not-found") if nothing is ordered."""
    _refuse(office, service, side)
    if not await office.enforcements.end_enforcement(service, author, office.now()):
        raise Fault("not-found", f"nothing is ordered about the answers of {service}")


async def quarantine(office: Office, limit: int, provider: str = "", service: str = "") -> Sequence[Suspect]:
    """Places and rules of the newest answers in quarantine, without their contents."""
    return await office.quarantine.suspects(limit, provider, service)


async def read(office: Office, suspect_id: str, author: str) -> Suspect:
    """One with its content, which may name people: that somebody read it is an act."""
    found = await office.quarantine.suspect(suspect_id, author, office.now())
    if found is None:
        raise Fault("not-found", "no answer in quarantine has this id; they are kept for 72 hours")
    return found


def _refuse(office: Office, service: str, side: str) -> None:
    if side != REPLIES:
        raise Fault("rule-fixed", "requests are always judged strictly, and only the fields of a right are released")
    if all(code != service for code, _ in office.catalogue.current().services):
        raise Fault("not-found", f"no service {service} is published")
