"""WS-Security of consumers: enrol a certificate, end it, give a password for UsernameToken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.codec.wss.certificate import read_certificate
from lgsp.errors import Fault, Violation, WssError
from lgsp.model.parties import Enrolled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.parties import Consumer
    from lgsp.ports.office import Office


@dataclass(frozen=True, slots=True)
class Password:
    """What a consumer puts into its UsernameToken, in clear or as a digest. The hub keeps it sealed, and this is its one showing.

    A secret of its own: PasswordDigest needs it in clear on both sides, and the secrets that earn tokens are kept as keyed digests.
    """

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Password({self.user!r}, ***)"


async def enrol(office: Office, client_id: str, pem: str, author: str) -> Enrolled:
    """From now on the consumer is known by signatures of this certificate; Fault("body-invalid") if it cannot be used."""
    consumer = await _consumer(office, client_id)
    try:
        found = read_certificate(pem)
    except WssError as error:
        raise Fault("body-invalid", errors=[Violation("/certificate", error.reason, "certificate")]) from error
    if found.not_after < office.now():
        raise Fault("body-invalid", errors=[Violation("/certificate", "is not valid any more", "certificate")])
    enrolled = Enrolled(consumer.id, found.fingerprint, found.subject, pem, found.not_after)
    if not await office.enrolments.enrol(enrolled, author, office.now()):
        raise Fault("already-exists", "this certificate is enrolled")
    return enrolled


async def end_enrolment(office: Office, client_id: str, fingerprint: str, author: str) -> None:
    """The consumer is no longer known by it."""
    consumer = await _consumer(office, client_id)
    if not await office.enrolments.end_enrolment(consumer.id, fingerprint, author, office.now()):
        raise Fault("not-found", f"{consumer.id} has no such certificate")


async def add_password(office: Office, client_id: str, author: str) -> Password:
    """One more password beside the newest one, so that a consumer changes over without a gap; older ones end."""
    consumer = await _consumer(office, client_id)
    found = Password(consumer.id, office.new_secret())
    await office.enrolments.add_wss_password(consumer.id, found.password, author, office.now())
    return found


async def certificates(office: Office, client_id: str) -> Sequence[Enrolled]:
    """Those of one consumer."""
    consumer = await _consumer(office, client_id)
    return [each for each in office.enrolments.certificates() if each.consumer == consumer.id]


async def _consumer(office: Office, client_id: str) -> Consumer:
    for consumer in await office.register.consumers():
        if consumer.client_id == client_id:
            return consumer
    raise Fault("not-found", f"no consumer has the client id {client_id}")
