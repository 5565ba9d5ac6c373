"""Corrections: kept sealed, decided once, forgotten when they are decided; every step leaves an act."""

from __future__ import annotations

from lgsp.model.happening import Reply
from lgsp.ports.office import Correction, CorrectionState, Ruled

ACCEPTED = Reply(202, b"{}")
BODY = '{"title":"Hồ sơ đã sửa"}'.encode()


def proposed(make, message_id: str) -> Correction:
    return Correction(make.new_id(), message_id, BODY, "sai tên", "an", 10.0)


async def test_a_stored_message_is_read_back_with_its_content(store, make):
    stored = make.stored(order_key="H99-1", business_key="H99-1")
    await store.accept(stored, None, ACCEPTED)

    assert await store.stored(stored.message_id) == stored
    assert await store.stored(make.new_id()) is None


async def test_a_correction_is_read_with_its_body_only_one_by_one(store, make):
    correction = proposed(make, make.new_id())

    await store.propose(correction)

    assert [each.body for each in await store.corrections(10)] == [b""]
    assert await store.correction(correction.id, "binh", 11.0) == correction
    assert [(act.author, act.verb) for act in await store.acts(2)] == [("binh", "read_correction"), ("an", "propose_correction")]


async def test_a_correction_is_decided_once(store, make):
    correction = proposed(make, make.new_id())
    await store.propose(correction)

    first = await store.decide_correction(correction.id, Ruled(CorrectionState.APPROVED, "binh", 12.0))
    second = await store.decide_correction(correction.id, Ruled(CorrectionState.REJECTED, "chi", 13.0))

    (found,) = await store.corrections(10)
    assert (first, second) == (True, False)
    assert (found.state, found.decided_by, found.decided_at) == (CorrectionState.APPROVED, "binh", 12.0)


async def test_what_could_not_be_sent_is_proposed_again(store, make):
    correction = proposed(make, make.new_id())
    await store.propose(correction)
    await store.decide_correction(correction.id, Ruled(CorrectionState.APPROVED, "binh", 12.0))

    reopened = await store.decide_correction(correction.id, Ruled(CorrectionState.PROPOSED, "binh", 12.0))

    found = await store.correction(correction.id, "binh", 14.0)
    assert (reopened, found.state, found.body) == (True, CorrectionState.PROPOSED, BODY)


async def test_what_was_approved_and_is_not_known_as_sent_is_told_with_its_body(store, make):
    lost, sent, waiting = (proposed(make, make.new_id()) for _ in range(3))
    for each in (lost, sent, waiting):
        await store.propose(each)
    for each in (lost, sent):
        await store.decide_correction(each.id, Ruled(CorrectionState.APPROVED, "binh", 12.0))
    await store.succeed(sent.id, sent.id)

    assert [(each.id, each.body) for each in await store.unsent(20.0)] == [(lost.id, BODY)]
    assert list(await store.unsent(12.0)) == []
    assert (await store.standing(lost.id)).state is CorrectionState.APPROVED
    assert await store.standing(make.new_id()) is None


async def test_a_decided_correction_keeps_no_body(store, make):
    sent, rejected = proposed(make, make.new_id()), proposed(make, make.new_id())
    for each in (sent, rejected):
        await store.propose(each)

    await store.decide_correction(sent.id, Ruled(CorrectionState.APPROVED, "binh", 12.0))
    successor = make.new_id()
    await store.succeed(sent.id, successor)
    await store.decide_correction(rejected.id, Ruled(CorrectionState.REJECTED, "an", 12.0))

    found = [await store.correction(each.id, "chi", 14.0) for each in (sent, rejected)]
    acts = [act for act in await store.acts(20) if act.subject == successor]
    assert [(each.body, each.successor) for each in found] == [(b"", successor), (b"", None)]
    assert [(act.author, act.facts["proposed_by"], act.facts["supersedes"]) for act in acts] == [("binh", "an", sent.message_id)]
