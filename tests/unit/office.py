"""An office over memory drivers, with ids, secrets and a clock that a test can foretell."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry

from lgsp.acts.successor import Successors
from lgsp.drivers.catalogue import Folders, LiveCatalogue
from lgsp.drivers.judge import ChildJudge
from lgsp.drivers.memory import MemoryBell, MemoryCatalogue, MemoryCheck, MemoryOutbound, MemoryStore
from lgsp.drivers.outbound.guard import GuardedCalls, Surroundings
from lgsp.drivers.people import ArgonPasswords, FailureCount, SignedSessions
from lgsp.drivers.rollout import StagedRollout
from lgsp.drivers.sealer import SigningKeys
from lgsp.model.catalogue import Catalogue
from lgsp.ports.evidence import Archive, Witness
from lgsp.ports.office import Office
from lgsp.ports.publishing import Press
from lgsp.telemetry import Telemetry

PASSWORD = "a password long enough"
NOW = 1_790_000_000.0
HUB, MAC_KEY = "https://hub.example", b"m" * 32


def digest(content: bytes) -> bytes:
    """As the hub in memory has it."""
    return hashlib.sha256(content).digest()


NOTHING = Catalogue([], [], "digest-of-nothing")


async def silence(_call: object, _native: object) -> None:
    """A provider that nobody asks here."""


def guard(store: MemoryStore, catalogue: Catalogue) -> GuardedCalls:
    calls = GuardedCalls(MemoryOutbound(silence), Surroundings(store, store, Telemetry(CollectorRegistry()), lambda: NOW, lambda: 0.5))
    calls.know(tuple(catalogue.providers.values()))
    return calls


def make_press(store: MemoryStore) -> Press:
    """Publishing over nothing: no release, no nodes."""
    shop = LiveCatalogue(Folders(Path("nowhere"), Path("nowhere")), store)
    rollout = StagedRollout(store, lambda: None, lambda: NOW)
    return Press(
        store,
        store,
        store,
        store,
        shop,
        ChildJudge(Path("nowhere")),
        rollout,
        two_persons=False,
        public="",
        bindings=store,
        given=frozenset(),
        reachable=lambda _: None,
        nudge=lambda: None,
    )


def make_office(store: MemoryStore, catalogue: Catalogue = NOTHING, engine: Any = None, trusted: Any = None) -> Office:
    """`engine`: the Ports of a hub, for the acts that send something themselves. trusted: keys of hubs whose heads are kept."""
    ids = (f"id-{n}" for n in itertools.count(1))
    secrets = (f"secret-{n}" for n in itertools.count(1))
    return Office(
        inspection=store,
        steering=store,
        runs=store,
        corrections=store,
        successors=Successors(engine),
        register=store,
        rights=store,
        enrolments=store,
        channels=store,
        people=store,
        passwords=ArgonPasswords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
        sessions=SignedSessions(b"k" * 32),
        sign_in_guard=FailureCount(),
        bell=MemoryBell(),
        catalogue=MemoryCatalogue(catalogue),
        states=store,
        circuits=guard(store, catalogue),
        press=make_press(store),
        evidence=Archive(store, store, SigningKeys(store), MemoryCheck(MAC_KEY), store, store, store, HUB, digest),
        witness=Witness(store, trusted or {}),
        enforcements=store,
        quarantine=store,
        uses=store,
        code_rows=store,
        trials=store,
        now=lambda: NOW,
        new_id=lambda: next(ids),
        new_secret=lambda: next(secrets),
        new_key=lambda: next(secrets).encode(),
        mac=lambda secret: hmac.digest(b"master", secret, hashlib.sha256),
        started_at=NOW - 60,
        version="0.0.test",
        plain_http=False,
    )
