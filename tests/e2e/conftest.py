"""A hub that runs for a whole module of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.e2e.hub import Running, running_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A hub on SQLite with its twins; its consumer may use everything."""
    async with running_hub(tmp_path_factory.mktemp("hub")) as running:
        await running.register()
        yield running
