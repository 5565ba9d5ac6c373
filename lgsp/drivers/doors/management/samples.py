"""Masked messages for trials of a mapping at the management door: parse, call an act, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.acts import translate
from lgsp.drivers.doors.management.answers import Answer, json_answer, moment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.ports.office import Office


class SampleDesk:
    """One method for each operation; connexion passes path and query values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {"listSamples": self.list_samples}

    async def list_samples(self, service: str, major: int, limit: int, user: str) -> Answer:
        """GET /samples."""
        found = await translate.samples(self._office, service, major, limit, user)
        told = [
            {
                "message_id": each.message_id,
                "operation": each.operation,
                "received_at": moment(each.received_at),
                "parameters": dict(each.parameters),
                "request": each.request,
                "purpose": dict(each.purpose),
            }
            for each in found
        ]
        return json_answer(told, headers={"Cache-Control": "no-store"})
