"""Identify: from a credential to the consumer that speaks, and from a path to the operation that it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.model.agreed import Operation
    from lgsp.model.catalogue import Catalogue
    from lgsp.model.happening import Message
    from lgsp.model.parties import Consumer, SubsystemId
    from lgsp.ports.engine import Ports


def identify(message: Message, ports: Ports) -> Consumer:
    """The consumer that the door knows, or the one behind the credential; a suspended one is unknown at once, whatever it shows."""
    return known_consumer(message.credential, message.received_at, ports, speaker=message.speaker)


def known_consumer(credential: str | None, at: float, ports: Ports, *, speaker: SubsystemId | None = None) -> Consumer:
    """The same without a message."""
    if speaker is not None:
        consumer = ports.directory.subsystem(speaker)
    else:
        consumer = ports.directory.consumer(ports.identity.identify(credential, at))
    if consumer is None or not consumer.active:
        raise Fault("consumer-unknown")
    return consumer


def find_operation(message: Message, consumer: SubsystemId, ports: Ports) -> tuple[Operation, Mapping[str, str]]:
    """The operation that is asked for, and the path's variables; other methods are told only to whom they are allowed."""
    catalogue = message.catalogue or ports.catalogue.current()
    found = _named(message, catalogue) if message.speech is not None else catalogue.find(message.method, message.path)
    if found is not None:
        return found
    others = [o.method for o in catalogue.at(message.path) if ports.directory.right(consumer, o.service, o.name)]
    if others:
        raise Fault("method-not-allowed", headers=(("Allow", ", ".join(sorted(others))),))
    raise Fault("not-found")


def _named(message: Message, catalogue: Catalogue) -> tuple[Operation, Mapping[str, str]] | None:
    operation = catalogue.operations.get(message.speech.operation) if message.speech is not None else None
    return (operation, {}) if operation is not None else None
