"""The Outbound port with a guard before it: asks a provider's circuit before each call and tells it the outcome after.

A call that is not let through raises Fault("circuit-open") or Fault("provider-held") and surely was not sent. What is decided stands in
lgsp/policy (breaker, budget, ramp); here are only the values of each provider, and the clock. Every process keeps its own experience;
what people ordered it reads from ProviderStates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from lgsp.errors import Blame, BusinessRefusal, Fault
from lgsp.model.agreed import SoapFault
from lgsp.model.parties import RulingKind
from lgsp.policy import breaker, budget, ramp
from lgsp.policy.breaker import USUAL, BreakerRule, Circuit, Facts, Mode, Verdict
from lgsp.policy.drain import lasts_s
from lgsp.policy.window import NOTHING
from lgsp.ports.engine import CircuitView, Passage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.model.agreed import Call, Prepared, Provider
    from lgsp.model.happening import Due, Exchange
    from lgsp.model.parties import Ruling
    from lgsp.policy.budget import Budget, BudgetRule
    from lgsp.ports.engine import Drains, Outbound, ProviderStates
    from lgsp.telemetry import Telemetry

LOOK_S = 1.0
"""Between two looks at a circuit whose probe is due while nothing is sent."""
SICK = frozenset({Blame.PROVIDER, Blame.NATIONAL, Blame.NETWORK})
PARDONS = 2
"""Free retries after an outage, for each message that may be under way."""
NO_TICKET = -1
"""Of a call that a person's order let through: its outcome moves nothing."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the guard needs beside the calls themselves. jitter: uniform in [0, 1)."""

    states: ProviderStates
    drains: Drains
    telemetry: Telemetry
    now: Callable[[], float]
    jitter: Callable[[], float]


@dataclass(slots=True)
class Road:
    """One provider as this process knows it; `looked_for`: the probe time for which messages were last asked, at `looked_at`.

    pardons: retries that cost nothing, for what the outage failed and the probes; few, so that a provider that flaps wins nothing by it.
    """

    in_flight: int
    limit: float
    circuit: Circuit = breaker.UNTRIED
    budget: Budget = NOTHING
    ordered: RulingKind | None = None
    hastens: bool = False
    pardons: int = 0
    looked_for: float = 0.0
    looked_at: float = 0.0


