"""A node: it says what it can serve, serves what is live, and is not ready while it is behind."""

from __future__ import annotations

import pytest

from lgsp.drivers.memory import MemoryStore
from lgsp.drivers.node import AGAIN_S, FRESH_S, NodeAgent, Turn
from lgsp.drivers.rollout import StagedRollout
from lgsp.errors import ContractError, Fault, Finding, SettingsError
from lgsp.model.catalogue import Catalogue
from lgsp.model.edition import Edition, Lifespan, Node, Published, Stage
from lgsp.policy.lifespan import notices
from lgsp.ports.publishing import Decided


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


class Shop:
    """A catalogue that cannot load what the test says."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.served = Published()

    def current(self) -> Catalogue:
        return Catalogue([], [], "")

    async def rehearsed(self, published: Published) -> Catalogue:
        tried = [*published.live, *([published.staged] if published.staged else [])]
        if self.broken & {edition.digest for edition in tried}:
            raise ContractError([Finding("bundle", 0, "", "hook", "has no such hooks")])
        return self.current()

    async def adopt(self, published: Published) -> Catalogue:
        self.served = published
        return await self.rehearsed(published)


class Scene:
    """A store, one node on it, and what its process was told."""

    def __init__(self) -> None:
        self.clock, self.shop = Clock(), Shop()
        self.store = MemoryStore(self.clock)
        self.behind: list[bool] = []
        self.bound: list[dict[str, str]] = []
        turn = Turn(lambda _: None, lambda _: None, self.behind.append, lambda found: self.bound.append(dict(found)))
        self.agent = NodeAgent(self.store, self.shop, Node("node-1", "worker"), turn, self.clock)

    async def propose(self, digest: str = "sha256:1") -> Edition:
        edition = Edition(digest, "stamps", digest, "an", self.clock())
        await self.store.propose_edition(edition)
        return edition

    async def stage(self, digest: str = "sha256:1") -> Edition:
        edition = await self.propose(digest)
        await self.store.stage(edition.id, self.clock() + 100, Decided("an", self.clock()))
        return edition


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_it_confirms_what_it_can_serve_and_serves_it_once_it_is_live(scene: Scene) -> None:
    edition = await scene.stage()
    await scene.agent.look()
    missing = await scene.store.go_live(edition.id, scene.clock())
    scene.clock.at += FRESH_S
    behind = await scene.agent.is_current()

    await scene.agent.look()

    assert (list(missing), behind, await scene.agent.is_current()) == ([], False, True)
    assert [each.id for each in scene.shop.served.live] == [edition.id]
    assert scene.behind == [True, False]


async def test_a_fresh_look_vouches_for_readiness_while_the_database_is_asked_nothing(scene: Scene) -> None:
    await scene.agent.look()
    edition = await scene.stage()
    await scene.agent.look()
    await scene.store.go_live(edition.id, scene.clock())

    scene.clock.at += FRESH_S * 0.9
    fresh = await scene.agent.is_current()
    scene.clock.at += FRESH_S * 0.1

    assert (fresh, await scene.agent.is_current()) == (True, False)


async def test_it_says_why_it_cannot_serve_what_is_staged(scene: Scene) -> None:
    scene.shop.broken.add("sha256:1")
    edition = await scene.stage()

    await scene.agent.look()

    (node,) = await scene.store.go_live(edition.id, scene.clock())
    assert "no such hooks" in node.verdict


async def test_a_node_that_cannot_catch_up_stays_unready_and_tries_again_later(scene: Scene) -> None:
    edition = await scene.stage()
    await scene.store.beat(Node("other", "worker", staged=edition.id, until=scene.clock() + 1))
    await scene.store.go_live(edition.id, scene.clock())
    scene.shop.broken.add("sha256:1")

    await scene.agent.look()
    scene.shop.broken.clear()
    await scene.agent.look()
    soon = await scene.agent.is_current()
    scene.clock.at += AGAIN_S
    await scene.agent.look()

    assert (soon, await scene.agent.is_current()) == (False, True)
    assert scene.behind == [True, True, True, False]


async def test_a_node_that_leaves_beats_no_more(scene: Scene) -> None:
    await scene.agent.look()
    before = len(await scene.store.nodes(scene.clock()))

    await scene.agent.leave()
    scene.clock.at += 2
    await scene.agent.look()

    assert (before, len(await scene.store.nodes(scene.clock()))) == (1, 0)


async def test_it_is_told_what_the_hub_binds_once_for_each_change(scene: Scene) -> None:
    await scene.agent.look()
    await scene.store.bind("STAMPS_URL", "http://other", "an", 1.0)
    await scene.agent.look()
    await scene.agent.look()

    assert scene.bound == [{}, {"STAMPS_URL": "http://other"}]


async def test_bindings_that_cannot_be_used_leave_those_of_before(scene: Scene) -> None:
    def refuse(_: object) -> None:
        raise SettingsError("LGSP_BIND_X: missing")

    turn = Turn(lambda _: None, lambda _: None, scene.behind.append, refuse)
    agent = NodeAgent(scene.store, scene.shop, Node("node-2", "worker"), turn, scene.clock)

    await agent.look()

    assert [node.id for node in await scene.store.nodes(scene.clock())] == ["node-2"]


async def test_a_node_that_is_alive_and_silent_keeps_all_from_changing(scene: Scene) -> None:
    edition = await scene.propose()
    await scene.store.beat(Node("silent", "gateway", until=scene.clock() + 100))
    rollout = StagedRollout(scene.store, lambda: None, scene.clock, confirm_s=0.05)

    with pytest.raises(Fault, match="publish-refused") as refused:
        await rollout.roll_out(edition.id, Decided("an", scene.clock()))

    assert [error.detail for error in refused.value.errors] == ["silent (gateway): has not confirmed in time"]
    assert (await scene.store.published()).epoch == 0
    assert (await scene.store.published()).staged is None


async def test_without_nodes_nothing_is_published(scene: Scene) -> None:
    edition = await scene.propose()

    with pytest.raises(Fault, match="publish-refused") as refused:
        await StagedRollout(scene.store, lambda: None, scene.clock, confirm_s=0.05).roll_out(edition.id, Decided("an", scene.clock()))

    assert [error.detail for error in refused.value.errors] == ["no node is alive"]


async def test_while_one_is_published_another_one_waits(scene: Scene) -> None:
    await scene.stage("sha256:1")
    other = await scene.propose("sha256:2")

    with pytest.raises(Fault, match="publish-busy"):
        await StagedRollout(scene.store, lambda: None, scene.clock).roll_out(other.id, Decided("an", scene.clock()))


def test_a_version_without_a_known_end_only_says_that_it_is_deprecated() -> None:

    assert notices(Lifespan("citizens", 1, Stage.DEPRECATED, 1_688_169_599.5)) == (("Deprecation", "@1688169599"),)
