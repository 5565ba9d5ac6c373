"""Every metric and every log field, named once; and the Trail that an exchange leaves for them.

Metric names follow Prometheus (base units, `_total`, `_seconds`, `_info`); labels are bounded by what is published, never by what is sent.
With several processes, `PROMETHEUS_MULTIPROC_DIR` is set before this module is imported and the management process adds them up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Counts
from collections import defaultdict, deque
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector, generate_latest, multiprocess

from lgsp.model.evidence import NOTHING_DISCLOSED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lgsp.errors import Fault
    from lgsp.model.agreed import Operation
    from lgsp.model.catalogue import Catalogue
    from lgsp.model.happening import Due, Outcome
    from lgsp.model.parties import SubsystemId

T = TypeVar("T")
NONE = "-"
"""Label value of a request that was refused before its operation was known."""

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0)
STAGE_BUCKETS = (0.0001, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200)
CIRCUIT_STATES = {"closed": 0, "half_open": 1, "open": 2}
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)


class Trail:
    """What one exchange has passed so far: stages with their microseconds, and who and what it turned out to be.

    Attempt 0 is a request-reply, stored messages count from 1. `opened`: its OPENED row is durable. `acted`: a call that
    nothing protects from being repeated went through. `disclosed`: what of personal data leaves.
    """

    __slots__ = (
        "_last",
        "acted",
        "attempt",
        "consumer",
        "disclosed",
        "message_id",
        "opened",
        "operation",
        "stages",
        "started",
        "tick",
        "trace_id",
    )

    def __init__(self, tick: Callable[[], int], message_id: str, trace_id: str, attempt: int = 0) -> None:
        self.tick = tick
        self.message_id = message_id
        self.trace_id = trace_id
        self.attempt = attempt
        self.started = self._last = tick()
        self.stages: list[tuple[str, int]] = []
        self.consumer: SubsystemId | None = None
        self.operation: Operation | None = None
        self.opened = self.acted = False
        self.disclosed = NOTHING_DISCLOSED

    @classmethod
    def of(cls, due: Due, tick: Callable[[], int]) -> Trail:
        """The trail of one attempt of a stored message."""
        trail = cls(tick, due.stored.message_id, due.stored.trace_id, due.attempt)
        trail.consumer = due.stored.consumer
        return trail

    def passed(self, stage: str, result: T = None) -> T:  # type: ignore[assignment]  # a stage without a result has none to hand on
        """The stage that just ended took the time since the last one ended; its result is handed on."""
        now = self.tick()
        self.stages.append((stage, (now - self._last) // 1000))
        self._last = now
        return result

    def elapsed_us(self) -> int:
        """Microseconds since the exchange began."""
        return (self.tick() - self.started) // 1000


class Telemetry:
    """The metrics of one process, and its log of exchanges."""

    def __init__(self, registry: CollectorRegistry, *, is_quiet: bool = False) -> None:
        self.registry = registry
        self._name_exchange_metrics(registry)
        self._name_delivery_metrics(registry)
        self._name_provider_metrics(registry)
        self._name_evidence_metrics(registry)
        self.loop_lag = Histogram(
            "lgsp_event_loop_lag_seconds", "How late the event loop ran a timer", buckets=LAG_BUCKETS, registry=registry
        )
        self.build = Gauge("lgsp_build_info", "Version of the program", ["version"], registry=registry, multiprocess_mode="max")
        self.catalogue = Gauge("lgsp_catalogue_info", "Digest of what is published", ["digest"], registry=registry, multiprocess_mode="max")
        self._log = structlog.wrap_logger(structlog.ReturnLogger()) if is_quiet else structlog.get_logger().bind(logger="lgsp.exchange")
        self._ended: deque[tuple[Trail, int, Outcome, int, tuple[str, str]]] = deque()

    def _name_exchange_metrics(self, registry: CollectorRegistry) -> None:
        of_outcome = ["service", "operation", "outcome", "blame"]
        of_operation = ["service", "operation"]
        self.requests = Counter("lgsp_requests_total", "Exchanges by outcome and blame", of_outcome, registry=registry)
        self.duration = Histogram(
            "lgsp_request_duration_seconds", "Duration of exchanges", of_operation, buckets=REQUEST_BUCKETS, registry=registry
        )
        self.stage = Histogram("lgsp_stage_duration_seconds", "Duration of each stage", ["stage"], buckets=STAGE_BUCKETS, registry=registry)

        self.places_limit = Gauge(
            "lgsp_exchanges_limit", "Exchanges that this process takes in at one time now", registry=registry, multiprocess_mode="livesum"
        )
        self.places_taken = Gauge("lgsp_exchanges_under_way", "Exchanges under way", registry=registry, multiprocess_mode="livesum")
        self.shed = Counter("lgsp_exchanges_shed_total", "Requests refused because of overload", registry=registry)

    def _name_delivery_metrics(self, registry: CollectorRegistry) -> None:
        provider, of_state, of_cause, of_call = ["provider"], ["provider", "state"], ["provider", "cause"], ["provider", "call"]
        self.attempts = Counter("lgsp_attempts_total", "Attempts to deliver, by what came of them", of_state, registry=registry)
        self.dead_letters = Counter("lgsp_dead_letters_total", "Messages that came to rest for a person", of_cause, registry=registry)
        self.reply_violations = Counter(
            "lgsp_reply_violations_total", "Places in answers that break the provider's contract", of_call, registry=registry
        )
        self.judged = Counter(
            "lgsp_answers_judged_total", "Answers by verdict: kept or broke a contract", ["provider", "verdict"], registry=registry
        )
        self.batches = Histogram(
            "lgsp_batch_messages", "Messages that travelled in one call", provider, buckets=BATCH_BUCKETS, registry=registry
        )
        self.claims = Histogram("lgsp_claim_duration_seconds", "Duration of claims", buckets=STAGE_BUCKETS, registry=registry)
        self.in_flight = Gauge("lgsp_in_flight", "Calls under way", provider, registry=registry, multiprocess_mode="livesum")
        self.depth = Gauge("lgsp_outbox_depth", "Stored messages by state", of_state, registry=registry, multiprocess_mode="max")
        self.drain_rate = Gauge(
            "lgsp_outbox_drain_rate",
            "Messages a second that come to rest while it is worked off",
            provider,
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.bell_faults = Counter(
            "lgsp_bell_faults_total", "What went wrong with the broker: broken, blocked, unroutable", ["cause"], registry=registry
        )
        self.oldest = Gauge(
            "lgsp_outbox_oldest_age_seconds", "Age of the oldest waiting message", provider, registry=registry, multiprocess_mode="max"
        )

    def _name_evidence_metrics(self, registry: CollectorRegistry) -> None:
        self.evidence_behind = Gauge(
            "lgsp_evidence_behind_seconds", "Age of the oldest event without a leaf", registry=registry, multiprocess_mode="livemax"
        )
        self._unconfirmed = Gauge(
            "lgsp_evidence_unconfirmed_seconds",
            "Since when a recipient of signed heads has confirmed nothing, while there is something new",
            ["recipient"],
            registry=registry,
            multiprocess_mode="livemax",
        )

    def head_unconfirmed(self, recipient: str, age_s: float) -> None:
        """Publish for how long a recipient of heads has confirmed nothing new."""
        self._unconfirmed.labels(recipient).set(age_s)

    def _name_provider_metrics(self, registry: CollectorRegistry) -> None:
        provider = ["provider"]
        self.circuit_state = Gauge(
            "lgsp_circuit_state", "0 closed, 1 half-open, 2 open", provider, registry=registry, multiprocess_mode="livemax"
        )
        self.next_probe = Gauge(
            "lgsp_circuit_next_probe_timestamp_seconds",
            "When an open circuit is probed next; 0 if it is not open",
            provider,
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.retry_budget = Gauge(
            "lgsp_retry_budget_remaining", "Retries that the window still allows", provider, registry=registry, multiprocess_mode="livemin"
        )
        self.held = Gauge("lgsp_provider_held", "1 while a hold is in force", provider, registry=registry, multiprocess_mode="livemax")

    def circuit(self, provider: str, mode: str, next_probe_at: float | None, retries_left: float, *, is_held: bool) -> None:
        """Publish how freely a provider may be called."""
        self.circuit_state.labels(provider).set(CIRCUIT_STATES[mode])
        self.next_probe.labels(provider).set(next_probe_at or 0)
        self.retry_budget.labels(provider).set(retries_left)
        self.held.labels(provider).set(is_held)

    def places(self, limit: int, taken: int) -> None:
        """Publish how many exchanges are let in at one time, and how many there are."""
        self.places_limit.set(limit)
        self.places_taken.set(taken)

    def announce(self, version: str, catalogue: Catalogue) -> None:
        """Publish build and catalogue as info metrics."""
        self.build.labels(version).set(1)
        self.catalogue.clear()
        self.catalogue.labels(catalogue.digest[:12]).set(1)

    def exchange_ended(self, trail: Trail, outcome: Outcome, status: int, fault: Fault | None = None) -> None:
        """Remember one exchange or attempt that ended now, to be counted and logged by `settle`."""
        self._ended.append((trail, trail.tick(), outcome, status, (fault.blame.value, fault.slug) if fault else ("", "")))

    def settle(self) -> None:
        """Count what ended lately and write its log lines; from any thread, and before each scrape.

        Many at once cost less than each by itself, which would be cold each time. Nothing of a payload, a name or a person is among it.
        """
        requests: Counts[tuple[str, str, str, str]] = Counts()
        durations: defaultdict[tuple[Histogram, tuple[str, ...]], Counts[int]] = defaultdict(Counts)
        with suppress(IndexError):
            while True:
                trail, ended, outcome, status, (blame, cause) = self._ended.popleft()
                service, operation = (trail.operation.service, trail.operation.name) if trail.operation else (NONE, NONE)
                elapsed_us = (ended - trail.started) // 1000
                requests[service, operation, outcome.value, blame] += 1
                durations[self.duration, (service, operation)][elapsed_us] += 1
                for stage, microseconds in trail.stages:
                    durations[self.stage, (stage,)][microseconds] += 1
                facts = {"service": service, "operation": operation, "outcome": outcome.value, "blame": blame, "cause": cause}
                self._tell(trail, status, facts, (elapsed_us / 1000, (trail.tick() - ended) / 1e9))
        for key, count in requests.items():
            self.requests.labels(*key).inc(count)
        for (histogram, labels), counts in durations.items():
            _observe_all(histogram.labels(*labels), counts)

    def _tell(self, trail: Trail, status: int, facts: Mapping[str, str], times: tuple[float, float]) -> None:
        duration_ms, ago_s = times
        self._log.info(
            "exchange",
            message_id=trail.message_id,
            trace_id=trail.trace_id,
            attempt=trail.attempt,
            consumer=trail.consumer or NONE,
            status=status,
            duration_ms=duration_ms,
            ago_s=ago_s,
            **facts,
        )

    def attempt_ended(self, provider: str, state: str, fault: Fault | None) -> None:
        """Count one attempt to deliver a stored message by the state it led to, and the dead letter if it became one."""
        self.attempts.labels(provider, state).inc()
        if state == "dead" and fault is not None:
            self.dead_letters.labels(provider, fault.slug).inc()

    def gathered(self, provider: str, messages: int) -> None:
        """So many messages travel in one call."""
        self.batches.labels(provider).observe(messages)

    def reply_invalid(self, provider: str, call: str, count: int) -> None:
        """The provider's answer breaks its own contract in `count` places; it may still be good enough."""
        self.reply_violations.labels(provider, call).inc(count)
        self._log.warning("reply_violations", provider=provider, call=call, count=count)

    def answers_judged(self, provider: str, kept: int, broken: int) -> None:
        """So many answers of a provider kept their contract, so many broke one."""
        for verdict, count in (("kept", kept), ("broken", broken)):
            self.judged.labels(provider, verdict).inc(count)

    def closed_unwritten(self, trail: Trail, cause: str) -> None:
        """The row that ends an exchange could not be written, though the provider may have acted."""
        self._log.error("closed_unwritten", message_id=trail.message_id, trace_id=trail.trace_id, cause=cause)

    def bell_failed(self, cause: str) -> None:
        """The broker is away (broken), takes nothing (blocked) or has no queue for a ring (unroutable); the sweep goes on."""
        self.bell_faults.labels(cause).inc()
        self._log.warning("bell_failed", cause=cause)

    def backlog(self, provider: str, states: Mapping[str, int], oldest_age_s: float) -> None:
        """Publish what a provider is owed."""
        for state, count in states.items():
            self.depth.labels(provider, state).set(count)
        self.oldest.labels(provider).set(oldest_age_s)


