"""What was agreed: compiled from contracts, manifests and mappings when they are published; the request path parses none of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lgsp.errors import Fault
from lgsp.model.evidence import NO_TRACES, Traces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.errors import Violation
    from lgsp.model.batch import Batch
    from lgsp.model.code_tables import CodeTable
    from lgsp.model.face import SoapOffer
    from lgsp.model.parties import SubsystemId

ADDRESS = "http://address.invalid/"
"""Stands in published WSDLs for the address that whoever asks has used."""
MAILBOX, SUBSCRIBERS = "mailbox", "subscribers"
"""Kinds of providers that are not called: the addressee fetches; each subscriber has its own channel."""
CHANNELS = "channels"
"""The bell's name for everything that is owed to channels: they come and go, adapters' providers do not."""


class Pattern(StrEnum):
    """Exchange patterns (EIP). `callback` is the hub's own: an event for an address that a consumer registered."""

    REQUEST_REPLY = "request_reply"
    ONE_WAY = "one_way"
    PUBLISH = "publish"
    MAILBOX = "mailbox"
    CALLBACK = "callback"


class DataClass(StrEnum):
    """How sensitive a service's data are; `personal` needs purpose, official, public service and dossier."""

    OPEN = "open"
    INTERNAL = "internal"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class Quota:
    """How many calls (`q`) a consumer may spend in a window of `w` seconds."""

    q: int
    w: int


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of one outside call, in seconds; `total_s` includes a slowly dripping body, `read_s` is for the silence between two pieces."""

    connect_s: float = 5.0
    total_s: float = 20.0
    read_s: float | None = None


@dataclass(frozen=True, slots=True)
class RetryRule:
    """When a stored message is tried again: full jitter over `first_s * 2**n`, capped, until attempts or deadline end."""

    first_s: float = 2.0
    cap_s: float = 900.0
    attempts: int = 12
    deadline_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class SoapFault:
    """A SOAP fault; `detail` is the decoded child of `detail`, if any.

    name: the native key of the declared fault that the detail is, empty where the contract declares none such. subcode: of SOAP 1.2.
    actor: who is said to have failed (1.1), or the role in which it did (1.2).
    """

    code: str
    reason: str
    detail: Any = None
    name: str = ""
    subcode: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """How one native operation looks on the wire: bytes and back, pure.

    write: native value to request body, and what in it breaks the provider's own contract; a value that cannot be written has no body.
    locate: native value to path and query where they depend on it; without it, `path` is sent as it stands.
    decode: answer body to native value; raises `CodecError`, or returns a SoapFault. check_reply: what in an answer breaks the contract.
    read_once: decode and check_reply of the same bytes, parsed once, where the codec can. binary: local names of the answer's elements that
    are base64 wherever they stand.
    """

    method: str
    path: str
    media_type: str
    headers: tuple[tuple[str, str], ...]
    write: Callable[[Any], tuple[bytes, Sequence[Violation]]]
    decode: Callable[[bytes], Any]
    check_reply: Callable[[bytes], Sequence[Violation]]
    read_once: Callable[[bytes], tuple[Any, Sequence[Violation]]] | None = None
    locate: Callable[[Any], str] | None = None
    binary: frozenset[str] = frozenset()

    def read(self, data: bytes) -> tuple[Any, Sequence[Violation]]:
        """The native value of an answer, and what in it breaks the provider's contract; raises `CodecError`."""
        return self.read_once(data) if self.read_once is not None else (self.decode(data), self.check_reply(data))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A native request that keeps its provider's contract, and its bytes: what was judged is what is sent, to `path` (and query)."""

    native: Any
    content: bytes
    path: str


@dataclass(frozen=True, slots=True)
class Call:
    """One step at a provider.

    to_native: scope (see mapping) to native value. safe: repeating it changes nothing. key: native path whose value makes the provider
    recognise a repetition; None if it does not. binds: name under which later steps see the reply. ok_when, absent_when, duplicate_when
    judge the native reply, beside which `known` holds earlier ones (None: every decoded reply is fine; none is absent, none a duplicate).
    again_with: on a duplicate, native paths and their values for a second sending; empty: a duplicate counts as delivered.
    message_path: where the native reply says why it refuses. one_form: native and canonical are the same, the details of faults too.
    batch: several may travel as one.
    """

    name: str
    wire: Wire
    to_native: Callable[[Mapping[str, Any]], Any]
    safe: bool = False
    key: str | None = None
    binds: str | None = None
    ok_when: Callable[[Mapping[str, Any]], Any] | None = None
    absent_when: Callable[[Mapping[str, Any]], Any] | None = None
    duplicate_when: Callable[[Mapping[str, Any]], Any] | None = None
    again_with: tuple[tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Any]], ...] = ()
    message_path: tuple[str, ...] = ()
    reconcile: Reconcile | None = None
    one_form: bool = False
    batch: Batch | None = None

    def prepare(self, native: Any) -> Prepared:
        """The request as it will be sent; a Fault names each place that breaks the provider's contract."""
        content, violations = self.wire.write(native)
        if violations:
            raise Fault("native-invalid", self.name, errors=violations)
        return Prepared(native, content, self.wire.locate(native) if self.wire.locate is not None else self.wire.path)