class GuardedCalls:
    """The ports Outbound and Circuits.

    Probes are messages that are due anyway: waking one that waits for its own back-off would use up its attempts on a long outage. Only
    when the circuit closes is what waits hastened.
    """

    def __init__(self, calls: Outbound, around: Surroundings, rule: BreakerRule = USUAL, retries: BudgetRule = budget.USUAL) -> None:
        self._calls = calls
        self._around = around
        self._rule = rule
        self._retries = retries
        self._roads: dict[str, Road] = {}
        self._log = structlog.get_logger().bind(logger="lgsp.guard")

    async def call(self, call: Call, request: Prepared, exchange: Exchange) -> Any:
        """Outbound."""
        provider = exchange.operation.provider
        road = self._road(provider)
        queue_s = 0.0 if exchange.due else lasts_s(self._around.drains.drain(provider.code))
        ticket = self._enter(road, provider.code, queue_s)
        verdict, retry_after_s = Verdict.SILENT, None
        try:
            reply = await self._calls.call(call, request, exchange)
            verdict = _verdict(reply)
        except Fault as fault:
            verdict, retry_after_s = _verdict_of(fault), fault.retry_after_s
            raise
        finally:
            self._tell(road, provider.code, ticket, (verdict, retry_after_s))
        return reply

    def passage(self, provider: Provider, busy: int) -> Passage:
        """Circuits."""
        road, now = self._road(provider), self._around.now()
        ruling = self._ordered(road, provider.code, now)
        if ruling is not None:
            return Passage(road.in_flight - busy, flows=True) if ruling.kind is RulingKind.CLOSED else Passage(0)
        places = breaker.places(road.circuit, now, self._rule)
        if places is None:
            return Passage(int(road.limit) - busy, road.hastens, flows=True)
        is_new = road.looked_for != road.circuit.probe_at
        if not places or (not is_new and now < road.looked_at + LOOK_S):
            return Passage(0)
        road.looked_for, road.looked_at = road.circuit.probe_at, now
        return Passage(places)

    def hastened(self, provider: Provider) -> None:
        """Circuits."""
        self._road(provider).hastens = False

    def postpones(self, due: Due) -> float | None:
        """Circuits; probes are few and pass, and so does what its provider has not been asked for yet: no repetition."""
        road = self._roads.get(due.stored.provider)
        if road is None:
            return None
        now = self._around.now()
        if due.attempt <= 1:
            road.budget = budget.first(road.budget, now, self._retries)
            return None
        if not (due.began or due.has_failed):
            return None
        if road.circuit.mode is not Mode.CLOSED or road.pardons:
            road.pardons = max(0, road.pardons - 1)
            return None
        road.budget, is_granted = budget.spend(road.budget, now, self._retries)
        return None if is_granted else now + budget.postponed_s(self._around.jitter(), self._retries)

    def probes(self) -> Mapping[str, float]:
        """Circuits."""
        return {code: at for code, road in self._roads.items() if (at := self._next_look(road)) is not None}

    def views(self) -> Sequence[CircuitView]:
        """Circuits."""
        now = self._around.now()
        return [self._view(code, road, now) for code, road in sorted(self._roads.items())]

    def know(self, providers: Sequence[Provider]) -> None:
        """Have a road for each provider, so that those that were never called are seen too; one with new limits starts at them."""
        for provider in providers:
            road = self._road(provider)
            if road.in_flight != provider.in_flight:
                road.in_flight, road.limit = provider.in_flight, float(provider.in_flight)

    def publish(self) -> None:
        """Set the metrics of every circuit."""
        for view in self.views():
            held = view.ruling is not None and view.ruling.kind is RulingKind.HOLD
            self._around.telemetry.circuit(view.provider, view.mode, view.next_probe_at, view.retries_left, is_held=held)

    def _road(self, provider: Provider) -> Road:
        road = self._roads.get(provider.code)
        if road is None:
            road = self._roads[provider.code] = Road(provider.in_flight, float(provider.in_flight))
        return road

    def _enter(self, road: Road, code: str, queue_s: float) -> int:
        """A ticket; who is not let in and waits for the answer is told to come when the backlog is gone too, `queue_s` after the return."""
        now = self._around.now()
        ruling = self._ordered(road, code, now)
        if ruling is not None:
            if ruling.kind is RulingKind.CLOSED:
                return NO_TICKET
            slug = "provider-held" if ruling.kind is RulingKind.HOLD else "circuit-open"
            raise Fault(slug, ruling.reason, retry_after_s=ruling.until_at - now + queue_s)
        road.circuit, passes = breaker.admit(road.circuit, now, self._rule)
        if not passes:
            raise Fault("circuit-open", retry_after_s=max(LOOK_S, road.circuit.probe_at - now) + queue_s)
        return road.circuit.round

    def _tell(self, road: Road, code: str, ticket: int, ended: tuple[Verdict, float | None]) -> None:
        verdict, retry_after_s = ended
        if verdict is Verdict.WELL:
            road.limit = ramp.raised(road.limit, road.in_flight)
        elif verdict is Verdict.FAILED:
            road.limit = ramp.lowered(road.limit, road.in_flight)
        facts = Facts(self._around.now(), self._around.jitter() if verdict is Verdict.FAILED else 0.0, retry_after_s)
        before, road.circuit = road.circuit, breaker.told(road.circuit, ticket, verdict, facts, self._rule)
        if road.circuit.mode is not before.mode:
            self._turned(road, code, facts.now)

    def _turned(self, road: Road, code: str, now: float) -> None:
        mode = road.circuit.mode
        if mode is Mode.CLOSED:
            self._begin_ramp(road)
        wait_s = round(road.circuit.probe_at - now, 3) if mode is Mode.OPEN else None
        self._log.warning("circuit_turned", provider=code, mode=mode.value, trips=road.circuit.trips, next_probe_s=wait_s)
        self.publish()

    def _begin_ramp(self, road: Road) -> None:
        road.limit, road.hastens = ramp.begun(road.in_flight), True
        road.pardons = PARDONS * road.in_flight

    def _ordered(self, road: Road, code: str, now: float) -> Ruling | None:
        """What a person ordered that is in force, a hold before all else; notes its beginning and its end."""
        rulings = self._around.states.rulings(code)
        ruling = in_force(rulings, now) if rulings else None
        kind = ruling.kind if ruling else None
        if kind is not road.ordered:
            before, road.ordered = road.ordered, kind
            self._reordered(road, before, now)
        return ruling

    def _reordered(self, road: Road, before: RulingKind | None, now: float) -> None:
        if road.ordered is RulingKind.CLOSED:
            road.circuit = breaker.reset(road.circuit)
        elif before is RulingKind.OPEN:
            road.circuit = breaker.due_for_probe(road.circuit, now)
        if before in {RulingKind.HOLD, RulingKind.OPEN}:
            self._begin_ramp(road)

    def _next_look(self, road: Road) -> float | None:
        circuit = road.circuit
        if circuit.mode is Mode.CLOSED or road.ordered is not None or circuit.probing >= self._rule.probes:
            return None
        return circuit.probe_at if road.looked_for != circuit.probe_at else road.looked_at + LOOK_S

    def _view(self, code: str, road: Road, now: float) -> CircuitView:
        ruling = self._ordered(road, code, now)
        forced = {RulingKind.OPEN: Mode.OPEN, RulingKind.CLOSED: Mode.CLOSED}.get(ruling.kind) if ruling else None
        mode = forced or road.circuit.mode
        next_probe_at = None if mode is not Mode.OPEN else ruling.until_at if ruling and forced else road.circuit.probe_at
        left = budget.remaining(road.budget, now, self._retries)
        return CircuitView(code, mode.value, next_probe_at, int(road.limit), left, ruling)


def in_force(rulings: Sequence[Ruling], now: float) -> Ruling | None:
    """The ruling that holds now: a hold before a forced circuit, the longest of several."""
    holding = [ruling for ruling in rulings if ruling.holds_at(now)]
    return max(holding, key=lambda ruling: (ruling.kind is RulingKind.HOLD, ruling.until_at), default=None)


def _verdict(reply: Any) -> Verdict:
    """An answer is an answer; of SOAP faults only the server's own speaks against it (SOAP 1.1 section 4.4.1)."""
    if isinstance(reply, SoapFault) and reply.code.rpartition(":")[2].partition(".")[0] not in {"Client", "Sender"}:
        return Verdict.FAILED
    return Verdict.WELL


def _verdict_of(fault: Fault) -> Verdict:
    """A call that found no free place of ours was never made; a refusal was answered by a provider that is well."""
    if fault.slug == "no-free-place":
        return Verdict.SILENT
    if isinstance(fault, BusinessRefusal) or fault.blame not in SICK:
        return Verdict.WELL
    return Verdict.FAILED