def _observe_all(histogram: Histogram, counts: Mapping[int, int]) -> None:
    """As `observe` of each duration in microseconds, one step a bucket; prometheus_client has no call for it, so its own names are used."""
    filled: defaultdict[int, int] = defaultdict(int)
    for microseconds, count in counts.items():
        filled[bisect_left(histogram._upper_bounds, microseconds / 1e6)] += count  # noqa: SLF001
    for place, count in filled.items():
        histogram._buckets[place].inc(count)  # noqa: SLF001
    histogram._sum.inc(sum(us * count for us, count in counts.items()) / 1e6)  # noqa: SLF001


def quiet_telemetry() -> Telemetry:
    """Counts for nobody and logs nothing: for exchanges that are trials."""
    return Telemetry(CollectorRegistry(), is_quiet=True)


def process_registry() -> CollectorRegistry:
    """A registry of its own, with what the process itself tells (memory, CPU, files, garbage collection)."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def exposition(telemetry: Telemetry, multiprocess_dir: str | None) -> bytes:
    """All metrics as text; with a directory, of every process that writes there."""
    telemetry.settle()
    if multiprocess_dir is None:
        return generate_latest(telemetry.registry)
    gathered = CollectorRegistry()
    multiprocess.MultiProcessCollector(gathered, path=multiprocess_dir)  # type: ignore[no-untyped-call]  # the library has no types here
    return generate_latest(gathered)
