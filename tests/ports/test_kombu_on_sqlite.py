"""Why the database is the record and the broker a bell: kombu over SQLite loses for ever what a consumer held when it died.

Its transport marks a message invisible and commits before it hands it over, so nobody finds it again; over RabbitMQ the broker does.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from kombu import Connection

DIES_WITH_A_MESSAGE = """
import os, sys
from kombu import Connection
queue = Connection(sys.argv[1]).SimpleQueue(sys.argv[2])
queue.get(timeout=5)
os._exit(9)
"""


@pytest.fixture(params=["sqlite", "rabbitmq"])
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    return request.param, f"sqla+sqlite:///{tmp_path / 'kombu.db'}" if request.param == "sqlite" else request.getfixturevalue("broker_url")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_message_dies_with_its_consumer_on_sqlite_and_survives_it_on_rabbitmq(transport: tuple[str, str]) -> None:
    kind, url = transport
    name = f"lgsp_test_{uuid.uuid4().hex[:12]}"
    with Connection(url) as connection:
        queue = connection.SimpleQueue(name)
        queue.put({"id": "Hồ sơ H99-0001"})
        died = subprocess.run([sys.executable, "-c", DIES_WITH_A_MESSAGE, url, name], timeout=30, check=False)
        try:
            left = queue.get(timeout=2).payload
        except queue.Empty:
            left = None
        queue.close()
        connection.channel().queue_delete(name)

    assert died.returncode == 9
    assert left == (None if kind == "sqlite" else {"id": "Hồ sơ H99-0001"})
