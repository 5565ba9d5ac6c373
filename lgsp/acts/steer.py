"""Force a circuit open or closed for a while, hold a provider for announced maintenance, release it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import Fault, Violation
from lgsp.model.parties import Ruling, RulingKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.ports.engine import CircuitView
    from lgsp.ports.office import Office

LONGEST_S = 90 * 86_400.0
"""No order stands for ever: one that is forgotten must not keep a provider out of reach."""
CIRCUIT = frozenset({RulingKind.OPEN, RulingKind.CLOSED})
HOLD = frozenset({RulingKind.HOLD})


@dataclass(frozen=True, slots=True)
class Order:
    """What a person wants of a provider; times in POSIX seconds, `from_at` None: from now on."""

    provider: str
    kind: RulingKind
    until_at: float
    reason: str
    from_at: float | None = None


def circuits(office: Office) -> Sequence[CircuitView]:
    """Every provider's circuit as this process knows it."""
    return office.circuits.views()


def holds(office: Office) -> Sequence[Ruling]:
    """Holds in force and to come, the earliest first."""
    now = office.now()
    return [each for each in office.states.rulings() if each.kind is RulingKind.HOLD and each.until_at > now]


async def order(office: Office, wanted: Order, author: str) -> Ruling:
    """Write the order; Fault("not-found") for a provider that nothing published names, Fault("body-invalid") for times that cannot be."""
    now = office.now()
    _require(office, wanted.provider)
    from_at = now if wanted.from_at is None else wanted.from_at
    if not max(now, from_at) < wanted.until_at <= now + LONGEST_S:
        reason = f"must lie in the future, after its beginning, at most {LONGEST_S / 86_400:.0f} days ahead"
        raise Fault("body-invalid", errors=[Violation("/until", reason, "window")])
    ruling = Ruling(office.new_id(), wanted.provider, wanted.kind, from_at, wanted.until_at, wanted.reason, author)
    await office.states.rule(ruling, now)
    return ruling


async def free_circuit(office: Office, provider: str, author: str) -> int:
    """Let the circuit follow the provider's health again."""
    _require(office, provider)
    return await office.states.lift(provider, CIRCUIT, author, office.now())


async def release(office: Office, provider: str, author: str, hold_id: str | None = None) -> int:
    """End the provider's holds that are in force, or the one that is named; Fault("not-found") if there is none."""
    ended = await office.states.lift(provider, HOLD, author, office.now(), hold_id)
    if not ended:
        raise Fault("not-found", f"{provider} is not held")
    office.bell.ring(provider, [])
    return ended


def _require(office: Office, provider: str) -> None:
    if provider not in office.catalogue.current().providers:
        raise Fault("not-found", f"no provider {provider} is published")
