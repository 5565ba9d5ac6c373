"""Circuits and holds at the management door: parse, call an act, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.acts import steer
from lgsp.drivers.doors.management.answers import Answer, json_answer, moment, seconds
from lgsp.errors import Fault, Violation
from lgsp.model.parties import RulingKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.model.parties import Ruling
    from lgsp.ports.engine import CircuitView
    from lgsp.ports.office import Office

AUTO = "auto"


class SteeringDesk:
    """One method for each operation; connexion passes `body`, path values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {
            "listCircuits": self.list_circuits,
            "setCircuit": self.set_circuit,
            "listHolds": self.list_holds,
            "addHold": self.add_hold,
            "releaseHolds": self.release_holds,
        }

    async def list_circuits(self) -> Answer:
        """GET /circuits."""
        return json_answer([_circuit(view) for view in steer.circuits(self._office)])

    async def set_circuit(self, provider: str, body: dict[str, str], user: str) -> Answer:
        """PUT /circuits/{provider}."""
        if body["state"] == AUTO:
            await steer.free_circuit(self._office, provider, user)
        else:
            await steer.order(self._office, _order(provider, RulingKind(body["state"]), body), user)
        return json_answer(next(_circuit(view) for view in steer.circuits(self._office) if view.provider == provider))

    async def list_holds(self) -> Answer:
        """GET /holds."""
        return json_answer([_hold(each) for each in steer.holds(self._office)])

    async def add_hold(self, body: dict[str, str], user: str) -> Answer:
        """POST /holds."""
        return json_answer(_hold(await steer.order(self._office, _order(body["provider"], RulingKind.HOLD, body), user)), 201)

    async def release_holds(self, body: dict[str, str], user: str) -> Answer:
        """POST /holds/releases."""
        ended = await steer.release(self._office, body["provider"], user, body.get("id"))
        return json_answer({"provider": body["provider"], "ended": ended})


def _order(provider: str, kind: RulingKind, body: Mapping[str, str]) -> steer.Order:
    missing = [Violation(f"/{name}", "is missing", "required") for name in ("until", "reason") if name not in body]
    if missing:
        raise Fault("body-invalid", errors=missing)
    from_at = seconds(body, "from", 0.0) if "from" in body else None
    return steer.Order(provider, kind, seconds(body, "until", 0.0), body["reason"], from_at)


def _circuit(view: CircuitView) -> dict[str, Any]:
    facts: dict[str, Any] = {"provider": view.provider, "state": view.mode, "limit": view.limit, "retries_left": view.retries_left}
    if view.next_probe_at is not None:
        facts["next_probe_at"] = moment(view.next_probe_at)
    if view.ruling is not None:
        facts["ruling"] = {"kind": view.ruling.kind.value, **_of(view.ruling)}
    return facts


def _hold(ruling: Ruling) -> dict[str, Any]:
    return {"id": ruling.id, "provider": ruling.provider, **_of(ruling)}


def _of(ruling: Ruling) -> dict[str, Any]:
    return {"from": moment(ruling.from_at), "until": moment(ruling.until_at), "reason": ruling.reason, "author": ruling.author}
