"""What happens: a message, its exchange and reply, and the rows that keep them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from lgsp.model.evidence import NOTHING_DISCLOSED, Disclosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from lgsp.model.agreed import Operation
    from lgsp.model.catalogue import Catalogue
    from lgsp.model.conformity import Remark
    from lgsp.model.parties import Purpose, Right, SubsystemId


class State(StrEnum):
    """Where a stored message stands; transitions are in policy/lifecycle.py."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    DEAD = "dead"
    HELD = "held"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """How one exchange ended, as metrics and the message log tell it."""

    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    REPLAYED = "replayed"
    HANDED_OVER = "handed_over"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Speech(Protocol):
    """What a consumer said in another tongue than JSON, as a door understands it; `operation`: service, major and name."""

    operation: tuple[str, int, str]

    def read(self) -> tuple[Mapping[str, str], Any]:
        """Parameters as texts and the canonical request; a Fault names each place that breaks the contract."""

    def write(self, reply: Any) -> bytes:
        """The canonical reply in the consumer's tongue; a Fault if that cannot hold it."""


@dataclass(frozen=True, slots=True)
class Message:
    """Header and payload of one sending, as a door received it; nothing in it is trusted yet.

    path: percent-decoded, without the query. credential: the Authorization header. trace_id: 32 hex digits of `traceparent`.
    supersedes: the stored message that this one corrects. speech: in place of a JSON body and of what the path would say.
    business_key: of the messages whose receipts are asked for.
    speaker: who it is where the door knows (WS-Security, a security server), in place of a credential.
    catalogue: the snapshot that its door read it by, and that its whole exchange goes by.
    """

    id: str
    received_at: float
    method: str
    path: str
    query: Mapping[str, str]
    media_type: str
    body: bytes
    credential: str | None
    source: str
    purpose: Purpose
    idempotency_key: str | None
    trace_id: str
    supersedes: str | None = None
    speech: Speech | None = None
    speaker: SubsystemId | None = None
    business_key: str | None = None
    catalogue: Catalogue | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One passage through the platform that was identified, authorised and validated; `due` where it delivers a stored message.

    body: the canonical request as JSON. remarks: what the provider's answers broke so far; the one thing that grows on the way.
    """

    message_id: str
    received_at: float
    consumer: SubsystemId
    operation: Operation
    right: Right
    purpose: Purpose
    parameters: Mapping[str, Any]
    request: Any
    body: bytes
    trace_id: str
    due: Due | None = None
    supersedes: str | None = None
    speech: Speech | None = None
    remarks: list[Remark] = field(default_factory=list, compare=False)

    def key_at(self, path: tuple[str, ...] | None) -> str | None:
        """The text at a canonical path of the request (an order or business key), or None."""
        if path is None:
            return None
        value = self.request
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the door sends back: HTTP status, JSON body, headers.

    spoken: the body in the consumer's tongue, which nobody keeps. stream: in place of the body, piece by piece; headers tell its length.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    spoken: bytes = b""
    stream: AsyncIterator[bytes] | None = None


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A consumer's wish that one key be served once; `fingerprint` is keyed, of method, path, parameters and the body's meaning."""

    consumer: SubsystemId
    operation: str
    key: str
    fingerprint: bytes
    expires_at: float


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who holds a key already. `reply` is there once it is finished; `unknown` when its exchange died or its outcome cannot be told."""

    message_id: str
    fingerprint: bytes
    reply: Reply | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """What becomes of a claimed key when its exchange closes: `reply` is stored, or the key is released, or marked unknown."""

    claim: KeyClaim
    reply: Reply | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """The row that must be durable before the provider sees a byte. `request_digest`: keyed digest of the canonical request."""

    message_id: str
    attempt: int
    at: float
    consumer: SubsystemId
    provider: str
    service: str
    operation: str
    purpose: Purpose
    request_digest: bytes
    trace_id: str
    disclosed: Disclosed = NOTHING_DISCLOSED


@dataclass(frozen=True, slots=True)
class Closed:
    """The row that must be durable before the consumer gets its answer.

    `stages`: (stage, microseconds) in order. purpose: only where no OPENED row tells it.
    """

    message_id: str
    attempt: int
    at: float
    consumer: SubsystemId
    service: str
    operation: str
    outcome: Outcome
    status: int
    blame: str
    cause: str
    reply_digest: bytes
    duration_us: int
    stages: tuple[tuple[str, int], ...]
    trace_id: str
    disclosed: Disclosed = NOTHING_DISCLOSED
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that was accepted for delivery: header, canonical request (JSON bytes, encrypted by the store), schedule.

    part_of: the publication of which this is one subscriber's part. state: as it is written first; a publication begins as under way.
    skips_dead: once dead, it does not hold back those behind it under its order key.
    """

    message_id: str
    consumer: SubsystemId
    service: str
    major: int
    operation: str
    provider: str
    purpose: Purpose
    parameters: Mapping[str, Any]
    request: bytes
    digest: str
    order_key: str | None
    business_key: str | None
    accepted_at: float
    deadline_at: float
    trace_id: str
    supersedes: str | None = None
    part_of: str | None = None
    state: State = State.WAITING
    skips_dead: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A stored message that this worker has claimed for one attempt; `lease` is the fencing token, `attempt` counts from 1.

    began, finished: names of the unsafe calls of earlier attempts that were begun, and that were finished; what surely had no effect counts
    as not begun. denials: how often in a row the provider did not know a message whose outcome is unknown. has_failed: whether it is on
    record how an earlier attempt failed; one that died, or that could not be recorded, left nothing.
    """

    stored: Stored
    attempt: int
    lease: int
    began: frozenset[str] = frozenset()
    finished: frozenset[str] = frozenset()
    denials: int = 0
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in a mailbox, without its content; `due_at`: until when who fetched it last may take its time. `lease` counts fetches."""

    message_id: str
    consumer: SubsystemId
    service: str
    major: int
    operation: str
    provider: str
    state: State
    attempts: int
    lease: int
    accepted_at: float
    deadline_at: float
    due_at: float | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one attempt decided: the next state, when to try again, why, and the translated reply (JSON bytes) if there is one.

    due_at of `unknown`: when to ask the provider; None leaves it to a person. denials: as in Due.
    """

    state: State
    at: float
    due_at: float | None = None
    blame: str = ""
    cause: str = ""
    detail: str = ""
    status: int = 0
    reply: bytes | None = None
    denials: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a consumer may know about its stored message; `number`: its place in the feed, where it was read from there."""

    message_id: str
    service: str
    operation: str
    state: State
    attempts: int
    accepted_at: float
    settled_at: float | None
    due_at: float | None
    blame: str
    cause: str
    detail: str
    reply: bytes | None
    major: int = 1
    number: int | None = None
