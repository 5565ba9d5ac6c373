"""What the engine needs from outside, and the frozen bundle `Ports`; `memory` is one of the drivers that provide it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from lgsp.model.agreed import Call, Prepared, Provider, Quota
    from lgsp.model.catalogue import Catalogue
    from lgsp.model.files import File
    from lgsp.model.happening import Closed, Due, Exchange, Kept, KeyAnswer, KeyClaim, KeyHolder, Opened, Receipt, Reply, Settlement, Stored
    from lgsp.model.parties import Callback, Consumer, Enrolled, Right, Ruling, RulingKind, Subscription, SubsystemId
    from lgsp.policy.drain import Drain
    from lgsp.ports.conformity import Conformity
    from lgsp.ports.usage import Usage
    from lgsp.telemetry import Telemetry


class CatalogueSource(Protocol):
    """What is published now."""

    def current(self) -> Catalogue: ...


class Directory(Protocol):
    """Consumers and rights, from a snapshot at most a second old; neither method waits."""

    def consumer(self, client_id: str) -> Consumer | None: ...

    def subsystem(self, code: SubsystemId) -> Consumer | None: ...

    def right(self, consumer: SubsystemId, service: str, operation: str) -> Right | None: ...

    def callbacks(self) -> Sequence[Callback]:
        """The registered addresses; the same object as long as none has changed."""

    def subscriptions(self) -> Sequence[Subscription]:
        """Who gets what is published; the same object as long as nothing has changed."""


class Identity(Protocol):
    """Who speaks: from the Authorization header to the client id of a consumer, or a Fault."""

    def identify(self, credential: str | None, now: float) -> str: ...

    def recall(self, credential: str) -> str | None:
        """The client id where this process knows the credential already, without proof; for counting only."""


class Proofs(Protocol):
    """What consumers prove themselves with in WS-Security, from a snapshot at most a second old; and what was shown before."""

    def certificates(self) -> Sequence[Enrolled]: ...

    def wss_passwords(self, consumer: SubsystemId) -> Sequence[str]: ...

    async def first_shown(self, mark: bytes, until: float) -> bool:
        """Remember a nonce or signature until then, for every node; False if it was shown before."""

    async def forget_shown(self, now: float) -> None:
        """Drop what need not be remembered any more."""


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
        """End exchanges and attempts that were OPENED before `before` and never closed, as policy/loss.py says; says how many.

        An attempt was closed by a row of its number that came before the message was OPENED again: who was overtaken writes nothing.
        Keys of lost exchanges become unknown in the same transaction. One call looks at a bounded number of rows.
        """


class Outbox(Protocol):
    """Messages owed to providers."""

    async def accept(self, stored: Stored, claim: KeyClaim | None, reply: Reply, parts: Sequence[Stored] = ()) -> KeyHolder | None:
        """Write message, payload, outbox row and key (finished with `reply`) in one transaction; or say who holds the key.

        `parts` are written with it, and no other way: what is owed to each subscriber of a publication.
        """

    async def claim_finished(self, provider: str, limit: int, now: float) -> Sequence[Due]:
        """Claim up to `limit` publications of this provider all of whose parts are settled."""

    async def claim(self, provider: str, limit: int, now: float, lease_s: float) -> Sequence[Due]:
        """Claim up to `limit` messages that are due: waiting, head of their order key; or delivering with an ended lease.

        Consumers take turns, across claims too, however much one of them sends; of one the most urgent (deadline, then arrival) goes first.
        """

    async def stored(self, message_id: str) -> Stored | None:
        """A message with its content, whatever its state; for a correction."""

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


class Mailboxes(Protocol):
    """Messages that are kept for their addressees; several are fetched at once by Outbox.claim, and every one is settled as any other."""

    async def kept(self, providers: Sequence[str], limit: int) -> Sequence[Kept]:
        """What is not settled, in the order of arrival."""

    async def find(self, message_id: str) -> Kept | None:
        """One message in whatever state."""

    async def take(self, message_id: str, until: float) -> Due | None:
        """Claim this one until then, whoever holds it; None if it is settled, or stands behind another of its order key."""

    async def holding(self, message_id: str, lease: int) -> Due | None:
        """What was fetched under this lease, if that is still the newest and the message is not settled."""

    async def claim_overdue(self, providers: Sequence[str], limit: int, now: float) -> Sequence[Due]:
        """Claim up to `limit` of each whose deadline is over and which nobody holds."""


class Patience(Protocol):
    """Messages that wait for a provider to come back; what is moved here was not tried, and no attempt is counted."""

    async def postpone(self, waits: Sequence[tuple[Due, float]]) -> int:
        """Give claimed messages back untried until these times, all or none; says how many, without those that others hold by now."""

    async def hand_back(self, due: Due, now: float) -> bool:
        """End the lease of a message that this process gives up, so that another claims it at once; False if it is held no more."""

    async def hasten(self, provider: str, now: float) -> int:
        """Make due at once, in the order of their arrival, what waits because the provider or the way to it failed; says how many."""


class Vault(Protocol):
    """Large parts, encrypted, streamed in and out; each belongs to the consumer for whom it was kept."""

    async def keep(self, content: AsyncIterator[bytes], consumer: SubsystemId, media_type: str, limit_bytes: int) -> File:
        """Keep what comes, durably; Fault("body-too-large") beyond the limit, and then, as after any other fault, nothing is kept."""

    async def find(self, ref: str, consumer: SubsystemId) -> File | None:
        """None where this consumer has none of that reference."""

    def read(self, file: File, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The content from byte `start` up to but without `end`; Fault("record-unavailable") where it was changed, cut or moved."""

    async def hold(self, refs: Sequence[str], message_id: str) -> None:
        """Spare these files from the sweep as long as this message is not settled, and some time longer."""


