"""Editions: staged one at a time, live on every node alive or on none; history with its authors; every driver alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgsp.model.edition import Edition, EditionState, Lifespan, Node, Stage
from lgsp.ports.publishing import Bundle, Decided

BUNDLE = Bundle("sha256:" + "a" * 64, "population", b"bytes of an archive" * 100)


def proposed(make, digest: str = "sha256:1", adapter: str = "population", **more) -> Edition:
    return Edition(make.new_id(), adapter, digest, "an", make.clock(), changes=("breaking: a field",), **more)


async def staged(store, make, clock, **more) -> Edition:
    edition = proposed(make, **more)
    await store.propose_edition(edition)
    assert await store.stage(edition.id, clock() + 15, Decided("binh", clock()))
    return edition


def confirming(edition: Edition, name: str = "node-1", **more) -> Node:
    return replace(Node(name, "gateway,worker", 0, edition.id, "", 2_000_000_000.0), **more)


async def live(store, make, clock, **more) -> Edition:
    edition = await staged(store, make, clock, **more)
    await store.beat(confirming(edition))
    assert await store.go_live(edition.id, clock()) == []
    return edition


async def test_a_bundle_is_kept_once_and_read_back(store):
    first = await store.keep_bundle(BUNDLE, "an", 10.0)
    second = await store.keep_bundle(BUNDLE, "binh", 11.0)

    assert (first, second) == (True, False)
    assert await store.bundle(BUNDLE.digest) == BUNDLE
    assert await store.bundle("sha256:other") is None
    assert [(act.author, act.verb, act.subject) for act in await store.acts(5)] == [("an", "upload_bundle", "population")]


async def test_nothing_is_published_at_first(store):
    published = await store.published()

    assert (published.epoch, list(published.live), published.staged, dict(published.lifespans)) == (0, [], None, {})


async def test_an_edition_that_every_node_confirms_goes_live(store, make, clock):
    edition = await live(store, make, clock, reason="thêm trường", keeps=("sha256:0",))

    published = await store.published()
    (found,) = published.live
    assert (published.epoch, published.staged) == (1, None)
    assert (found.state, found.author, found.decided_by, found.live_at) == (EditionState.LIVE, "an", "binh", clock())
    assert (found.reason, tuple(found.changes), tuple(found.keeps)) == ("thêm trường", ("breaking: a field",), ("sha256:0",))
    assert await store.edition(edition.id) == found
    assert [(act.author, act.verb) for act in await store.acts(2)] == [("binh", "publish"), ("an", "propose_publish")]


@pytest.mark.parametrize(
    "other",
    [
        {"staged": ""},
        {"verdict": "LGSP_BIND_X: missing"},
        {"staged": "01920000-0000-7000-8000-00000000ffff"},
    ],
)
async def test_one_node_that_has_not_confirmed_keeps_all_from_changing(store, make, clock, other):
    edition = await staged(store, make, clock)
    await store.beat(confirming(edition))
    slow = confirming(edition, "node-2", **other)
    await store.beat(slow)

    missing = await store.go_live(edition.id, clock())

    assert list(missing) == [slow]
    assert (await store.published()).epoch == 0
    assert (await store.edition(edition.id)).state is EditionState.STAGED


async def test_a_node_whose_lease_is_over_is_not_waited_for(store, make, clock):
    edition = await staged(store, make, clock)
    await store.beat(confirming(edition))
    await store.beat(Node("node-2", "gateway", until=clock() - 1))

    missing = await store.go_live(edition.id, clock())

    assert list(missing) == []
    assert [node.id for node in await store.nodes(clock())] == ["node-1"]


async def test_without_any_node_nothing_goes_live(store, make, clock):
    edition = await staged(store, make, clock)

    assert await store.go_live(edition.id, clock())
    assert (await store.published()).epoch == 0


async def test_one_edition_is_staged_at_a_time_until_its_time_is_over(store, make, clock):
    first, second = await staged(store, make, clock), proposed(make, adapter="portal")
    await store.propose_edition(second)

    refused = await store.stage(second.id, clock() + 15, Decided("an", clock() + 14))
    taken = await store.stage(second.id, clock() + 40, Decided("an", clock() + 16))

    assert (refused, taken) == (False, True)
    assert (await store.edition(first.id)).state is EditionState.REFUSED
    assert (await store.published()).staged.id == second.id
    assert list(await store.go_live(first.id, clock() + 17))


async def test_the_former_edition_of_the_same_adapter_is_superseded(store, make, clock):
    first = await live(store, make, clock)
    clock.at += 1
    other = await live(store, make, clock, adapter="portal")
    clock.at += 1
    second = await live(store, make, clock, digest="sha256:2")

    published = await store.published()
    assert {each.id for each in published.live} == {other.id, second.id}
    assert (await store.edition(first.id)).state is EditionState.SUPERSEDED
    assert [each.id for each in await store.editions("population", 10)] == [second.id, first.id]
    assert len(await store.editions("", 2)) == 2


async def test_a_refused_edition_keeps_its_reasons_and_frees_the_stage(store, make, clock):
    edition = await staged(store, make, clock)

    ended = await store.end_edition(edition.id, EditionState.REFUSED, Decided("binh", 20.0, ("node-2: no such hooks",)))
    again = await store.end_edition(edition.id, EditionState.REFUSED, Decided("binh", 21.0))

    found = await store.edition(edition.id)
    assert (ended, again) == (True, False)
    assert (found.state, tuple(found.refusals)) == (EditionState.REFUSED, ("node-2: no such hooks",))
    assert (await store.published()).staged is None


async def test_only_a_proposed_edition_is_rejected(store, make, clock):
    edition = proposed(make)
    await store.propose_edition(edition)

    assert await store.end_edition(edition.id, EditionState.REJECTED, Decided("binh", 20.0))
    assert not await store.stage(edition.id, clock() + 15, Decided("an", clock()))
    assert not await store.end_edition("no-id", EditionState.REJECTED, Decided("binh", 20.0))


async def test_a_word_about_a_version_is_published_and_takes_the_place_of_the_one_before(store):
    await store.set_lifespan(Lifespan("citizens", 1, Stage.DEPRECATED, 10.0, 99.0, 2, "an"))
    await store.set_lifespan(Lifespan("citizens", 1, Stage.RETIRED, 20.0, author="binh"))

    published = await store.published()
    assert published.epoch == 2
    assert published.lifespans == {("citizens", 1): Lifespan("citizens", 1, Stage.RETIRED, 20.0, author="binh")}
    assert [(act.author, act.verb, act.subject) for act in await store.acts(2)] == [
        ("binh", "retired", "citizens/1"),
        ("an", "deprecated", "citizens/1"),
    ]


async def test_a_node_that_leaves_is_gone(store, clock):
    await store.beat(Node("node-1", "gateway", until=clock() + 5))
    await store.beat(Node("node-1", "gateway", 3, until=clock() + 6))
    before = [(node.id, node.epoch) for node in await store.nodes(clock())]

    await store.leave("node-1")

    assert before == [("node-1", 3)]
    assert list(await store.nodes(clock())) == []


async def test_what_a_hub_binds_is_read_back_and_ends_without_its_value_in_any_act(store):
    await store.bind("POPULATION_SECRET", "bí mật một", "an", 10.0)
    first = await store.bindings()
    await store.bind("POPULATION_SECRET", "bí mật hai", "an", 11.0)
    second, same = await store.bindings(), await store.bindings()
    ended, again = await store.unbind("POPULATION_SECRET", "binh", 12.0), await store.unbind("POPULATION_SECRET", "binh", 13.0)

    assert (dict(first), dict(second)) == ({"POPULATION_SECRET": "bí mật một"}, {"POPULATION_SECRET": "bí mật hai"})
    assert second is same
    assert (ended, again, dict(await store.bindings())) == (True, False, {})
    acts = await store.acts(3)
    assert [(act.author, act.verb, act.subject) for act in acts] == [
        ("binh", "unbind", "POPULATION_SECRET"),
        ("an", "bind", "POPULATION_SECRET"),
        ("an", "bind", "POPULATION_SECRET"),
    ]
    assert "mật" not in repr(acts)
