"""Subscriptions: let a subsystem have what is published by an operation, end that, list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.errors import Fault, Violation
from lgsp.model.agreed import Pattern
from lgsp.model.parties import ChannelKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lgsp.model.parties import Subscription, SubsystemId
    from lgsp.ports.office import Office


async def subscribe(office: Office, subscription: Subscription, author: str) -> None:
    """Write it after checking it against what is registered and published; all its faults are told together."""
    known = {consumer.id for consumer in await office.register.consumers()}
    violations = list(_violations(office, subscription, known))
    if violations:
        raise Fault("body-invalid", errors=violations)
    await office.channels.subscribe(subscription, author, office.now())


async def unsubscribe(office: Office, subscription: Subscription, author: str) -> None:
    """End it; what is still owed to the subscriber comes to rest as dead."""
    if not await office.channels.unsubscribe(subscription, author, office.now()):
        raise Fault("not-found", f"{subscription.subscriber} is not subscribed to {subscription.operation} of {subscription.service}")


def subscriptions(office: Office) -> Sequence[Subscription]:
    """Every subscription, by service, operation and subscriber."""
    return sorted(office.channels.subscriptions(), key=lambda each: (each.service, each.operation, each.subscriber))


def _violations(office: Office, subscription: Subscription, known: set[SubsystemId]) -> Iterator[Violation]:
    operations = office.catalogue.current().operations.values()
    published = [each for each in operations if (each.service, each.name) == (subscription.service, subscription.operation)]
    if subscription.subscriber not in known:
        yield Violation("/subscriber", "no such consumer is registered", "unknown")
    if not any(each.pattern is Pattern.PUBLISH for each in published):
        yield Violation("/operation", f"{subscription.service} has no operation of this name that publishes", "unpublished")
    addresses = {callback.consumer for callback in office.channels.callbacks()}
    if subscription.channel is ChannelKind.CALLBACK and subscription.subscriber not in addresses:
        yield Violation("/channel", "it has no registered callback address; register one, or choose its mailbox", "unknown")