class Drains(Protocol):
    """What each provider is owed and how fast that is worked off, by all nodes together."""

    def drain(self, provider: str) -> Drain:
        """From a snapshot at most some seconds old."""

    async def measure(self, now: float) -> None:
        """Take a new snapshot; called each second."""


class Receipts(Protocol):
    """What consumers may ask about their stored messages, and about what became of a request-reply."""

    async def receipt(self, message_id: str, consumer: SubsystemId) -> Receipt | None: ...

    async def feed(self, consumer: SubsystemId, since: int, limit: int) -> Sequence[Receipt]:
        """Up to `limit` receipts of messages that came to rest, with numbers above `since`, in the order of their numbers.

        A number is given after the settlement is committed, and never twice: who goes on from the last number it saw misses nothing and
        sees nothing twice. A message that is sent again leaves the feed, and comes back with a new number.
        """

    async def parts(self, message_id: str) -> Sequence[Receipt]:
        """How a publication stands at each subscriber, in the order of the subscriptions; nothing for any other message."""

    async def about(self, business_key: str, consumer: SubsystemId, limit: int) -> Sequence[Receipt]:
        """Receipts of this consumer's messages with this business key, the newest first."""

    async def at_rest(self, message_ids: Sequence[str]) -> Sequence[str]:
        """Those of these messages that are no longer under way."""


class Notices(Protocol):
    """What registered callback addresses are still to be told of."""

    async def behind(self) -> Sequence[tuple[SubsystemId, int]]:
        """Active consumers with an address and with receipts that it was not told of, and the last number that it was."""

    async def owe(self, consumer: SubsystemId, span: tuple[int, int], events: Sequence[Stored]) -> bool:
        """Write messages that tell of the numbers in `span` (after, up to), once; False if another node did, or the address is gone."""


class Watchers(Protocol):
    """Who waits, for a moment, for a message to come to rest."""

    def tell(self, message_id: str) -> None:
        """It came to rest here; who waits for it wakes."""

    async def wait(self, message_id: str, wait_s: float) -> None:
        """Return when it came to rest, wherever that was, or after `wait_s`; at once where too many wait already."""

    def release(self) -> None:
        """Let everybody go; nobody waits from now on."""


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
    """How many more messages may be claimed for a provider now, and whether it came back, so that those that wait are hastened first.

    hastens: said until Circuits.hastened is told that it is done.
    flows: it is called freely, so that a call may carry as many messages as it holds; not only probed.
    """

    places: int
    hastens: bool = False
    flows: bool = False


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

    def hastened(self, provider: Provider) -> None:
        """Told after what waits for it was hastened."""

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
    evidence_overdue: whether sealing is so far behind that personal data have to wait.
    bound: the references of a provider (`uses`) as this hub binds them, for a represented party. issuer: the hub's own URI.
    """

    catalogue: CatalogueSource
    directory: Directory
    identity: Identity
    proofs: Proofs
    quotas: Quotas
    log: MessageLog
    outbox: Outbox
    mailboxes: Mailboxes
    receipts: Receipts
    notices: Notices
    drains: Drains
    outbound: Outbound
    vault: Vault
    bell: Bell
    watchers: Watchers
    conformity: Conformity
    usage: Usage
    telemetry: Telemetry
    now: Callable[[], float]
    tick: Callable[[], int]
    jitter: Callable[[], float]
    new_id: Callable[[], str]
    digest: Callable[[bytes], bytes]
    bound: Callable[[Provider, str | None], Mapping[str, str]]
    evidence_overdue: Callable[[], bool]
    issuer: str
