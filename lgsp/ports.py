"""What the engine needs from outside, in its own words; drivers provide it, `memory` among them.

# budget: every promise between the engine and its drivers stands in one place, to be read by leafing.

Every method that writes returns only when the write is durable. A driver raises errors of lgsp.errors and no others; a store that cannot
write raises Fault("record-unavailable").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.model import (
        Call,
        Catalogue,
        Closed,
        Consumer,
        Due,
        Exchange,
        KeyAnswer,
        KeyClaim,
        KeyHolder,
        Opened,
        Prepared,
        Provider,
        Quota,
        Receipt,
        Reply,
        Right,
        Ruling,
        RulingKind,
        Settlement,
        State,
        Stored,
        SubsystemId,
    )
    from lgsp.telemetry import Telemetry


class CatalogueSource(Protocol):
    """What is published now."""

    def current(self) -> Catalogue: ...


class Directory(Protocol):
    """Consumers and rights, from a snapshot at most a second old; neither method waits."""

    def consumer(self, client_id: str) -> Consumer | None: ...

    def right(self, consumer: SubsystemId, service: str, operation: str) -> Right | None: ...


class Identity(Protocol):
    """Who speaks: from the Authorization header to the client id of a consumer, or a Fault."""

    def identify(self, credential: str | None, now: float) -> str: ...


class QuotaLeases(Protocol):
    """Shared counters, leased in blocks: how many of `wanted` more calls are granted in the window that starts at `window`."""

    async def lease(self, consumer: SubsystemId, service: str, window: int, quota: Quota, wanted: int) -> int: ...


class Quotas(Protocol):
    """Spends one call of a quota; says how many are left in the window as this process sees it, -1 when it was used up."""

    async def spend(self, consumer: SubsystemId, service: str, quota: Quota, now: float) -> int: ...


class MessageLog(Protocol):
    """What happened to exchanges, append only."""

    async def opened(self, row: Opened, claim: KeyClaim | None = None) -> KeyHolder | None:
        """Write OPENED and claim the key in one transaction; if the key is held already, write nothing and say by whom."""

    async def closed(self, row: Closed, answer: KeyAnswer | None = None) -> None:
        """Write CLOSED and settle the key in one transaction."""

    def refused_unidentified(self, source: str, slug: str, at: float) -> None:
        """Count a refusal before identity, by source and minute; durable soon, not now."""

    async def close_lost(self, before: float, at: float) -> int:
        """End exchanges (attempt 0) that were OPENED before `before` and never closed, as policy/loss.py says; says how many.

        Their keys become unknown in the same transaction. One call looks at a bounded number of rows.
        """


class Outbox(Protocol):
    """Messages owed to providers."""

    async def accept(self, stored: Stored, claim: KeyClaim | None, reply: Reply) -> KeyHolder | None:
        """Write message, payload, outbox row and key (finished with `reply`) in one transaction; or say who holds the key."""

    async def claim(self, provider: str, limit: int, now: float, lease_s: float) -> Sequence[Due]:
        """Claim up to `limit` messages that are due: waiting, head of their order key; or delivering with an ended lease.

        Consumers take turns; of one consumer the most urgent (deadline, then arrival) goes first.
        """

    async def begin_call(self, due: Due, call: str, *, finished: bool) -> None:
        """Record that an unsafe call of the sequence is begun (before its first byte) or finished."""

    async def due_providers(self, now: float) -> Sequence[str]:
        """Providers that are owed something now; the sweep asks, for what no bell announced."""

    async def settle(self, due: Due, settlement: Settlement, closed: Closed) -> bool:
        """Write the settlement and CLOSED in one transaction; False, and nothing written, if another worker holds the message now."""

    async def claim_unknown(self, limit: int, now: float, lease_s: float) -> Sequence[Due]:
        """Lease up to `limit` messages whose outcome is unknown and whose provider is to be asked now."""

    async def resolve(self, due: Due, settlement: Settlement, closed: Closed) -> bool:
        """Write what an answer decided about a message that `claim_unknown` gave, and CLOSED; False if it is somebody else's by now.

        `waiting` means that the provider does not have it: the call in doubt counts as not begun.
        """


class Patience(Protocol):
    """Messages that wait for a provider to come back; what is moved here was not tried, and no attempt is counted."""

    async def postpone(self, due: Due, due_at: float) -> bool:
        """Give a claimed message back untried; False if another worker holds it by now."""

    async def hasten(self, provider: str, now: float) -> int:
        """Make due at once, in the order of their arrival, what waits because the provider or the way to it failed; says how many."""


class Receipts(Protocol):
    """What consumers may ask about their stored messages, and about what became of a request-reply."""

    async def receipt(self, message_id: str, consumer: SubsystemId) -> Receipt | None: ...


class Outbound(Protocol):
    """One call at a provider: native request out, native value back; raises Unreachable, OutcomeUnknown or another Fault."""

    async def call(self, call: Call, request: Prepared, exchange: Exchange) -> Any: ...


class ProviderStates(Protocol):
    """What people ordered about providers; every write is an act with its author."""

    def rulings(self, provider: str | None = None) -> Sequence[Ruling]:
        """Those that have not been lifted (some may have ended), of one provider or all, from a snapshot at most a second old."""

    async def rule(self, ruling: Ruling, at: float) -> None:
        """Write it; one that forces a circuit takes the place of the one before."""

    async def lift(self, provider: str, kinds: frozenset[RulingKind], author: str, at: float, ruling_id: str | None = None) -> int:
        """End the rulings of these kinds that are in force, or the one that is named even if it is to come; says how many."""


@dataclass(frozen=True, slots=True)
class Passage:
    """How many more messages may be claimed for a provider now, and whether it came back, so that those that wait are hastened first."""

    places: int
    hastens: bool = False


@dataclass(frozen=True, slots=True)
class CircuitView:
    """How a provider's circuit stands in this process; `mode` is closed, half_open or open; `ruling`: what a person ordered."""

    provider: str
    mode: str
    next_probe_at: float | None
    limit: int
    retries_left: float
    ruling: Ruling | None


