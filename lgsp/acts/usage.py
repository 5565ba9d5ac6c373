"""Whom a change of a contract would break: the changes crossed with what consumers really used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.usage import Affected
from lgsp.policy.usage import Touch, meets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.contract.diff.change import Change
    from lgsp.model.parties import SubsystemId
    from lgsp.model.usage import Use
    from lgsp.ports.office import Office

USUAL_DAYS = 90
MOST_NAMED = 10
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Impact:
    """Of `consumers` that may use the service or did, those that the changes meet, the heaviest users first."""

    consumers: int
    affected: Sequence[Affected]


async def affected_by(office: Office, touches: Sequence[Touch], service: str, major: int, *, days: int = USUAL_DAYS) -> Impact:
    """Cross changes (those that break, mostly) with the uses of the last `days`; Fault("not-found") for a service that is not published."""
    if all(code != service for code, _ in office.catalogue.current().services):
        raise Fault("not-found", f"no service {service} is published")
    used: dict[SubsystemId, list[Use]] = {}
    for use in await office.uses.uses(service, major, office.now() - days * DAY_S):
        used.setdefault(use.consumer, []).append(use)
    entitled = {right.consumer for right in await office.rights.rights() if right.service == service}
    titles = {each.id: each.title for each in await office.register.consumers()}
    contacts = await office.uses.contacts()
    found = [_affected(consumer, uses, touches, (titles, contacts)) for consumer, uses in used.items()]
    affected = sorted((each for each in found if each.changes), key=lambda each: (-each.count, each.consumer))
    return Impact(len(entitled | used.keys()), affected)


async def whom_it_breaks(office: Office, breaking: Sequence[Change]) -> str:
    """One sentence for each service: how many of how many consumers, which fields, whom to tell; operations are `citizens/1 lookup`."""
    touches: dict[tuple[str, int], list[Touch]] = {}
    for change in breaking:
        service, _, operation = change.operation.partition(" ")
        code, _, major = service.partition("/")
        touches.setdefault((code, int(major)), []).append(Touch(operation, change.side, change.pointer, change.rule))
    return " ".join([_sentence(code, major, await affected_by(office, found, code, major)) for (code, major), found in touches.items()])


def _sentence(code: str, major: int, impact: Impact) -> str:
    told = [f"{each.consumer} ({', '.join(each.fields) or 'all'}; {each.contact or 'no contact'})" for each in impact.affected[:MOST_NAMED]]
    names = f": {', '.join(told)}" if told else ""
    return f"{code}/{major}: breaks {len(impact.affected)} of {impact.consumers} consumers{names}."


async def uses(office: Office, service: str, major: int, days: int) -> Sequence[Use]:
    """What was used of a service in the last `days`, by consumer and operation."""
    return await office.uses.uses(service, major, office.now() - days * DAY_S)


async def set_contact(office: Office, client_id: str, contact: str, author: str) -> str:
    """Whom to tell of changes; returns the consumer's code."""
    for consumer in await office.register.consumers():
        if consumer.client_id == client_id:
            await office.uses.set_contact(consumer.id, contact, author, office.now())
            return consumer.id
    raise Fault("not-found", f"no consumer has the client id {client_id}")


def _affected(
    consumer: SubsystemId, used: Sequence[Use], touches: Sequence[Touch], known: tuple[Mapping[SubsystemId, str], Mapping[SubsystemId, str]]
) -> Affected:
    titles, contacts = known
    met = [(at, touch, use) for at, touch in enumerate(touches) for use in used if meets(touch, use)]
    operations = {use.operation: use for _, _, use in met}
    return Affected(
        consumer=consumer,
        title=titles.get(consumer, ""),
        contact=contacts.get(consumer, ""),
        count=sum(use.count for use in operations.values()),
        day=max((use.day for use in operations.values()), default=0),
        changes=tuple(at for at, _, _ in met),
        fields=tuple(dict.fromkeys(touch.pointer for _, touch, _ in met if touch.pointer)),
    )
