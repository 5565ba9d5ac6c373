"""Sockets are closed to tests; the suites that are about sockets get loopback, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LOOPBACK = ["127.0.0.1", "::1", "localhost"]
WITH_SOCKETS = frozenset({"ports", "adapters", "faults", "e2e"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of suites that need sockets (pytest-socket guards the rest)."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).parts[0] in WITH_SOCKETS:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Test material that nobody in this project wrote: LGSP_CORPORA, or ../shared/corpora beside the checkout."""
    told = os.environ.get("LGSP_CORPORA")
    folder = Path(told) if told else HERE.parent.parent / "shared" / "corpora"
    if not folder.is_dir():
        reason = "the outside corpora are not here; set LGSP_CORPORA"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
