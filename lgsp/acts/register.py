"""Consumers: add one, give it one more secret, suspend it or let it back in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.parties import Consumer, SubsystemId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.ports.office import Office


@dataclass(frozen=True, slots=True)
class Credential:
    """What a consumer shows at /token; the hub keeps only a keyed digest of the secret, so this is its one showing."""

    client_id: str
    secret: str

    def __repr__(self) -> str:
        return f"Credential({self.client_id!r}, secret=***)"


async def add_consumer(office: Office, code: str, title: str, author: str) -> Credential:
    """Register subsystem `code` with its first secret; Fault("already-exists") if it is registered."""
    credential = Credential(office.new_id(), office.new_secret())
    consumer = Consumer(SubsystemId(code), credential.client_id, title)
    if not await office.register.add_consumer(consumer, _mac(office, credential), author, office.now()):
        raise Fault("already-exists", f"{code} is registered")
    return credential


async def add_secret(office: Office, client_id: str, author: str) -> Credential:
    """One more secret beside the valid ones, so that a consumer changes over without a gap."""
    credential = Credential(client_id, office.new_secret())
    if not await office.register.add_secret(client_id, _mac(office, credential), author, office.now()):
        raise _unknown(client_id)
    return credential


async def set_active(office: Office, client_id: str, author: str, *, active: bool) -> None:
    """Suspend a consumer, or let it back in."""
    if not await office.register.set_active(client_id, author, office.now(), active=active):
        raise _unknown(client_id)


async def consumers(office: Office) -> Sequence[Consumer]:
    """Every consumer, by subsystem."""
    return sorted(await office.register.consumers(), key=lambda consumer: consumer.id)


def _mac(office: Office, credential: Credential) -> bytes:
    return office.mac(credential.secret.encode())


def _unknown(client_id: str) -> Fault:
    return Fault("not-found", f"no consumer has the client id {client_id}")