@dataclass(frozen=True, slots=True)
class Reconcile:
    """How an unknown outcome is decided: ask by `call` from `after_s` on; "not found" counts once `confirmations` answers agree."""

    call: Call
    after_s: float = 30.0
    confirmations: int = 2


@dataclass(frozen=True, slots=True)
class Session:
    """A declared login.

    Call it (its to_native sees `uses`), read the token at `reads` of its reply, send it as `sends` in every request, and log in again when
    `renew_when` holds for a reply.
    """

    call: Call
    reads: tuple[str, ...]
    sends: str
    renew_when: Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Wss:
    """WS-Security of a SOAP provider, by names of bound references; what is empty is not wanted.

    user, password: a UsernameToken, as a digest or in clear. key, certificate: our envelopes are signed. answered_by: its answers must be
    signed by this certificate.
    """

    user: str = ""
    password: str = ""
    is_digest: bool = True
    key: str = ""
    certificate: str = ""
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class Auth:
    """How the hub proves itself to a provider.

    uses: names of bound references; headers: expressions over them, `now_ms`, `url`. signs: message id, POSIX second, body to headers.
    """

    uses: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[tuple[str, Callable[[Mapping[str, Any]], Any]], ...] = ()
    session: Session | None = None
    wss: Wss | None = None
    signs: Callable[[str, float, bytes], tuple[tuple[str, str], ...]] | None = None


@dataclass(frozen=True, slots=True)
class XRoad:
    """A provider behind an X-Road security server, by names of bound references.

    client: the hub's own subsystem. provider: theirs. service: code of a REST service (of SOAP it is the operation's name). version: of a
    SOAP service, where it has one.
    """

    client: str
    provider: str
    service: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Forward:
    """A provider behind an adapter that forwards REST calls; destination, provider_url: names of bound references; path: the adapter's."""

    destination: str
    provider_url: str
    path: str = "/XrdAdapter/RestService/forward"


@dataclass(frozen=True, slots=True)
class Provider:
    """One external system and how it is reached; `address` may be a reference (`$env.NAME`) that each hub binds.

    in_flight: calls at one time from one process. backlog: stored messages that may wait for it. gathers: messages under way for each call,
    where several travel as one. tables: code tables of its mapping.
    """

    code: str
    system: SubsystemId
    national: bool
    kind: str
    address: str
    timeouts: Timeouts
    in_flight: int
    auth: Auth = field(default_factory=Auth)
    xroad: XRoad | None = None
    forward: Forward | None = None
    backlog: int = 200_000
    gathers: int = 1
    tables: Mapping[str, CodeTable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a service, compiled: everything the request path needs, and nothing that has to be parsed again.

    read_parameters: path and query texts to typed values, with violations. check_request, check_reply: violations against our contract.
    to_canonical: scope with the last native reply to the canonical reply. order_key, business_key: canonical paths or None.
    legal_deadline: POSIX second of receipt to that of the deadline; None: retry.deadline_s counts. skips_dead: a dead one holds nobody.
    deduplicates: the same body with the same business key, sent again without an Idempotency-Key, is one message.
    requires_key: nothing is taken without an Idempotency-Key. method, path: empty where it is offered to SOAP consumers only.
    notices: headers of every answer that tell of this version's end. retired: nothing is taken any more; what was stored is delivered.
    """

    service: str
    major: int
    version: str
    name: str
    method: str
    path: str
    pattern: Pattern
    data_class: DataClass
    provider: Provider
    calls: tuple[Call, ...]
    media_types: tuple[str, ...]
    read_parameters: Callable[[Mapping[str, str]], tuple[Mapping[str, Any], Sequence[Violation]]]
    check_request: Callable[[Any], Sequence[Violation]]
    check_reply: Callable[[Any], Sequence[Violation]]
    to_canonical: Callable[[Mapping[str, Any]], Any]
    retry: RetryRule
    quota: Quota | None = None
    order_key: tuple[str, ...] | None = None
    skips_dead: bool = False
    business_key: tuple[str, ...] | None = None
    digest: str = ""
    deduplicates: bool = False
    requires_key: bool = False
    legal_deadline: Callable[[float], float] | None = None
    notices: tuple[tuple[str, str], ...] = ()
    retired: bool = False
    traces: Traces = NO_TRACES

    @property
    def granted(self) -> str:
        """The operation whose access right covers this one: `publishChange` for a subscriber's part `publishChange@VN:GOV:H99:land`."""
        return self.name.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Service:
    """One contract of a provider in one major version.

    document: the OpenAPI document, bundled, as it is published, empty where consumers speak SOAP only; soap: None where they do not.
    """

    code: str
    major: int
    version: str
    title: Mapping[str, str]
    operations: tuple[Operation, ...]
    document: Mapping[str, Any]
    digest: str
    soap: SoapOffer | None = None
