"""Personal data move only while every access leaves its proof."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgsp.errors import Fault
from lgsp.model.agreed import DataClass, Pattern
from lgsp.model.happening import State
from tests.unit.small_hub import OPERATION, SmallHub


async def test_personal_data_are_refused_while_sealing_is_overdue_and_the_provider_hears_nothing():
    hub = await SmallHub(evidence_overdue=True).open()

    with pytest.raises(Fault) as refused:
        await hub.carry()

    assert (refused.value.slug, refused.value.problem.status, refused.value.retry_after_s) == ("evidence-behind", 503, 10)
    assert hub.outbound.calls == []


async def test_other_data_are_carried_all_the_same():
    hub = await SmallHub(operation=replace(OPERATION, data_class=DataClass.INTERNAL), evidence_overdue=True).open()

    assert (await hub.carry()).status == 200


async def test_a_stored_message_waits_without_using_up_an_attempt_and_goes_on_when_sealing_does():
    hub = await SmallHub(operation=replace(OPERATION, pattern=Pattern.ONE_WAY)).open()
    reply = await hub.carry()
    hub.evidence_overdue = True
    await hub.deliver()
    waiting = [receipt.state for receipt in await receipts(hub)]
    hub.evidence_overdue, hub.now = False, hub.now + 60

    await hub.deliver()

    (receipt,) = await receipts(hub)
    assert (reply.status, waiting, receipt.state, receipt.attempts) == (202, [State.WAITING], State.DELIVERED, 1)


async def receipts(hub):
    ids = [row.message_id for row, _ in hub.store.rows][:1]
    return [await hub.store.receipt(message_id, "VN/GOV/H99/onestop") for message_id in ids]
