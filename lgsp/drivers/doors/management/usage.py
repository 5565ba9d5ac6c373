"""What consumers used, and whom a change would break, at the management door: parse, call an act, answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lgsp.acts import usage
from lgsp.drivers.doors.management.answers import Answer, json_answer
from lgsp.policy.compatibility import Side
from lgsp.policy.usage import Touch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.ports.office import Office


class UsageDesk:
    """One method for each operation; connexion passes `body`, path and query values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {"listUses": self.list_uses, "showImpact": self.show_impact, "setContact": self.set_contact}

    async def list_uses(self, service: str, major: int, days: int) -> Answer:
        """GET /uses."""
        found = await usage.uses(self._office, service, major, days)
        return json_answer(
            [
                {
                    "consumer": use.consumer,
                    "operation": use.operation,
                    "count": use.count,
                    "last_day": _day(use.day),
                    "sent": sorted(use.sent),
                    "got": sorted(use.got),
                }
                for use in found
            ]
        )

    async def show_impact(self, body: dict[str, Any]) -> Answer:
        """POST /impacts."""
        changes = [Touch(each["operation"], Side(each["side"]), each["pointer"], each["rule"]) for each in body["changes"]]
        days = body.get("days", usage.USUAL_DAYS)
        found = await usage.affected_by(self._office, changes, body["service"], body["major"], days=days)
        affected = [
            {
                "consumer": each.consumer,
                "title": each.title,
                "contact": each.contact,
                "count": each.count,
                "last_day": _day(each.day),
                "changes": list(each.changes),
                "fields": list(each.fields),
            }
            for each in found.affected
        ]
        return json_answer({"consumers": found.consumers, "days": days, "affected": affected})

    async def set_contact(self, client_id: str, body: dict[str, str], user: str) -> Answer:
        """PUT /consumers/{client_id}/contact."""
        code = await usage.set_contact(self._office, client_id, body["contact"], user)
        return json_answer({"code": code, "client_id": client_id, "contact": body["contact"]})


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
