"""The same body about the same matter is one message, where the manifest says so and the client sends no Idempotency-Key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgsp.codec import json
from lgsp.errors import Fault
from lgsp.model.agreed import Pattern
from lgsp.model.happening import State
from tests.unit.small_hub import DESK, OPERATION, SmallHub

ONE_WAY = replace(OPERATION, pattern=Pattern.ONE_WAY, business_key=("name",), deduplicates=True)
FIRST, UPDATE = {"name": "H99-1", "step": 1}, {"name": "H99-1", "step": 2}


def message_id(reply):
    return json.decode(reply.body)["id"]


async def test_the_same_body_again_gives_the_same_receipt_and_one_message() -> None:
    hub = await SmallHub(operation=ONE_WAY).open()

    first, again = await hub.carry(FIRST), await hub.carry(FIRST)
    await hub.deliver()

    assert message_id(first) == message_id(again)
    assert dict(again.headers)["Idempotent-Replayed"] == "true"
    assert len(hub.outbound.calls) == 1


async def test_another_body_about_the_same_matter_is_a_new_message() -> None:
    hub = await SmallHub(operation=ONE_WAY).open()

    receipts = {message_id(await hub.carry(body)) for body in (FIRST, UPDATE)}

    assert len(receipts) == 2


async def test_after_a_day_the_same_body_is_a_new_message() -> None:
    hub = await SmallHub(operation=ONE_WAY).open()
    first = await hub.carry(FIRST)
    hub.now += 86_401

    assert message_id(await hub.carry(FIRST)) != message_id(first)


async def test_a_client_that_sends_keys_says_itself_what_is_the_same() -> None:
    hub = await SmallHub(operation=ONE_WAY).open()

    receipts = {message_id(await hub.carry(FIRST, idempotency_key=key)) for key in (None, '"a"', '"b"', '"a"')}

    assert len(receipts) == 3


@pytest.mark.parametrize("operation", [replace(ONE_WAY, deduplicates=False), replace(ONE_WAY, business_key=("none",))])
async def test_without_the_declaration_or_the_key_every_sending_is_a_message(operation) -> None:
    hub = await SmallHub(operation=operation).open()

    assert message_id(await hub.carry(FIRST)) != message_id(await hub.carry(FIRST))


async def test_a_correction_names_the_message_whose_place_it_takes() -> None:
    hub = await SmallHub(operation=ONE_WAY).open()
    old = message_id(await hub.carry(FIRST))

    new = message_id(await hub.carry(UPDATE, supersedes=old))
    await hub.deliver()

    assert (await hub.store.receipt(old, DESK)).state is State.SUPERSEDED
    assert (await hub.store.receipt(new, DESK)).state is State.DELIVERED
    assert [native["step"] for _, _, native in hub.outbound.calls] == [2]


async def test_a_correction_of_another_message_under_the_same_key_is_another_request() -> None:
    hub = await SmallHub(operation=ONE_WAY).open()
    old = message_id(await hub.carry(FIRST))
    await hub.carry(UPDATE, idempotency_key="k", supersedes=old)

    with pytest.raises(Fault, match="idempotency-key-reused"):
        await hub.carry(UPDATE, idempotency_key="k", supersedes=hub.ports.new_id())


@pytest.mark.parametrize(("operation", "supersedes"), [(ONE_WAY, "not an id"), (OPERATION, "00000000-0000-7000-8000-000000000009")])
async def test_a_correction_of_nothing_is_malformed(operation, supersedes) -> None:
    hub = await SmallHub(operation=operation).open()

    with pytest.raises(Fault, match="malformed-request"):
        await hub.carry(FIRST, supersedes=supersedes)
