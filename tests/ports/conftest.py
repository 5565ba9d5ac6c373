"""The stores that one suite holds to the same promises: memory, SQLite in a file, PostgreSQL in a schema of its own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lgsp.drivers.cipher import Cipher
from lgsp.drivers.memory import MemoryStore
from lgsp.drivers.store import migrate, open_store
from lgsp.model.happening import Closed, KeyClaim, Opened, Outcome, Stored
from lgsp.model.parties import Purpose, SubsystemId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MASTER_KEY = bytes(range(32))
CONSUMER = SubsystemId("VN/GOV/H99/onestop")
PURPOSE = Purpose("one-stop", "CB-0001", "1.004222", "H99.12.34-261123-0001", None)


@dataclass
class Clock:
    """The time as the test sets it."""

    at: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_id() -> Any:
    """Ids that grow, as UUIDv7 does."""
    counter = iter(range(1, 1_000_000))
    return lambda: str(uuid.UUID(int=(0x0192_0000_0000_7000_8000 << 48) | next(counter)))


def _url(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    return f"sqlite:///{folder / 'hub.db'}" if kind == "sqlite" else request.getfixturevalue("postgresql_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Both databases that a hub may stand on."""
    return _url(request.param, request, tmp_path)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """None for the driver in memory."""
    return None if request.param == "memory" else _url(request.param, request, tmp_path)


@pytest.fixture
async def store(store_url: str | None, clock: Clock) -> AsyncIterator[Any]:
    """Each driver in turn."""
    if store_url is None:
        yield MemoryStore(clock)
        return
    await migrate(store_url)
    opened = await open_store(store_url, Cipher(MASTER_KEY), clock)
    yield opened
    await opened.close()


@pytest.fixture
def make(new_id: Any, clock: Clock) -> Make:
    return Make(new_id, clock)


class Make:
    """Rows of the engine with what a test does not care about filled in."""

    def __init__(self, new_id: Any, clock: Clock) -> None:
        self.new_id = new_id
        self.clock = clock

    def opened(self, message_id: str | None = None, **changes: Any) -> Opened:
        row = Opened(
            message_id=message_id or self.new_id(),
            attempt=0,
            at=self.clock(),
            consumer=CONSUMER,
            provider="population",
            service="citizens",
            operation="citizenLookup",
            purpose=PURPOSE,
            request_digest=b"r" * 32,
            trace_id="0123456789abcdef" * 2,
        )
        return replace(row, **changes)

    def closed(self, message_id: str, **changes: Any) -> Closed:
        row = Closed(
            message_id=message_id,
            attempt=0,
            at=self.clock(),
            consumer=CONSUMER,
            service="citizens",
            operation="citizenLookup",
            outcome=Outcome.DELIVERED,
            status=200,
            blame="",
            cause="",
            reply_digest=b"a" * 32,
            duration_us=1234,
            stages=(("identify", 12), ("deliver", 1000)),
            trace_id="0123456789abcdef" * 2,
        )
        return replace(row, **changes)

    def key(self, key: str = "k-1", **changes: Any) -> KeyClaim:
        return replace(KeyClaim(CONSUMER, "citizens/1/citizenLookup", key, b"f" * 32, self.clock() + 86_400), **changes)

    def stored(self, **changes: Any) -> Stored:
        row = Stored(
            message_id=self.new_id(),
            consumer=CONSUMER,
            service="dossiers",
            major=1,
            operation="syncDossier",
            provider="portal",
            purpose=PURPOSE,
            parameters={"page": 2, "share": Decimal("0.50")},
            request='{"title":"Hồ sơ một cửa"}'.encode(),
            digest="sha256:abc",
            order_key=None,
            business_key=None,
            accepted_at=self.clock(),
            deadline_at=self.clock() + 3600,
            trace_id="0123456789abcdef" * 2,
        )
        return replace(row, **changes)
