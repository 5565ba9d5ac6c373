"""A hub in memory around one adapter, in which made-up calls take the engine's own road: nothing is kept, counted or logged.

Everything waits for its answer here, also what is stored in a real hub; quotas and keys do not count; any break of the provider's contract
is told.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lgsp import exchange
from lgsp.codec import json
from lgsp.drivers.ids import Ids
from lgsp.drivers.memory import MemoryBell, MemoryCatalogue, MemoryIdentity, MemoryStore, MemoryVault
from lgsp.drivers.outbound.calls import NativeCalls
from lgsp.drivers.outbound.within import CallsWithin
from lgsp.drivers.quotas import LeasedQuotas
from lgsp.drivers.usage import SampledUsage
from lgsp.drivers.watchers import SharedWatchers
from lgsp.model.agreed import Pattern
from lgsp.model.catalogue import Catalogue
from lgsp.model.conformity import Rigour
from lgsp.model.happening import Message
from lgsp.model.parties import Consumer, Purpose, Right, SubsystemId
from lgsp.ports.engine import Ports
from lgsp.telemetry import quiet_telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.types import ASGIApp

    from lgsp.contract.adapter.folder import Adapter
    from lgsp.contract.adapter.made import Made
    from lgsp.model.agreed import Operation, Provider
    from lgsp.model.happening import Exchange, Reply

    Bound = Callable[[Provider, str | None], Mapping[str, str]]

TESTER = SubsystemId("VN/GOV/H99/lgsp-check")
PURPOSE = Purpose("kiem-tra-ket-noi", "CB-0042", "1.004873", "H99-000-0001")
"""Made up, as all that is sent in trials."""
JSON = "application/json"
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Strict:
    """The Conformity port that lets no answer pass which breaks a contract."""

    def rigour(self, service: str, now: float) -> Rigour:  # noqa: ARG002  # the port's signature
        """Conformity."""
        return Rigour.BLOCK

    def kept(self, exchange: Exchange, at: float) -> None:
        """Conformity."""

    def broken(self, exchange: Exchange, remarks: Sequence[Any], at: float, *, passed: bool) -> None:
        """Conformity."""


@dataclass(slots=True)
class Spoken:
    """A made-up call as what a door understood."""

    operation: tuple[str, int, str]
    made: Made

    def read(self) -> tuple[Mapping[str, str], Any]:
        """Speech."""
        return self.made.texts, self.made.body

    def write(self, reply: Any) -> bytes:  # noqa: ARG002  # nobody listens
        """Speech."""
        return b""


class TrialHub:
    """Speaks to `app` in this process, or (None) to the provider's bound address."""

    def __init__(self, adapter: Adapter, bound: Mapping[str, str], app: ASGIApp | None) -> None:
        services = [replace(each, operations=tuple(map(_waiting, each.operations))) for each in adapter.services]
        self._now, self._new_id, self._store = time.time, Ids(), MemoryStore(time.time)
        resolved: Bound = lambda _provider, _party: bound  # noqa: E731  # a value like the other ports
        telemetry, vault = quiet_telemetry(), MemoryVault(self._now, self._new_id)
        self._outbound = NativeCalls(resolved, self._now, telemetry, vault)
        if app is not None:
            self._outbound = CallsWithin(resolved, self._now, telemetry, vault)
            self._outbound.speaks_to = app
        self._catalogue = Catalogue(services, [adapter.provider], "trial")
        self._ports = Ports(
            catalogue=MemoryCatalogue(self._catalogue),
            directory=self._store,
            identity=MemoryIdentity(),
            proofs=self._store,
            quotas=LeasedQuotas(self._store),
            log=self._store,
            outbox=self._store,
            mailboxes=self._store,
            receipts=self._store,
            notices=self._store,
            drains=self._store,
            outbound=self._outbound,
            vault=vault,
            bell=MemoryBell(),
            watchers=SharedWatchers(self._store.at_rest),
            conformity=Strict(),
            usage=SampledUsage(self._store),
            telemetry=telemetry,
            now=self._now,
            tick=time.monotonic_ns,
            jitter=lambda: 0.5,
            new_id=self._new_id,
            digest=_digest,
            bound=resolved,
            evidence_overdue=lambda: False,
            issuer="https://lgsp.example",
        )

    async def open(self) -> None:
        """Let the tester in, and to everything."""
        now = self._now()
        await self._store.add_consumer(Consumer(TESTER, "lgsp-check", "lgsp check"), b"", "check", now)
        for service, _, name in self._catalogue.operations:
            await self._store.grant(Right(TESTER, service, name, frozenset({PURPOSE.slug or ""})), "check", now)

    async def carry(self, operation: Operation, made: Made) -> Reply:
        """The whole way of one call; raises Fault."""
        spoken = Spoken((operation.service, operation.major, operation.name), made)
        body = json.encode(made.body)
        message = Message(
            self._new_id(), self._now(), "", "", {}, JSON, body, None, "check", PURPOSE, None, TRACE, speech=spoken, speaker=TESTER
        )
        return await exchange.carry(message, self._ports)

    async def close(self) -> None:
        """Close connections."""
        await self._outbound.close()


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _waiting(operation: Operation) -> Operation:
    """The operation with an answer at once, and faults as the provider gave them."""
    calls = tuple(replace(call, safe=True, batch=None) for call in operation.calls)
    return replace(operation, pattern=Pattern.REQUEST_REPLY, calls=calls, quota=None, requires_key=False, deduplicates=False)


__all__ = ["TrialHub"]