class Circuits(Protocol):
    """How freely each provider may be called: this process's own experience, and what people ordered."""

    def passage(self, provider: Provider, busy: int) -> Passage:
        """Asked before messages are claimed; `busy`: how many are under way."""

    def postpones(self, due: Due) -> float | None:
        """Asked for each claimed message: None, and it is counted; or the time until which the retry budget makes it wait."""

    def probes(self) -> Mapping[str, float]:
        """When each provider whose circuit is open is to be looked at again."""

    def views(self) -> Sequence[CircuitView]: ...


class Bell(Protocol):
    """Says that messages of a provider are due; losing or doubling a ring loses or doubles nothing."""

    def ring(self, provider: str, message_ids: Sequence[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside, as one frozen bundle; `bootstrap` builds it, tests pass memory drivers.

    now: POSIX seconds. tick: monotonic nanoseconds. jitter: uniform in [0, 1). new_id: a UUIDv7 string. digest: keyed digest of bytes.
    bound: the references of a provider (`uses`) as this hub binds them, for a represented party.
    """

    catalogue: CatalogueSource
    directory: Directory
    identity: Identity
    quotas: Quotas
    log: MessageLog
    outbox: Outbox
    receipts: Receipts
    outbound: Outbound
    bell: Bell
    telemetry: Telemetry
    now: Callable[[], float]
    tick: Callable[[], int]
    jitter: Callable[[], float]
    new_id: Callable[[], str]
    digest: Callable[[bytes], bytes]
    bound: Callable[[Provider, str | None], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One row of a message's way, oldest first: when, what, and the facts that the log keeps about it.

    event and its facts (those that are known): `accepted` consumer service major operation provider trace_id deadline_at;
    `opened` consumer provider service operation trace_id; `call` name finished; `closed` outcome status blame cause duration_us stages
    ((stage, microseconds), ...); `settled` state due_at blame cause detail; `act` verb author. Identifiers of people (official, dossier)
    are no facts.
    """

    at: float
    event: str
    attempt: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """Dead letters with one cause at one provider."""

    provider: str
    service: str
    operation: str
    cause: str
    blame: str
    count: int
    oldest_at: float
    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages at rest are meant; what is empty chooses all. since, until: POSIX seconds, when they came to rest."""

    provider: str = ""
    service: str = ""
    operation: str = ""
    cause: str = ""
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the chosen messages belong to one provider, service, operation and cause."""

    provider: str
    service: str
    operation: str
    cause: str
    count: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decides about an unknown outcome: `state` is delivered, waiting (send it again) or dead."""

    state: State
    reason: str
    author: str


class RunState(StrEnum):
    """Where a replay run stands."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """Dead letters on their way back: `rate` messages a second, `done` of `total` so far."""

    id: str
    chosen: Filter
    rate: float
    total: int
    author: str
    started_at: float
    done: int = 0
    state: RunState = RunState.RUNNING
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a provider is owed: counts by state, and when the oldest waiting message was accepted."""

    provider: str
    states: Mapping[str, int]
    oldest_at: float | None


class Inspection(Protocol):
    """What operators look at; never payloads."""

    async def timeline(self, message_id: str) -> Sequence[TimelineEntry]: ...

    async def backlog(self) -> Sequence[Backlog]: ...

    async def dead(self, limit: int) -> Sequence[DeadGroup]: ...

    async def unknown(self, limit: int) -> Sequence[DeadGroup]:
        """Stored messages whose outcome is unknown, grouped as dead letters are."""

    async def count(self, state: State, chosen: Filter) -> Sequence[Share]:
        """How many messages in this state the filter chooses, for each provider, service, operation and cause."""

    async def acts(self, limit: int) -> Sequence[Act]:
        """The newest administrative acts first; every writing method of Steering, Register and People leaves one."""


class Steering(Protocol):
    """What operators change about messages; each act is a row with its author."""

    async def replay(self, message_id: str, author: str, at: float) -> str | None:
        """Move a dead or held message to waiting; returns its provider, or None if it cannot be replayed from its state."""

    async def decide(self, chosen: str | Filter, decision: Decision, at: float, limit: int) -> Sequence[tuple[str, str]]:
        """Resolve unknown messages, one by its id or up to `limit` by a filter; (message id, provider) of each.

        `again` gives a message all its attempts and its whole time anew, and its calls in doubt count as not begun.
        """


class Runs(Protocol):
    """Replays of many dead letters, worked off at a rate; each act is a row with its author."""

    async def start_run(self, run: ReplayRun) -> None: ...

    async def runs(self, limit: int) -> Sequence[ReplayRun]:
        """The newest first."""

    async def steer_run(self, run_id: str, state: RunState, author: str, at: float) -> ReplayRun | None:
        """Pause, resume or cancel a run that has not ended; None if there is none."""

    async def work_runs(self, now: float) -> Sequence[str]:
        """Move to waiting what the rate of each running run allows by now; the providers that are owed something.

        Of several nodes that call at once one moves them. A message that died after the run began is not part of it.
        """


class Register(Protocol):
    """Consumers and their secrets; each act is a row with its author."""

    async def add_consumer(self, consumer: Consumer, secret_mac: bytes, author: str, at: float) -> bool:
        """False, and nothing written, if its id or client id is taken."""

    async def add_secret(self, client_id: str, secret_mac: bytes, author: str, at: float) -> bool:
        """One more valid secret beside the others; False if there is no such consumer."""

    async def set_active(self, client_id: str, author: str, at: float, *, active: bool) -> bool:
        """Suspend a consumer or let it back in; False if there is none."""

    async def secret_macs(self, client_id: str) -> Sequence[bytes]: ...

    async def consumers(self) -> Sequence[Consumer]: ...


class Rights(Protocol):
    """Who may use what; each act is a row with its author."""

    async def grant(self, right: Right, author: str, at: float) -> None:
        """Write the right; one that stands for the same consumer, service and operation is replaced."""

    async def withdraw(self, right: Right, author: str, at: float) -> bool:
        """End the right to this consumer, service and operation; False if there is none."""

    async def rights(self) -> Sequence[Right]: ...


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who signs in to the management API; `password` is an argon2 hash."""

    name: str
    role: str
    password: str


class People(Protocol):
    """Local accounts of operators, integrators, auditors."""

    async def add_person(self, person: Person, author: str, at: float) -> bool:
        """False, and nothing written, if the name is taken."""

    async def person(self, name: str) -> Person | None: ...


class Passwords(Protocol):
    """Slow hashes of people's passwords, computed off the event loop."""

    async def digest(self, password: str) -> str: ...

    async def matches(self, digest: str | None, password: str) -> bool:
        """False for no digest too, after the same time, so that nobody learns which names exist."""


class Sessions(Protocol):
    """Short-lived signed tokens of people who signed in."""

    def issue(self, name: str, now: float) -> tuple[str, float]:
        """The token and when it ends."""

    def name(self, token: str, now: float) -> str:
        """Whose token it is, or Fault("session-invalid")."""


class SignInGuard(Protocol):
    """Slows down who guesses passwords."""

    def check(self, name: str, source: str, now: float) -> None:
        """Raise Fault("sign-in-locked") after too many failures."""

    def failed(self, name: str, source: str, now: float) -> None: ...

    def succeeded(self, name: str, source: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Act:
    """An administrative act: who did what to what, when."""

    at: float
    author: str
    verb: str
    subject: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Office:
    """The ports of the acts (what people do to a hub). `started_at`: POSIX seconds; `version` of the running hub."""

    inspection: Inspection
    steering: Steering
    runs: Runs
    register: Register
    rights: Rights
    people: People
    passwords: Passwords
    sessions: Sessions
    sign_in_guard: SignInGuard
    bell: Bell
    catalogue: CatalogueSource
    states: ProviderStates
    circuits: Circuits
    now: Callable[[], float]
    new_id: Callable[[], str]
    new_secret: Callable[[], str]
    mac: Callable[[bytes], bytes]
    started_at: float
    version: str


__all__ = [
    "Act",
    "Backlog",
    "Bell",
    "CatalogueSource",
    "CircuitView",
    "Circuits",
    "DeadGroup",
    "Decision",
    "Directory",
    "Filter",
    "Identity",
    "Inspection",
    "MessageLog",
    "Office",
    "Outbound",
    "Outbox",
    "Passage",
    "Passwords",
    "Patience",
    "People",
    "Person",
    "Ports",
    "ProviderStates",
    "QuotaLeases",
    "Quotas",
    "Receipts",
    "Register",
    "ReplayRun",
    "Rights",
    "RunState",
    "Runs",
    "Sessions",
    "Share",
    "SignInGuard",
    "Steering",
    "TimelineEntry",
]
