"""Who takes part, and what they may do: consumers, their rights and purposes, and what people order about providers.

Identifiers of parties follow X-Road: `instance/memberClass/memberCode/subsystem`, for example `VN/GOV/H99/onestop`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from lgsp.model.agreed import Quota

SubsystemId = NewType("SubsystemId", str)

HUB = SubsystemId("hub")
"""The hub itself, as the sender of what it owes its consumers."""
CALLBACKS = "callbacks"
"""The service, offered to nobody, whose operations are the registered callback addresses."""


@dataclass(frozen=True, slots=True)
class Right:
    """A consumer may use an operation, for these purposes, these answer fields (None: all), in this window."""

    consumer: SubsystemId
    service: str
    operation: str
    purposes: frozenset[str]
    fields: frozenset[str] | None = None
    not_before: float = 0.0
    not_after: float = float("inf")
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class Consumer:
    """A subsystem that may call the hub; `client_id` is what it shows at /token."""

    id: SubsystemId
    client_id: str
    title: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A certificate by whose signatures a consumer is known (WS-Security); fingerprint: SHA-256 in hex; not_after: POSIX seconds."""

    consumer: SubsystemId
    fingerprint: str
    subject: str
    pem: str
    not_after: float


@dataclass(frozen=True, slots=True)
class Proven:
    """Who sent an envelope, and as much of it as the proof covers."""

    consumer: SubsystemId
    document: bytes


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why the data are asked for: the five request headers of our own; none of them is ever logged outside the evidence."""

    slug: str | None = None
    official: str | None = None
    public_service: str | None = None
    dossier: str | None = None
    represented_party: str | None = None


class RulingKind(StrEnum):
    """What a person may order about a provider: its circuit forced open or closed, or the provider held (announced maintenance)."""

    OPEN = "open"
    CLOSED = "closed"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A person's order about a provider, from `from_at` until `until_at`, with its reason; every node obeys within a second."""

    id: str
    provider: str
    kind: RulingKind
    from_at: float
    until_at: float
    reason: str
    author: str

    def holds_at(self, at: float) -> bool:
        """Whether it is in force."""
        return self.from_at <= at < self.until_at


@dataclass(frozen=True, slots=True)
class Callback:
    """An address that a person registered for a consumer; each of `secrets` signs what is sent there until its end (POSIX seconds).

    language: vi or en, of the texts that are sent.
    """

    consumer: SubsystemId
    url: str
    language: str
    secrets: tuple[tuple[bytes, float], ...] = field(repr=False)


def channel_name(subsystem: SubsystemId) -> str:
    """A subsystem as one word: VN/GOV/H99/land as VN:GOV:H99:land."""
    return subsystem.replace("/", ":")


def callback_provider(subsystem: SubsystemId) -> str:
    """The provider that a registered callback address is."""
    return f"callback:{channel_name(subsystem)}"


class ChannelKind(StrEnum):
    """How a subscriber gets what is published: called at its registered address, or kept in its mailbox."""

    CALLBACK = "callback"
    MAILBOX = "mailbox"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subsystem gets everything that is published by one operation, whoever publishes it, by one channel."""

    service: str
    operation: str
    subscriber: SubsystemId
    channel: ChannelKind

    @property
    def name(self) -> str:
        """The operation by which this subscriber is reached: publishChange@VN:GOV:H99:land."""
        return f"{self.operation}@{channel_name(self.subscriber)}"

    @property
    def provider(self) -> str:
        """The provider that the subscriber's channel is."""
        return f"{self.channel}:{channel_name(self.subscriber)}"
