"""How answers are judged: usually with tolerance, more or less strictly where a person ordered it; requests always strictly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lgsp.codec import json
from lgsp.errors import CodecError, Fault, MappingError, OutcomeUnknown, Violation
from lgsp.model.agreed import Pattern
from lgsp.model.conformity import Enforcement, Remark, Rigour
from lgsp.model.happening import State
from lgsp.policy.tolerance import without_unknown
from lgsp.schema import compile_schema
from tests.unit.small_hub import OPERATION, SmallHub, call

if TYPE_CHECKING:
    from lgsp.model.agreed import Call, Operation, Prepared
    from lgsp.model.happening import Exchange

PERSON = compile_schema(
    {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {"name": {"type": "string"}, "phone": {"type": "string"}},
    }
)
STRICT = replace(OPERATION, check_reply=PERSON)
NATIVE = [Violation("/MaLoai", "must be one of: 1, 2", "enum")]


class Registry:
    """A provider whose answers a test chooses, with what its own contract says against them."""

    def __init__(self, answer: Any, violations: list[Violation] | None = None, fault: Fault | None = None) -> None:
        self.answer = answer
        self.violations = violations or []
        self.fault = fault
        self.count = 0

    async def call(self, step: Call, _: Prepared, exchange: Exchange) -> Any:
        self.count += 1
        if self.violations:
            exchange.remarks.append(Remark(step.name, self.violations, json.encode(self.answer)))
        if self.fault is not None:
            raise self.fault
        return self.answer


async def hub_with(registry: Registry, rigour: Rigour | None = None, operation: Operation = STRICT, **changes: Any) -> SmallHub:
    hub = await SmallHub(operation=operation, **changes).open()
    hub.ports = replace(hub.ports, outbound=registry)
    if rigour is not None:
        await hub.store.enforce(Enforcement("e-1", "parcels", rigour, hub.now, hub.now + 60, "thử", "chi"))
    return hub


async def outcome(hub: SmallHub) -> tuple[str, Any]:
    """What the consumer gets: the answer, or the slug of its problem; and what is in quarantine, as `mode: passed`."""
    try:
        reply = json.decode((await hub.carry()).body)
    except Fault as fault:
        reply = fault.slug
    await hub.conformity.flush(hub.now)
    return reply, [(each.rigour.value, each.passed) for each in await hub.store.suspects(10)]


GOOD = {"name": "Nguyễn Văn An"}
REFUSED = "provider-reply-invalid"


@pytest.mark.parametrize(
    ("rigour", "reply", "quarantined"),
    [
        (None, GOOD, [("tolerant", True)]),
        (Rigour.OBSERVE, GOOD, []),
        (Rigour.WARN, GOOD, [("warn", True)]),
        (Rigour.BLOCK, REFUSED, [("block", False)]),
    ],
)
async def test_what_only_breaks_the_providers_contract_is_blocked_by_order_alone(
    rigour: Rigour | None, reply: Any, quarantined: Any
) -> None:
    hub = await hub_with(Registry(GOOD, NATIVE), rigour)

    assert await outcome(hub) == (reply, quarantined)


@pytest.mark.parametrize(
    ("rigour", "reply", "quarantined"),
    [
        (None, REFUSED, [("tolerant", False)]),
        (Rigour.OBSERVE, {"phone": 1}, []),
        (Rigour.WARN, {"phone": 1}, [("warn", True)]),
        (Rigour.BLOCK, REFUSED, [("block", False)]),
    ],
)
async def test_what_breaks_our_own_contract_is_blocked_unless_a_person_let_it_pass(
    rigour: Rigour | None, reply: Any, quarantined: Any
) -> None:
    hub = await hub_with(Registry({"phone": 1}), rigour)

    assert await outcome(hub) == (reply, quarantined)


@pytest.mark.parametrize(("rigour", "reply"), [(None, GOOD), (Rigour.WARN, GOOD), (Rigour.BLOCK, REFUSED)])
async def test_an_element_that_the_contract_does_not_know_is_cut_away_and_the_look_up_goes_on(rigour: Rigour | None, reply: Any) -> None:
    hub = await hub_with(Registry({**GOOD, "mother": "Trần Thị Bình"}), rigour)

    assert (await outcome(hub))[0] == reply


@pytest.mark.parametrize("rigour", list(Rigour))
async def test_no_order_releases_a_field_that_the_right_does_not_name(rigour: Rigour) -> None:
    hub = await hub_with(Registry({**GOOD, "phone": 1}), rigour, fields=frozenset({"name"}))

    reply, _ = await outcome(hub)

    assert reply in (GOOD, REFUSED)


@pytest.mark.parametrize("rigour", list(Rigour))
async def test_no_order_loosens_the_rules_of_a_request(rigour: Rigour) -> None:
    hub = await hub_with(Registry(GOOD), rigour)

    with pytest.raises(Fault) as caught:
        await hub.carry({})

    assert caught.value.slug == "body-invalid"


@pytest.mark.parametrize("rigour", list(Rigour))
async def test_what_cannot_be_translated_goes_to_nobody_and_into_quarantine(rigour: Rigour) -> None:
    def no_date(_: Any) -> Any:
        raise MappingError([Violation("/birth_date", "is no date", "date")])

    hub = await hub_with(Registry(GOOD), rigour, replace(STRICT, to_canonical=no_date))

    reply, quarantined = await outcome(hub)

    assert (reply, quarantined) == (REFUSED, [(rigour.value, False)])


async def test_an_answer_that_nobody_can_read_is_quarantined_as_it_came() -> None:
    unreadable = OutcomeUnknown("provider-not-understood", str(CodecError("is no XML")))
    hub = await hub_with(Registry("<html>", [Violation("", "is no XML", "unreadable")], unreadable))

    reply, quarantined = await outcome(hub)

    assert (reply, quarantined) == ("provider-not-understood", [("tolerant", False)])


async def test_an_order_ends_by_itself() -> None:
    hub = await hub_with(Registry(GOOD, NATIVE), Rigour.BLOCK)
    blocked, _ = await outcome(hub)
    hub.now += 60

    passed, _ = await outcome(hub)

    assert (blocked, passed) == (REFUSED, GOOD)


async def test_a_blocked_answer_of_a_call_that_nothing_protects_is_told_as_unknown_and_never_called_again() -> None:
    registry = Registry(GOOD, NATIVE)
    hub = await hub_with(registry, Rigour.BLOCK, replace(STRICT, calls=(call(safe=False),)))

    with pytest.raises(OutcomeUnknown) as caught:
        await hub.carry(idempotency_key="k1")
    with pytest.raises(Fault) as again:
        await hub.carry(idempotency_key="k1")

    assert (caught.value.slug, again.value.slug, registry.count) == (REFUSED, "key-outcome-unknown", 1)


async def test_a_stored_message_whose_answer_is_blocked_rests_for_a_person_and_is_not_sent_twice() -> None:
    registry = Registry(GOOD, NATIVE)
    hub = await hub_with(registry, Rigour.BLOCK, replace(STRICT, pattern=Pattern.ONE_WAY, calls=(call(safe=False),)))
    receipt = json.decode((await hub.carry()).body)["id"]
    await hub.deliver()
    dead = await hub.store.receipt(receipt, (await hub.store.consumers())[0].id)

    await hub.store.replay(receipt, "chi", hub.now)
    await hub.deliver()

    settled = await hub.store.receipt(receipt, (await hub.store.consumers())[0].id)
    assert (dead.state, dead.cause, settled.state, registry.count) == (State.DEAD, REFUSED, State.DELIVERED, 1)


async def test_answers_are_counted_by_provider_and_verdict_and_silence_is_none() -> None:
    registry = Registry(GOOD)
    hub = await hub_with(registry)
    await outcome(hub)
    registry.violations = NATIVE
    await outcome(hub)
    registry.violations, registry.fault = [], Fault("provider-timeout")

    await outcome(hub)

    (found,) = await hub.store.conformance(0)
    assert (found.provider, found.operation, found.answers, found.invalid) == ("land", "find", 2, 1)


async def test_of_one_kind_of_fault_the_first_few_are_kept_and_all_are_counted() -> None:
    hub = await hub_with(Registry(GOOD, NATIVE))

    for _ in range(20):
        await outcome(hub)

    (found,) = await hub.store.conformance(0)
    assert (len(await hub.store.suspects(100)), found.invalid) == (5, 20)


async def test_what_the_contract_does_not_know_is_cut_at_every_place_and_the_answer_itself_is_not_changed() -> None:
    check = compile_schema(
        {"type": "array", "items": {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "integer"}}}}
    )
    value = [{"a": 1, "c": 2}, {"d": {"e": 1}, "a": "x"}]

    kept, left = without_unknown(value, check(value), check)

    assert (kept, value[0]) == ([{"a": 1}, {"a": "x"}], {"a": 1, "c": 2})
    assert [(each.pointer, each.code) for each in left] == [("/1/a", "type")]
