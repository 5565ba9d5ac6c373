"""Sockets are closed to tests; the suites that are about sockets get loopback, and nothing else."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import asyncpg
import pytest
from kombu import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = Path(__file__).parent
LOOPBACK = ["127.0.0.1", "::1", "localhost"]
WITH_SOCKETS = frozenset({"ports", "adapters", "clients", "faults", "e2e", "security"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of suites that need sockets (pytest-socket guards the rest)."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).parts[0] in WITH_SOCKETS:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))


DATABASE_URL = os.environ.get("LGSP_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/test")
BROKER_URL = os.environ.get("LGSP_TEST_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//")


def missing(what: str) -> NoReturn:
    """Skip at home, fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
async def postgresql_url() -> AsyncIterator[str]:
    """A schema of this test's own, dropped afterwards."""
    schema = f"lgsp_test_{uuid.uuid4().hex[:12]}"
    try:
        connection = await asyncpg.connect(DATABASE_URL, timeout=3)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        missing(f"no PostgreSQL at LGSP_TEST_DATABASE_URL or the loopback: {error}")
    await connection.execute(f"CREATE SCHEMA {schema}")
    yield f"{DATABASE_URL}{'&' if '?' in DATABASE_URL else '?'}search_path={schema}"
    await connection.execute(f"DROP SCHEMA {schema} CASCADE")
    await connection.close()


@pytest.fixture
def broker_url() -> str:
    """A RabbitMQ that answers."""
    connection = Connection(BROKER_URL, connect_timeout=3)
    try:
        connection.connect()
    except OSError as error:
        missing(f"no broker at LGSP_TEST_BROKER_URL or the loopback: {error}")
    connection.release()
    return BROKER_URL


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Test material that nobody in this project wrote: LGSP_CORPORA, or ../shared/corpora beside the checkout."""
    told = os.environ.get("LGSP_CORPORA")
    folder = Path(told) if told else HERE.parent.parent / "shared" / "corpora"
    if not folder.is_dir():
        missing("the outside corpora are not here; set LGSP_CORPORA")
    return folder
