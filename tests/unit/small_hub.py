"""A hub in memory with one provider, for tests of the exchange: time, answers and rights are the test's to set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from lgsp import exchange
from lgsp.codec import json
from lgsp.drivers.conformity import GatheredConformity
from lgsp.drivers.memory import MemoryBell, MemoryCatalogue, MemoryIdentity, MemoryOutbound, MemoryStore, MemoryVault
from lgsp.drivers.quotas import LeasedQuotas
from lgsp.drivers.usage import SampledUsage
from lgsp.drivers.watchers import SharedWatchers
from lgsp.errors import Violation
from lgsp.model.agreed import Call, DataClass, Operation, Pattern, Provider, Quota, RetryRule, Service, Timeouts, Wire
from lgsp.model.catalogue import Catalogue
from lgsp.model.happening import Message, Reply
from lgsp.model.parties import Consumer, Purpose, Right, SubsystemId
from lgsp.ports.engine import Ports
from lgsp.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DESK = SubsystemId("VN/GOV/H99/onestop")
PURPOSE = Purpose("receive-dossier", "CB001", "1.000001", "H99.1-261123-0001")


def no_violations(_: Any) -> list[Violation]:
    return []


def needs_name(value: Any) -> list[Violation]:
    return [] if isinstance(value, dict) and "name" in value else [Violation("/name", "is missing", "required")]


def wire(check: Callable[[Any], list[Violation]] = no_violations) -> Wire:
    return Wire("POST", "/", "application/json", (), lambda native: (json.encode(native), check(native)), json.decode, no_violations)


def call(name: str = "ask", **changes: Any) -> Call:
    return replace(Call(name, wire(), lambda scope: dict(scope["value"]), safe=True), **changes)


PROVIDER = Provider(
    code="land",
    system=SubsystemId("VN/GOV/H99/land"),
    national=False,
    kind="rest",
    address="http://127.0.0.1:1",
    timeouts=Timeouts(),
    in_flight=4,
)

OPERATION = Operation(
    service="parcels",
    major=1,
    version="1.0.0",
    name="find",
    method="POST",
    path="/finds",
    pattern=Pattern.REQUEST_REPLY,
    data_class=DataClass.PERSONAL,
    provider=PROVIDER,
    calls=(call(),),
    media_types=("application/json",),
    read_parameters=lambda raw: (raw, []),
    check_request=needs_name,
    check_reply=no_violations,
    to_canonical=lambda scope: scope["value"],
    retry=RetryRule(first_s=2.0, cap_s=60.0, attempts=3, deadline_s=3600.0),
)


@dataclass
class SmallHub:
    """What a test steers and looks at."""

    operation: Operation = OPERATION
    answer: Callable[[Call, Any], Awaitable[Any]] | None = None
    fields: frozenset[str] | None = None
    quota: Quota | None = None
    now: float = 1_000_000.0
    store: Any = None
    evidence_overdue: bool = False
    outbound: MemoryOutbound = field(init=False)
    bell: MemoryBell = field(default_factory=MemoryBell)
    ports: Ports = field(init=False)
    conformity: GatheredConformity = field(init=False)
    usage: SampledUsage = field(init=False)

    async def open(self) -> SmallHub:
        self.store = self.store or MemoryStore(lambda: self.now)
        self.outbound = MemoryOutbound(self.answer or echo)
        service = Service("parcels", 1, "1.0.0", {"vi": "Thửa đất", "en": "Parcels"}, (self.operation,), {}, "d1")
        ticks, ids = count(0, 1000), count(1)
        self.usage = SampledUsage(self.store)
        self.conformity = GatheredConformity(
            self.store, Telemetry(CollectorRegistry()), lambda: f"00000000-0000-7000-a000-{next(ids):012d}"
        )
        self.ports = Ports(
            catalogue=MemoryCatalogue(Catalogue([service], [PROVIDER], "d1")),
            directory=self.store,
            identity=MemoryIdentity(),
            proofs=self.store,
            quotas=LeasedQuotas(self.store),
            log=self.store,
            outbox=self.store,
            mailboxes=self.store,
            receipts=self.store,
            notices=self.store,
            drains=self.store,
            outbound=self.outbound,
            vault=MemoryVault(lambda: self.now, lambda: f"00000000-0000-7000-9000-{next(ids):012d}"),
            bell=self.bell,
            watchers=SharedWatchers(self.store.at_rest),
            conformity=self.conformity,
            usage=self.usage,
            telemetry=Telemetry(CollectorRegistry()),
            now=lambda: self.now,
            tick=lambda: next(ticks),
            jitter=lambda: 0.5,
            new_id=lambda: f"00000000-0000-7000-8000-{next(ids):012d}",
            digest=lambda content: hashlib.sha256(content).digest(),
            bound=lambda _provider, _party: {"address": "http://127.0.0.1:1"},
            evidence_overdue=lambda: self.evidence_overdue,
            issuer="https://hub.example",
        )
        await self.store.add_consumer(Consumer(DESK, "desk", "Một cửa"), b"mac", "test", self.now)
        await self.grant()
        return self

    async def grant(self, **changes: Any) -> None:
        right = Right(DESK, "parcels", "find", frozenset({"receive-dossier"}), self.fields, quota=self.quota)
        await self.store.grant(replace(right, **changes), "test", self.now)

    def message(self, content: Any = None, **changes: Any) -> Message:
        message = Message(
            id=self.ports.new_id(),
            received_at=self.now,
            method="POST",
            path="/parcels/1/finds",
            query={},
            media_type="application/json",
            body=json.encode({"name": "Nguyễn Văn An"} if content is None else content),
            credential="Bearer desk",
            source="127.0.0.1",
            purpose=PURPOSE,
            idempotency_key=None,
            trace_id="0af7651916cd43dd8448eb211c80319c",
        )
        return replace(message, **changes)

    async def carry(self, content: Any = None, **changes: Any) -> Reply:
        return await exchange.carry(self.message(content, **changes), self.ports)

    async def deliver(self) -> list[bool]:
        """One attempt of everything that is due."""
        claimed = await self.store.claim("land", 10, self.now, 30.0)
        return [await exchange.deliver_due(due, self.ports) for due in claimed]


async def echo(_: Call, native: Any) -> Any:
    return native
