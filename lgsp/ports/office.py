"""What the acts need: what operators look at and change, the register, people; and the frozen bundle `Office`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.model.happening import State
    from lgsp.model.parties import Callback, Consumer, Enrolled, Right, Subscription, SubsystemId
    from lgsp.ports.code_tables import CodeRows
    from lgsp.ports.conformity import Enforcements, Quarantine
    from lgsp.ports.engine import Bell, CatalogueSource, Circuits, ProviderStates
    from lgsp.ports.evidence import Archive, Witness
    from lgsp.ports.publishing import Press
    from lgsp.ports.trials import Trials
    from lgsp.ports.usage import Uses


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One row of a message's way, oldest first: when, what, and the facts that the log keeps about it.

    event and its facts (those that are known): `accepted` consumer service major operation provider trace_id deadline_at;
    `opened` consumer provider service operation trace_id; `call` name finished; `closed` outcome status blame cause duration_us stages
    ((stage, microseconds), ...); `settled` state due_at blame cause detail; `act` verb author reason run. Never identifiers of people.
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
    """Which messages are meant; what is empty chooses all. since, until: POSIX seconds, when they came to rest; if they wait, arrived."""

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
    """What a person decides about an unknown outcome (delivered; waiting: send it again; dead), or about any message (held, cancelled)."""

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
        """Resolve unknown messages, one or up to `limit`; `again` gives all attempts and time anew, and no call in doubt is begun."""

    async def lay(
        self, chosen: str | Filter, ruling: Decision, at: float, most: int, states: frozenset[State]
    ) -> Sequence[tuple[str, str]]:
        """Set aside (held) or take back (cancelled) what is in one of these states, chosen as in `decide`."""


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


class CorrectionState(StrEnum):
    """Where a proposed correction stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Correction:
    """A new body for a stored message; `successor`: the message that took its place. A decided one keeps no body."""

    id: str
    message_id: str
    body: bytes
    reason: str
    author: str
    at: float
    state: CorrectionState = CorrectionState.PROPOSED
    decided_by: str = ""
    decided_at: float | None = None
    successor: str | None = None


@dataclass(frozen=True, slots=True)
class Ruled:
    """What was decided about a correction, by whom, when; `proposed`: its sending failed, and it stands again."""

    state: CorrectionState
    author: str
    at: float


class Corrections(Protocol):
    """Corrections that people propose; each act is a row with its author."""

    async def propose(self, correction: Correction) -> None: ...

    async def corrections(self, limit: int) -> Sequence[Correction]:
        """The newest first, without their bodies."""

    async def correction(self, correction_id: str, reader: str, at: float) -> Correction | None:
        """With its body; that it was read is an act."""

    async def standing(self, correction_id: str) -> Correction | None: ...

    async def unsent(self, before: float) -> Sequence[Correction]:
        """With their bodies (`standing` is without): approved before then, and not known as sent."""

    async def decide_correction(self, correction_id: str, ruled: Ruled) -> bool:
        """Of several who decide at once one does; False if it is not there or was decided."""

    async def succeed(self, correction_id: str, successor: str) -> None:
        """An approved one was accepted as this message."""


class Successors(Protocol):
    """Messages that take the place of stored ones, as if their consumer had sent them."""

    async def check(self, message_id: str, body: bytes) -> None:
        """Raise the Fault with which the engine would refuse it."""

    async def accept(self, message_id: str, body: bytes, successor_id: str) -> None:
        """Judge, translate and store it in the place of the message, under this id; nothing happens if that was done before."""


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


class Channels(Protocol):
    """How consumers are reached; each act is a row with its author."""

    def callbacks(self) -> Sequence[Callback]: ...

    async def set_callback(self, callback: Callback, author: str, at: float) -> bool:
        """Write it; False where the consumer has one: its address and language are changed then, its secret and its place are kept.

        A new one is told of what comes to rest from now on.
        """

    async def renew_secret(self, consumer: SubsystemId, secret: bytes, former_until: float, author: str, at: float) -> bool:
        """Sign with this secret from now on, and with the former until its end; False if there is no address."""

    async def remove_callback(self, consumer: SubsystemId, author: str, at: float) -> bool: ...

    def subscriptions(self) -> Sequence[Subscription]: ...

    async def subscribe(self, subscription: Subscription, author: str, at: float) -> None:
        """Write it; one of the same subscriber to the same operation is replaced."""

    async def unsubscribe(self, subscription: Subscription, author: str, at: float) -> bool:
        """End it, whatever its channel; False if there is none."""


class Enrolments(Protocol):
    """Certificates and WS-Security passwords of consumers; each act is a row with its author."""

    async def enrol(self, enrolled: Enrolled, author: str, at: float) -> bool:
        """False, and nothing written, if this certificate is enrolled; Fault("not-found") if the consumer is not registered."""

    async def end_enrolment(self, consumer: SubsystemId, fingerprint: str, author: str, at: float) -> bool:
        """False if this consumer has no such certificate."""

    async def add_wss_password(self, consumer: SubsystemId, password: str, author: str, at: float) -> bool:
        """Beside the newest one, which stays valid, older ones end; False if the consumer is not registered."""

    def certificates(self) -> Sequence[Enrolled]: ...


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
    """The ports of the acts. started_at: POSIX seconds; plain_http: callback addresses may be http and this machine (development, test)."""

    inspection: Inspection
    steering: Steering
    runs: Runs
    corrections: Corrections
    successors: Successors
    register: Register
    rights: Rights
    enrolments: Enrolments
    channels: Channels
    people: People
    passwords: Passwords
    sessions: Sessions
    sign_in_guard: SignInGuard
    bell: Bell
    catalogue: CatalogueSource
    states: ProviderStates
    circuits: Circuits
    press: Press
    evidence: Archive
    witness: Witness
    enforcements: Enforcements
    quarantine: Quarantine
    uses: Uses
    code_rows: CodeRows
    trials: Trials
    now: Callable[[], float]
    new_id: Callable[[], str]
    new_secret: Callable[[], str]
    new_key: Callable[[], bytes]
    mac: Callable[[bytes], bytes]
    started_at: float
    version: str
    plain_http: bool
