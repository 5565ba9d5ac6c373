"""WS-Security of consumers at the management door: parse, call an act, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.acts import enrol
from lgsp.drivers.doors.management.answers import Answer, json_answer, moment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.model.parties import Enrolled
    from lgsp.ports.office import Office


class EnrolmentDesk:
    """One method for each operation; connexion passes `body`, path values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {
            "listCertificates": self.list_certificates,
            "enrolCertificate": self.enrol,
            "endCertificate": self.end,
            "addWssPassword": self.add_password,
        }

    async def list_certificates(self, client_id: str) -> Answer:
        """GET /consumers/{client_id}/certificates."""
        return json_answer([_enrolled(each) for each in await enrol.certificates(self._office, client_id)])

    async def enrol(self, client_id: str, body: dict[str, str], user: str) -> Answer:
        """POST /consumers/{client_id}/certificates."""
        return json_answer(_enrolled(await enrol.enrol(self._office, client_id, body["certificate"], user)), 201)

    async def end(self, client_id: str, fingerprint: str, user: str) -> Answer:
        """DELETE /consumers/{client_id}/certificates/{fingerprint}."""
        await enrol.end_enrolment(self._office, client_id, fingerprint, user)
        return json_answer({"client_id": client_id, "fingerprint": fingerprint})

    async def add_password(self, client_id: str, user: str) -> Answer:
        """POST /consumers/{client_id}/wss-passwords."""
        found = await enrol.add_password(self._office, client_id, user)
        return json_answer({"user": found.user, "password": found.password}, 201, {"Cache-Control": "no-store"})


def _enrolled(found: Enrolled) -> dict[str, Any]:
    facts = {"consumer": found.consumer, "fingerprint": found.fingerprint, "subject": found.subject}
    return {**facts, "not_after": moment(found.not_after)}
