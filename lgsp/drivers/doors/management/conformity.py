"""Enforcement and quarantine at the management door: parse, call an act, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.acts import enforce
from lgsp.drivers.doors.management.answers import Answer, json_answer, moment, seconds
from lgsp.model.conformity import KEPT_S, Rigour

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.model.conformity import Enforcement, Suspect
    from lgsp.ports.office import Office


class ConformityDesk:
    """One method for each operation; connexion passes `body`, path and query values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {
            "listEnforcements": self.list_enforcements,
            "setEnforcement": self.set_enforcement,
            "endEnforcement": self.end_enforcement,
            "listQuarantine": self.list_quarantine,
            "readQuarantine": self.read_quarantine,
        }

    async def list_enforcements(self) -> Answer:
        """GET /enforcements."""
        return json_answer([_order(each) for each in enforce.enforcements(self._office)])

    async def set_enforcement(self, service: str, side: str, body: dict[str, str], user: str) -> Answer:
        """PUT /enforcements/{service}/{side}."""
        wanted = enforce.Wanted(service, side, Rigour(body["mode"]), seconds(body, "until", 0.0), body["reason"])
        return json_answer(_order(await enforce.enforce(self._office, wanted, user)))

    async def end_enforcement(self, service: str, side: str, user: str) -> Answer:
        """DELETE /enforcements/{service}/{side}."""
        await enforce.end(self._office, service, side, user)
        return json_answer({"service": service, "side": side, "mode": Rigour.TOLERANT.value})

    async def list_quarantine(self, limit: int, provider: str = "", service: str = "") -> Answer:
        """GET /quarantine."""
        return json_answer([_suspect(each) for each in await enforce.quarantine(self._office, limit, provider, service)])

    async def read_quarantine(self, suspect_id: str, user: str) -> Answer:
        """GET /quarantine/{suspect_id}."""
        found = await enforce.read(self._office, suspect_id, user)
        content = {"content": found.content.decode("utf-8", "replace"), "is_whole": found.size_bytes == len(found.content)}
        return json_answer({**_suspect(found), **content}, headers={"Cache-Control": "no-store"})


def _order(order: Enforcement) -> dict[str, Any]:
    facts = {"service": order.service, "side": enforce.REPLIES, "mode": order.rigour.value, "from": moment(order.from_at)}
    return {**facts, "until": moment(order.until_at), "reason": order.reason, "author": order.author}


def _suspect(found: Suspect) -> dict[str, Any]:
    return {
        "id": found.id,
        "message_id": found.message_id,
        "at": moment(found.at),
        "provider": found.provider,
        "service": found.service,
        "operation": found.operation,
        "call": found.call,
        "mode": found.rigour.value,
        "passed": found.passed,
        "form": "canonical" if found.is_ours else "native",
        "errors": [{"pointer": pointer, "detail": detail, "code": rule} for pointer, detail, rule in found.places],
        "size_bytes": found.size_bytes,
        "kept_until": moment(found.at + KEPT_S),
    }
