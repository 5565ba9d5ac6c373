"""A hub in front of the archive, and a server that nobody may call, each for a whole module of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.security.archive import archive_hub
from tests.security.canary import Listener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.e2e.hub import Running
    from tests.security.archive import Archive, Canary


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Running, Archive, Canary]]:
    """Hub, archive and canary."""
    async with archive_hub(tmp_path_factory.mktemp("archive")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def hub(scene: tuple[Running, Archive, Canary]) -> AsyncIterator[Running]:
    """The hub; nobody has called the canary when the test is over."""
    yield scene[0]
    assert scene[2].calls == 0


@pytest_asyncio.fixture(loop_scope="module")
async def archive(scene: tuple[Running, Archive, Canary]) -> Any:
    """The provider, an echo again for each test."""
    scene[1].answer = None
    scene[1].seen.clear()
    return scene[1]


@pytest_asyncio.fixture(loop_scope="module")
async def canary(scene: tuple[Running, Archive, Canary]) -> Any:
    """Where attacks want the hub to call."""
    return scene[2]


@pytest.fixture(scope="module")
def listening() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.close()


@pytest.fixture
def uncalled(listening: Listener) -> Iterator[Listener]:
    """Nobody has called it when the test is over."""
    yield listening
    assert listening.paths == []
