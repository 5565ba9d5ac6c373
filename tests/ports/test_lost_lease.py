"""A node that dies in the middle of an unsafe call: the message becomes unknown, and the call is never made a second time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgsp import exchange
from lgsp.codec import json
from lgsp.model.agreed import Pattern, Reconcile
from lgsp.model.happening import State
from tests.unit.small_hub import DESK, OPERATION, SmallHub, call

UNSAFE = call("insert", safe=False)
KEYED = replace(UNSAFE, key="name")
LOOK_UP = call("look", absent_when=lambda scope: "name" not in scope)


async def after_a_crash(store, clock, changed):
    """One message whose first attempt began its call and was never heard of again; then the lease ends and another node delivers."""
    operation = replace(OPERATION, pattern=Pattern.ONE_WAY, calls=(changed,))
    hub = await SmallHub(operation=operation, store=store, now=clock()).open()
    if hasattr(store, "refresh"):
        await store.refresh()
    message_id = json.decode((await hub.carry()).body)["id"]
    (lost,) = await store.claim("land", 1, hub.now, 30.0)
    await store.begin_call(lost, "insert", finished=False)
    hub.now += 31
    clock.at = hub.now
    await hub.deliver()
    return hub, message_id, lost


async def test_an_unsafe_call_without_a_key_is_not_made_again(store, clock):
    hub, message_id, lost = await after_a_crash(store, clock, UNSAFE)

    woken_late = await exchange.deliver_due(lost, hub.ports)

    assert (await store.receipt(message_id, DESK)).state is State.UNKNOWN
    assert (woken_late, hub.outbound.calls) == (False, [])


async def test_an_unsafe_call_that_the_provider_recognises_is_made_again(store, clock):
    hub, message_id, _ = await after_a_crash(store, clock, KEYED)

    assert (await store.receipt(message_id, DESK)).state is State.DELIVERED
    assert len(hub.outbound.calls) == 1


@pytest.mark.parametrize("absent", [False, True])
async def test_the_provider_is_asked_and_decides(store, clock, absent):
    look = replace(LOOK_UP, absent_when=lambda _: absent)
    hub, message_id, _ = await after_a_crash(store, clock, replace(UNSAFE, reconcile=Reconcile(look, 5.0, 1)))
    clock.at = hub.now = hub.now + 6

    (asked,) = await store.claim_unknown(5, hub.now, 30.0)
    await exchange.reconcile_unknown(asked, hub.ports)
    await hub.deliver()

    calls = [name for _, name, _ in hub.outbound.calls]
    assert (await store.receipt(message_id, DESK)).state is State.DELIVERED
    assert calls == (["look", "insert"] if absent else ["look"])
