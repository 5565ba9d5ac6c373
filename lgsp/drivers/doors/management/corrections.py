"""Corrections at the management door: parse, call an act, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.acts import correct
from lgsp.codec import json
from lgsp.drivers.doors.management.answers import Answer, json_answer, moment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.ports.office import Correction, Office

NO_STORE = {"Cache-Control": "no-store"}


class CorrectionDesk:
    """One method for each operation; connexion passes `body`, path values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {
            "proposeCorrection": self.propose,
            "listCorrections": self.list_corrections,
            "readCorrection": self.read,
            "decideCorrection": self.decide,
        }

    async def propose(self, message_id: str, body: dict[str, Any], user: str) -> Answer:
        """POST /messages/{message_id}/corrections."""
        found = await correct.propose(self._office, message_id, json.encode(body["body"]), body["reason"], user)
        return json_answer(_correction(found), 201)

    async def list_corrections(self) -> Answer:
        """GET /corrections."""
        return json_answer([_correction(each) for each in await correct.corrections(self._office)])

    async def read(self, correction_id: str, user: str) -> Answer:
        """GET /corrections/{correction_id}."""
        found = await correct.read(self._office, correction_id, user)
        body = {"body": json.decode(found.body)} if found.body else {}
        return json_answer({**_correction(found), **body}, headers=NO_STORE)

    async def decide(self, correction_id: str, body: dict[str, str], user: str) -> Answer:
        """POST /corrections/{correction_id}/decisions."""
        act = correct.approve if body["decision"] == "approve" else correct.reject
        return json_answer(_correction(await act(self._office, correction_id, user)))


def _correction(found: Correction) -> dict[str, Any]:
    facts: dict[str, Any] = {"id": found.id, "message_id": found.message_id, "state": found.state.value, "reason": found.reason}
    facts |= {"author": found.author, "at": moment(found.at)}
    if found.decided_at is not None:
        facts |= {"decided_by": found.decided_by, "decided_at": moment(found.decided_at)}
    return facts if found.successor is None else {**facts, "successor": found.successor}
