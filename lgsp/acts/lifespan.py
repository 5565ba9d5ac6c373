"""What people say about the life of a major version: deprecated from now on, retired, or published again after all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import Fault, Violation
from lgsp.model.edition import Lifespan, Stage

if TYPE_CHECKING:
    from lgsp.ports.office import Office


@dataclass(frozen=True, slots=True)
class Word:
    """A stage for a major version; sunset: POSIX second of its end; successor: the major version that takes its place."""

    service: str
    major: int
    stage: Stage
    sunset: float | None = None
    successor: int | None = None


async def say(office: Office, word: Word, author: str) -> Lifespan:
    """Write it; every node tells consumers within a second. What was not said anew (sunset, successor) stays as it was said."""
    services, now = office.catalogue.current().services, office.now()
    if (word.service, word.major) not in services:
        raise Fault("not-found", f"no {word.service}/{word.major} is published")
    if word.successor is not None and (word.successor == word.major or (word.service, word.successor) not in services):
        raise Fault("body-invalid", errors=[Violation("/successor", "is no other published version of the service", "successor")])
    if word.sunset is not None and word.stage is Stage.DEPRECATED and word.sunset <= now:
        raise Fault("body-invalid", errors=[Violation("/sunset", "must lie in the future; what has ended is retired", "sunset")])
    before = (await office.press.nodes.published()).lifespans.get((word.service, word.major))
    is_same = before is not None and before.stage is not Stage.PUBLISHED and word.stage is not Stage.PUBLISHED
    sunset = word.sunset if word.sunset is not None or before is None or not is_same else before.sunset
    successor = word.successor if word.successor is not None or before is None or not is_same else before.successor
    since = before.since if before is not None and is_same else now
    found = Lifespan(word.service, word.major, word.stage, since, sunset, successor, author)
    await office.press.staging.set_lifespan(found)
    return found
