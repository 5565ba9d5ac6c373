"""Outcomes that nobody knows: when the provider is asked, what its answers decide, and that nothing is ever sent twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lgsp import exchange
from lgsp.codec import json
from lgsp.errors import BusinessRefusal, Fault, OutcomeUnknown, Unreachable
from lgsp.model.agreed import Call, Pattern, Reconcile
from lgsp.model.happening import State
from lgsp.model.parties import Right
from tests.unit.small_hub import DESK, OPERATION, SmallHub, call

THERE, ABSENT = True, False
LOOK_UP = call("look", absent_when=lambda scope: not scope["found"])
INSERT = call("insert", safe=False, reconcile=Reconcile(LOOK_UP, after_s=30.0, confirmations=2))
ONE_WAY = replace(OPERATION, pattern=Pattern.ONE_WAY, calls=(INSERT,), order_key=("name",))


class Provider:
    """Loses the answer to the first insert; what it knows is the test's to say."""

    def __init__(self, *knows: Any) -> None:
        self.knows = list(knows)
        self.inserts = 0

    async def __call__(self, asked: Call, native: Any) -> Any:
        if asked.name == "look":
            known = self.knows.pop(0)
            if isinstance(known, Exception):
                raise known
            return {"found": known, "name": native["name"]}
        self.inserts += 1
        if self.inserts == 1:
            raise OutcomeUnknown("provider-timeout")
        return native


async def in_doubt(provider: Provider, operation: Any = ONE_WAY) -> tuple[SmallHub, str]:
    """A hub with one message whose insert was never answered."""
    hub = await SmallHub(operation=operation, answer=provider).open()
    message_id = json.decode((await hub.carry()).body)["id"]
    await hub.deliver()
    return hub, message_id


async def ask(hub: SmallHub, after_s: float = 30.0) -> list[bool]:
    hub.now += after_s
    return [await exchange.reconcile_unknown(due, hub.ports) for due in await hub.store.claim_unknown(10, hub.now, 60.0)]


async def receipt(hub: SmallHub, message_id: str) -> Any:
    return await hub.store.receipt(message_id, DESK)


async def test_nothing_is_asked_before_its_time() -> None:
    hub, message_id = await in_doubt(Provider(THERE))

    assert await ask(hub, 29.0) == []
    assert (await receipt(hub, message_id)).state is State.UNKNOWN


async def test_a_message_that_the_provider_has_is_delivered_and_never_sent_again() -> None:
    provider = Provider(THERE)
    hub, message_id = await in_doubt(provider)

    await ask(hub)

    kept = await receipt(hub, message_id)
    assert (kept.state, json.decode(kept.reply)["found"], provider.inserts) == (State.DELIVERED, True, 1)
    assert hub.bell.rings[-1] == ("land", (message_id,))


async def test_one_early_not_found_proves_nothing_and_two_send_it_again() -> None:
    provider = Provider(ABSENT, ABSENT)
    hub, message_id = await in_doubt(provider)

    await ask(hub)
    after_one = (await receipt(hub, message_id)).state
    await ask(hub)
    after_two = await receipt(hub, message_id)
    await hub.deliver()

    assert (after_one, after_two.state, after_two.cause) == (State.UNKNOWN, State.WAITING, "confirmed-absent")
    assert ((await receipt(hub, message_id)).state, provider.inserts) == (State.DELIVERED, 2)


async def test_a_found_after_a_not_found_delivers() -> None:
    provider = Provider(ABSENT, THERE)
    hub, message_id = await in_doubt(provider)

    await ask(hub)
    await ask(hub)

    assert ((await receipt(hub, message_id)).state, provider.inserts) == (State.DELIVERED, 1)


@pytest.mark.parametrize(
    "fault", [Unreachable("provider-unreachable"), BusinessRefusal("provider-refused"), OutcomeUnknown("provider-timeout")]
)
async def test_no_answer_changes_nothing_and_is_asked_for_again(fault: Fault) -> None:
    hub, message_id = await in_doubt(Provider(ABSENT, fault, ABSENT))

    await ask(hub)
    await ask(hub)
    silent = await receipt(hub, message_id)
    await ask(hub)

    assert (silent.state, silent.cause) == (State.UNKNOWN, "outcome-unknown")
    assert (await receipt(hub, message_id)).state is State.WAITING


async def test_asking_ends_with_the_deadline_and_leaves_it_to_a_person() -> None:
    hub, message_id = await in_doubt(Provider(Unreachable("provider-unreachable")))

    await ask(hub, 3599.0)

    assert await hub.store.claim_unknown(10, hub.now + 100_000, 60.0) == []
    assert (await receipt(hub, message_id)).state is State.UNKNOWN


async def test_every_question_is_opened_and_closed_in_the_log() -> None:
    hub, message_id = await in_doubt(Provider(ABSENT, THERE))
    await ask(hub)
    await ask(hub)

    events = [(entry.event, entry.facts.get("outcome") or entry.facts.get("state")) for entry in await hub.store.timeline(message_id)]

    assert events.count(("opened", None)) == 3
    assert [fact for event, fact in events if event == "closed"] == ["unknown", "unknown", "delivered"]


async def test_what_is_behind_it_in_the_order_waits_until_it_is_decided() -> None:
    provider = Provider(THERE)
    hub, _ = await in_doubt(provider)
    await hub.carry()

    blocked = await hub.deliver()
    await ask(hub)
    await hub.deliver()

    assert (blocked, provider.inserts) == ([], 2)


async def test_an_operation_without_reconcile_waits_for_a_person() -> None:
    hub, message_id = await in_doubt(Provider(), replace(ONE_WAY, calls=(replace(INSERT, reconcile=None),)))

    assert await ask(hub, 3000.0) == []
    assert [group.message_ids for group in await hub.store.unknown(5)] == [(message_id,)]


async def test_a_withdrawn_right_asks_nothing_more() -> None:
    provider = Provider(THERE)
    hub, message_id = await in_doubt(provider)
    await hub.store.withdraw(Right(DESK, "parcels", "find", frozenset()), "test", hub.now)

    await ask(hub)

    assert ((await receipt(hub, message_id)).state, provider.knows) == (State.UNKNOWN, [True])


async def test_an_answer_that_is_no_reply_of_the_operation_is_not_told_as_one() -> None:
    hub, message_id = await in_doubt(Provider(THERE), replace(ONE_WAY, check_reply=lambda _: ["/x is missing"]))

    await ask(hub)

    kept = await receipt(hub, message_id)
    assert (kept.state, kept.reply) == (State.DELIVERED, None)
