"""An office over memory drivers, with ids, secrets and a clock that a test can foretell."""

from __future__ import annotations

import hashlib
import hmac
import itertools

from argon2 import PasswordHasher

from lgsp.drivers.memory import MemoryBell, MemoryCatalogue, MemoryStore
from lgsp.drivers.people import ArgonPasswords, FailureCount, SignedSessions
from lgsp.model import Catalogue
from lgsp.ports import Office

PASSWORD = "a password long enough"
NOW = 1_790_000_000.0
NOTHING = Catalogue([], [], "digest-of-nothing")


def make_office(store: MemoryStore, catalogue: Catalogue = NOTHING) -> Office:
    ids = (f"id-{n}" for n in itertools.count(1))
    secrets = (f"secret-{n}" for n in itertools.count(1))
    return Office(
        inspection=store,
        steering=store,
        register=store,
        rights=store,
        people=store,
        passwords=ArgonPasswords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
        sessions=SignedSessions(b"k" * 32),
        sign_in_guard=FailureCount(),
        bell=MemoryBell(),
        catalogue=MemoryCatalogue(catalogue),
        now=lambda: NOW,
        new_id=lambda: next(ids),
        new_secret=lambda: next(secrets),
        mac=lambda secret: hmac.digest(b"master", secret, hashlib.sha256),
        started_at=NOW - 60,
        version="0.0.test",
    )
