"""Access rights: grant one, withdraw one, list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.errors import Fault, Violation
from lgsp.model.agreed import DataClass
from lgsp.model.parties import Right

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.agreed import Operation
    from lgsp.model.parties import SubsystemId
    from lgsp.ports.office import Office


async def grant(office: Office, right: Right, author: str) -> None:
    """Write a right after checking it against what is registered and published; all its faults are told together."""
    known = {consumer.id for consumer in await office.register.consumers()}
    violations = _violations(right, known, _published(office, right))
    if violations:
        raise Fault("body-invalid", errors=violations)
    await office.rights.grant(right, author, office.now())


async def withdraw(office: Office, consumer: SubsystemId, service: str, operation: str, author: str) -> None:
    """End a right; stored messages of it are refused at their next attempt."""
    right = Right(consumer, service, operation, frozenset())
    if not await office.rights.withdraw(right, author, office.now()):
        raise Fault("not-found", f"{consumer} has no right to {operation} of {service}")


async def rights(office: Office) -> Sequence[Right]:
    """Every right, by consumer, service and operation."""
    return sorted(await office.rights.rights(), key=lambda right: (right.consumer, right.service, right.operation))


def _published(office: Office, right: Right) -> Operation | None:
    operations = office.catalogue.current().operations.values()
    return next((each for each in operations if (each.service, each.name) == (right.service, right.operation)), None)


def _violations(right: Right, known: set[SubsystemId], operation: Operation | None) -> list[Violation]:
    found = []
    if right.consumer not in known:
        found.append(Violation("/consumer", "no such consumer is registered", "unknown"))
    if operation is None:
        found.append(Violation("/operation", f"{right.service} publishes no operation of this name", "unpublished"))
    elif operation.data_class is DataClass.PERSONAL and not right.purposes:
        found.append(Violation("/purposes", "personal data need at least one purpose", "required"))
    if right.not_before >= right.not_after:
        found.append(Violation("/not_after", "the window ends before it begins", "window"))
    return found
