"""Whether a provider is called at all: the circuit breaker, as a value that facts move along one table.

Rules:

* Closed: every call passes. The circuit opens after `consecutive` failures in a row, or when of at least `least` calls in the window
  the share `share` failed. Only what is the fault of provider, national system or network is a failure; whoever refuses is well.
* Open: no call passes until the next probe. The wait is uniform in [0, min(cap_s, first_s * 2**(trips // 2))), full jitter, so that
  several hubs do not knock together; never shorter than `floor_s` or than the Retry-After that the provider told (up to `told_cap_s`).
  It doubles with every second failed probe: with every one, the probe after a short outage would come as late as the outage was long.
* Half-open: `probes` calls at one time pass. As many successes close the circuit, the first failure opens it again for longer.
* An outcome belongs to the round in which its call was admitted: a call that began before the circuit opened says nothing about now.
* A person's word goes before: forced open nothing passes, forced closed everything does, until the order ends; meanwhile the circuit
  does not move, and afterwards it begins where the order leaves it: half-open after open, closed after closed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from lgsp.policy.window import NOTHING, Counts, counted, sliding

if TYPE_CHECKING:
    from collections.abc import Mapping


class Mode(StrEnum):
    """Where a circuit stands."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Verdict(StrEnum):
    """What one call says about its provider; `silent`: it never got so far, and says nothing."""

    WELL = "well"
    FAILED = "failed"
    SILENT = "silent"


TRANSITIONS: Mapping[Mode, Mapping[str, Mode]] = MappingProxyType(
    {
        Mode.CLOSED: MappingProxyType({"trip": Mode.OPEN}),
        Mode.OPEN: MappingProxyType({"probe": Mode.HALF_OPEN, "reset": Mode.CLOSED}),
        Mode.HALF_OPEN: MappingProxyType({"trip": Mode.OPEN, "recover": Mode.CLOSED, "reset": Mode.CLOSED}),
    }
)


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When a circuit opens, for how long, and what closes it; times in seconds."""

    consecutive: int = 5
    share: float = 0.5
    least: int = 20
    window_s: float = 30.0
    first_s: float = 1.0
    cap_s: float = 30.0
    floor_s: float = 0.25
    told_cap_s: float = 300.0
    probes: int = 2


USUAL = BreakerRule()


@dataclass(frozen=True, slots=True)
class Circuit:
    """One provider's circuit. `round` rises with every transition; `row`: failures in a row, or successes of the probes."""

    mode: Mode = Mode.CLOSED
    round: int = 0
    row: int = 0
    trips: int = 0
    probing: int = 0
    probe_at: float = 0.0
    counts: Counts = NOTHING


UNTRIED = Circuit()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the world says when a call ends: the time, a uniform draw in [0, 1), the Retry-After that the provider told."""

    now: float
    jitter: float
    retry_after_s: float | None = None


def admit(circuit: Circuit, now: float, rule: BreakerRule) -> tuple[Circuit, bool]:
    """The circuit after a call asked to pass, and whether it passes; its round is the ticket of the call."""
    if circuit.mode is Mode.CLOSED:
        return circuit, True
    if circuit.mode is Mode.OPEN:
        if now < circuit.probe_at:
            return circuit, False
        circuit = _moved(circuit, "probe")
    if circuit.probing >= rule.probes:
        return circuit, False
    return replace(circuit, probing=circuit.probing + 1), True


def told(circuit: Circuit, ticket: int, verdict: Verdict, facts: Facts, rule: BreakerRule) -> Circuit:
    """The circuit after an admitted call ended."""
    if ticket != circuit.round:
        return circuit
    if circuit.mode is Mode.HALF_OPEN:
        return _probed(replace(circuit, probing=circuit.probing - 1), verdict, facts, rule)
    if verdict is Verdict.SILENT:
        return circuit
    counts = counted(circuit.counts, facts.now, rule.window_s, is_good=verdict is Verdict.WELL)
    row = circuit.row + 1 if verdict is Verdict.FAILED else 0
    after = Circuit(circuit.mode, circuit.round, row, circuit.trips, circuit.probing, circuit.probe_at, counts)
    return _tripped(after, facts, rule) if verdict is Verdict.FAILED and _is_sick(after, facts.now, rule) else after


def reset(circuit: Circuit) -> Circuit:
    """Closed anew: a person said that the provider is well."""
    return circuit if circuit.mode is Mode.CLOSED else _moved(circuit, "reset")


def due_for_probe(circuit: Circuit, now: float) -> Circuit:
    """Open with its next probe due: a person's order has ended and nobody knows how the provider is."""
    opened = circuit if circuit.mode is Mode.OPEN else Circuit(Mode.OPEN, circuit.round + 1)
    return replace(opened, probe_at=now)


def places(circuit: Circuit, now: float, rule: BreakerRule) -> int | None:
    """How many more calls would pass now; None: as many as come."""
    if circuit.mode is Mode.CLOSED:
        return None
    if circuit.mode is Mode.OPEN:
        return rule.probes if now >= circuit.probe_at else 0
    return rule.probes - circuit.probing


def open_s(trips: int, facts: Facts, rule: BreakerRule) -> float:
    """Seconds until the next probe, after this many openings without a recovery."""
    ceiling_s = min(rule.cap_s, rule.first_s * 2.0 ** min(trips // 2, 64))
    told_s = min(facts.retry_after_s or 0.0, rule.told_cap_s)
    return max(facts.jitter * ceiling_s, rule.floor_s, told_s)


def _is_sick(circuit: Circuit, now: float, rule: BreakerRule) -> bool:
    if circuit.row >= rule.consecutive:
        return True
    good, bad = sliding(circuit.counts, now, rule.window_s)
    return good + bad >= rule.least and bad >= rule.share * (good + bad)


def _probed(circuit: Circuit, verdict: Verdict, facts: Facts, rule: BreakerRule) -> Circuit:
    if verdict is Verdict.FAILED:
        return _tripped(circuit, facts, rule)
    if verdict is Verdict.SILENT:
        return circuit
    after = replace(circuit, row=circuit.row + 1)
    return _moved(after, "recover") if after.row >= rule.probes else after


def _tripped(circuit: Circuit, facts: Facts, rule: BreakerRule) -> Circuit:
    probe_at = facts.now + open_s(circuit.trips, facts, rule)
    return replace(_moved(circuit, "trip"), trips=circuit.trips + 1, probe_at=probe_at)


def _moved(circuit: Circuit, event: str) -> Circuit:
    """In the next mode, in a round of its own; how often it opened is forgotten once it is closed."""
    mode = TRANSITIONS[circuit.mode][event]
    trips = 0 if mode is Mode.CLOSED else circuit.trips
    return Circuit(mode, circuit.round + 1, trips=trips, probe_at=circuit.probe_at)
