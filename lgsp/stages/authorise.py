"""Authorise: may this consumer use this operation, for this purpose, now? Asked before the exchange and again at delivery.

No right: 404, as if the service were not there. A right, but a wrong purpose or window: 403 (DESIGN decision 26).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.errors import Fault, Violation
from lgsp.model.agreed import DataClass, Pattern
from lgsp.model.parties import Right

if TYPE_CHECKING:
    from lgsp.model.agreed import Operation
    from lgsp.model.happening import Message, Stored
    from lgsp.model.parties import Purpose, SubsystemId
    from lgsp.ports.engine import Directory, Ports

PERSONAL_HEADERS = (
    ("Lgsp-Purpose", "slug"),
    ("Lgsp-Official", "official"),
    ("Lgsp-Public-Service", "public_service"),
    ("Lgsp-Dossier", "dossier"),
)


def authorise(consumer: SubsystemId, operation: Operation, purpose: Purpose, at: float, directory: Directory) -> Right:
    """The access right that covers this use at POSIX second `at`."""
    right = directory.right(consumer, operation.service, operation.granted)
    if right is None:
        raise Fault("not-found")
    if not right.not_before <= at <= right.not_after:
        raise Fault("outside-window")
    if operation.data_class is DataClass.PERSONAL:
        _require_purpose(purpose)
    if purpose.slug is not None and purpose.slug not in right.purposes:
        raise Fault("purpose-not-allowed")
    return right


def authorise_new(message: Message, consumer: SubsystemId, operation: Operation, directory: Directory) -> Right:
    """The same for what is sent now; Fault("service-retired") of a version that takes nothing any more."""
    right = authorise(consumer, operation, message.purpose, message.received_at, directory)
    if operation.retired:
        raise Fault("service-retired", f"{operation.service}/{operation.major}", headers=operation.notices)
    return right


def authorise_again(stored: Stored, operation: Operation, ports: Ports) -> Right:
    """The same for a stored message at the time of its attempt; Fault("right-withdrawn") if it holds no longer.

    A callback needs none: its operation is there while its address is registered.
    """
    if operation.pattern is Pattern.CALLBACK:
        return Right(stored.consumer, operation.service, operation.name, frozenset())
    try:
        return authorise(stored.consumer, operation, stored.purpose, ports.now(), ports.directory)
    except Fault as fault:
        raise Fault("right-withdrawn", fault.slug) from fault


def _require_purpose(purpose: Purpose) -> None:
    missing = [header for header, name in PERSONAL_HEADERS if not getattr(purpose, name)]
    if missing:
        places = [Violation("", f"header {header} is missing", "required") for header in missing]
        raise Fault("purpose-missing", f"missing: {', '.join(missing)}", errors=places)
