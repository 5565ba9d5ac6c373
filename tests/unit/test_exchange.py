"""The life of a message over memory drivers: what each stage refuses, what is recorded when, and what a stored message becomes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lgsp import exchange
from lgsp.codec import json
from lgsp.drivers.memory import MemoryStore
from lgsp.errors import BusinessRefusal, Fault, MappingError, OutcomeUnknown, Unreachable, Violation
from lgsp.model.agreed import Call, DataClass, Pattern, Quota
from lgsp.model.happening import Closed, KeyAnswer, State
from lgsp.model.parties import Purpose, Right
from lgsp.stages.hand_over import confirmed
from tests.unit.small_hub import DESK, OPERATION, SmallHub, call, wire

ONE_WAY = replace(OPERATION, pattern=Pattern.ONE_WAY, order_key=("name",))
TOO_LONG = Violation("/HoVaTen", "is longer than 50", "maxLength")


def failing(*faults: Fault | None) -> Any:
    """A provider that fails as told, one after the other, then answers."""
    left = list(faults)

    async def answer(_: Call, native: Any) -> Any:
        fault = left.pop(0) if left else None
        if fault is not None:
            raise fault
        return native

    return answer


async def events(hub: SmallHub, message_id: str) -> list[str]:
    return [entry.event for entry in await hub.store.timeline(message_id)]


async def refusal(hub: SmallHub, content: Any = None, **changes: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        await hub.carry(content, **changes)
    return caught.value


async def test_a_request_reply_comes_back_translated() -> None:
    hub = await SmallHub().open()

    reply = await hub.carry({"name": "Trần Thị Hạnh"})

    assert (reply.status, json.decode(reply.body)) == (200, {"name": "Trần Thị Hạnh"})


async def test_opened_is_written_before_the_provider_is_called_and_closed_before_the_answer() -> None:
    seen: list[list[str]] = []
    hub = SmallHub()

    async def answer(_: Call, native: Any) -> Any:
        seen.append(await events(hub, message.id))
        return native

    hub.answer = answer
    await hub.open()
    message = hub.message()

    await exchange.carry(message, hub.ports)

    assert seen == [["opened"]]
    assert await events(hub, message.id) == ["opened", "closed"]


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"credential": None}, "token-missing"),
        ({"credential": "Bearer stranger"}, "consumer-unknown"),
        ({"path": "/parcels/2/finds"}, "not-found"),
        ({"path": "/parcels/1/find"}, "not-found"),
        ({"method": "GET"}, "method-not-allowed"),
        ({"purpose": Purpose("receive-dossier", "CB001", None, "H99-1")}, "purpose-missing"),
        ({"purpose": Purpose("curiosity", "CB001", "1.0", "H99-1")}, "purpose-not-allowed"),
        ({"media_type": "text/xml"}, "media-type-unsupported"),
        ({"body": b"{"}, "malformed-body"),
        ({"body": b'{"name": 1, "name": 2}'}, "malformed-body"),
        ({"body": b"{}"}, "body-invalid"),
        ({"idempotency_key": '"' + "k" * 300 + '"'}, "idempotency-key-invalid"),
    ],
)
async def test_each_bad_request_has_its_own_problem_and_reaches_nobody(changes: dict[str, Any], slug: str) -> None:
    hub = await SmallHub().open()

    fault = await refusal(hub, **changes)

    assert fault.slug == slug
    assert hub.outbound.calls == []


async def test_a_consumer_without_a_right_learns_nothing() -> None:
    hub = await SmallHub().open()
    await hub.store.withdraw(Right(DESK, "parcels", "find", frozenset()), "test", hub.now)

    assert (await refusal(hub)).slug == (await refusal(hub, path="/no/1/such")).slug == "not-found"
    assert (await refusal(hub, method="GET")).slug == "not-found"


async def test_a_right_outside_its_window_is_forbidden() -> None:
    hub = await SmallHub().open()
    await hub.grant(not_after=hub.now - 1)

    assert (await refusal(hub)).slug == "outside-window"


async def test_an_open_service_needs_no_purpose() -> None:
    hub = await SmallHub(operation=replace(OPERATION, data_class=DataClass.OPEN)).open()

    assert (await hub.carry(purpose=Purpose())).status == 200


async def test_a_refusal_after_identity_is_a_row_and_before_it_a_count() -> None:
    hub = await SmallHub().open()
    known, unknown = hub.message(path="/nowhere"), hub.message(credential=None)
    for message in (known, unknown):
        with pytest.raises(Fault):
            await exchange.carry(message, hub.ports)

    assert await events(hub, known.id) == ["closed"]
    assert await events(hub, unknown.id) == []


async def test_the_quota_is_told_and_then_enforced() -> None:
    hub = await SmallHub(quota=Quota(2, 60)).open()

    first, second = await hub.carry(), await hub.carry()
    fault = await refusal(hub)

    assert dict(first.headers)["RateLimit"].startswith('"default";r=1;')
    assert dict(second.headers)["RateLimit"].startswith('"default";r=0;')
    assert (fault.slug, dict(fault.headers)["RateLimit-Policy"]) == ("quota-exceeded", '"default";q=2;w=60')
    hub.now += 60
    assert (await hub.carry()).status == 200


async def test_only_the_fields_of_the_right_are_released() -> None:
    hub = await SmallHub(fields=frozenset({"name", "places.code"})).open()

    reply = await hub.carry({"name": "Lê Bình", "number": "1", "places": [{"code": "01", "detail": "x"}, {"code": "02"}]})

    assert json.decode(reply.body) == {"name": "Lê Bình", "places": [{"code": "01"}, {"code": "02"}]}


async def test_an_answer_without_a_field_that_we_promise_is_the_providers_fault() -> None:
    hub = await SmallHub(operation=replace(OPERATION, check_reply=lambda _: [Violation("/name", "is missing", "required")])).open()

    fault = await refusal(hub)

    assert (fault.slug, fault.errors[0].pointer) == ("provider-reply-invalid", "/name")


async def test_a_key_gives_the_stored_answer_and_the_provider_sees_one_call() -> None:
    hub = await SmallHub().open()

    first = await hub.carry(idempotency_key='"k1"')
    again = await hub.carry(idempotency_key="k1")

    assert again.body == first.body
    assert dict(again.headers)["Idempotent-Replayed"] == "true"
    assert len(hub.outbound.calls) == 1


async def test_a_key_with_another_body_is_refused() -> None:
    hub = await SmallHub().open()
    await hub.carry(idempotency_key='"k1"')

    assert (await refusal(hub, {"name": "other"}, idempotency_key='"k1"')).slug == "idempotency-key-reused"


async def test_a_key_is_free_again_after_a_failure_that_did_nothing() -> None:
    hub = await SmallHub(answer=failing(Unreachable("provider-unreachable"))).open()
    await refusal(hub, idempotency_key='"k1"')

    assert (await hub.carry(idempotency_key='"k1"')).status == 200


async def test_an_unsafe_request_without_an_answer_is_told_unknown_and_so_is_its_key() -> None:
    operation = replace(OPERATION, calls=(call(safe=False),))
    hub = await SmallHub(operation=operation, answer=failing(OutcomeUnknown("provider-timeout"))).open()

    first = await refusal(hub, idempotency_key='"k1"')
    again = await refusal(hub, idempotency_key='"k1"')

    assert (first.slug, again.slug) == ("outcome-unknown", "key-outcome-unknown")
    assert len(hub.outbound.calls) == 1


UNSAFE = replace(OPERATION, calls=(call(safe=False),))


class FullStore(MemoryStore):
    """Its first `failures` CLOSED rows cannot be written."""

    failures = 1

    async def closed(self, row: Closed, answer: KeyAnswer | None = None) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise Fault("record-unavailable")
        await super().closed(row, answer)


async def told_unknown(hub: SmallHub) -> Fault:
    """What the caller hears of a call that acted; its key makes no second one."""
    first = await refusal(hub, idempotency_key="k1")
    again = await refusal(hub, idempotency_key="k1")
    assert (first.may_have_acted, first.retryable, again.slug) == (True, False, "key-outcome-unknown")
    assert len(hub.outbound.calls) == 1
    return first


async def test_an_unsafe_call_whose_answer_could_not_be_recorded_is_not_made_again() -> None:
    hub = await SmallHub(operation=UNSAFE, store=FullStore(lambda: 1_000_000.0)).open()

    fault = await told_unknown(hub)

    assert (fault.slug, fault.blame, fault.detail) == ("outcome-unknown", "platform", "record-unavailable")


@pytest.mark.parametrize(
    "changes",
    [
        {"check_reply": lambda _: [Violation("/name", "is missing", "required")]},
        {"to_canonical": lambda _: (_ for _ in ()).throw(MappingError([Violation("/name", "is no date", "date")]))},
    ],
)
async def test_an_unsafe_call_whose_answer_is_invalid_is_not_made_again_and_its_places_are_told(changes: dict[str, Any]) -> None:
    hub = await SmallHub(operation=replace(UNSAFE, **changes)).open()

    fault = await told_unknown(hub)

    assert (fault.slug, fault.blame, fault.errors[0].pointer) == ("provider-reply-invalid", "provider", "/name")


async def test_an_unsafe_call_is_not_made_again_where_a_later_one_fails() -> None:
    operation = replace(OPERATION, calls=(call("first", safe=False), call("second")))
    hub = await SmallHub(operation=operation, answer=failing(None, Unreachable("provider-unreachable"))).open()

    first = await refusal(hub, idempotency_key="k1")
    again = await refusal(hub, idempotency_key="k1")

    assert (first.slug, again.slug) == ("outcome-unknown", "key-outcome-unknown")
    assert [name for _, name, _ in hub.outbound.calls] == ["first", "second"]


async def test_a_caller_hears_not_to_send_an_unsafe_request_again_at_which_the_provider_failed() -> None:
    hub = await SmallHub(operation=UNSAFE, answer=failing(Fault("provider-failed", "status 500", extra={"providerMessage": "Lỗi"}))).open()

    fault = await told_unknown(hub)

    assert (fault.slug, fault.extra) == ("outcome-unknown", {"providerMessage": "Lỗi"})


async def test_a_caller_hears_not_to_send_again_even_where_that_cannot_be_recorded() -> None:
    store = FullStore(lambda: 1_000_000.0)
    store.failures = 2
    hub = await SmallHub(operation=UNSAFE, store=store).open()

    fault = await refusal(hub)

    assert (fault.slug, fault.may_have_acted) == ("outcome-unknown", True)


@pytest.mark.parametrize("changes", [{"safe": True}, {"safe": False, "key": ("name",)}])
async def test_a_call_that_may_be_repeated_keeps_its_key_free_where_its_answer_could_not_be_recorded(changes: dict[str, Any]) -> None:
    hub = await SmallHub(operation=replace(OPERATION, calls=(call(**changes),)), store=FullStore(lambda: 1_000_000.0)).open()

    fault = await refusal(hub, idempotency_key="k1")

    assert (fault.slug, fault.retryable) == ("record-unavailable", True)
    assert (await hub.carry(idempotency_key="k1")).status == 200


async def test_a_safe_request_without_an_answer_may_be_sent_again() -> None:
    hub = await SmallHub(answer=failing(OutcomeUnknown("provider-timeout"))).open()

    fault = await refusal(hub)

    assert (fault.slug, fault.retryable) == ("provider-timeout", True)


async def test_a_stored_message_is_accepted_with_a_receipt_and_rings_the_bell() -> None:
    hub = await SmallHub(operation=ONE_WAY).open()

    reply = await hub.carry()

    assert reply.status == 202
    assert dict(reply.headers)["Location"] == f"/receipts/{json.decode(reply.body)['id']}"
    assert hub.bell.rings == [("land", (json.decode(reply.body)["id"],))]
    assert hub.outbound.calls == []


async def test_a_limit_of_the_provider_is_told_at_once() -> None:
    operation = replace(ONE_WAY, calls=(call(wire=wire(lambda _: [TOO_LONG])),))
    hub = await SmallHub(operation=operation).open()

    fault = await refusal(hub)

    assert (fault.slug, fault.errors) == ("native-invalid", (TOO_LONG,))


async def test_a_value_that_cannot_be_translated_is_told_with_its_place() -> None:
    def broken(_: Any) -> Any:
        raise MappingError([Violation("/status", "is no known status", "table")])

    hub = await SmallHub(operation=replace(OPERATION, calls=(call(to_native=broken),))).open()

    assert (await refusal(hub)).errors[0].pointer == "/status"


async def receipt(hub: SmallHub, reply: Any) -> Any:
    return await hub.store.receipt(json.decode(reply.body)["id"], DESK)


async def test_a_delivered_message_carries_the_translated_answer_in_its_receipt() -> None:
    hub = await SmallHub(operation=ONE_WAY).open()
    accepted = await hub.carry({"name": "Hồ sơ 1"})

    await hub.deliver()

    kept = await receipt(hub, accepted)
    assert (kept.state, json.decode(kept.reply), kept.attempts) == (State.DELIVERED, {"name": "Hồ sơ 1"}, 1)


async def test_a_failed_attempt_is_tried_again_after_its_wait_and_only_then() -> None:
    hub = await SmallHub(operation=ONE_WAY, answer=failing(Unreachable("provider-unreachable"))).open()
    accepted = await hub.carry()
    await hub.deliver()

    assert (await receipt(hub, accepted)).state is State.WAITING
    assert await hub.deliver() == []
    hub.now += 2
    await hub.deliver()
    assert (await receipt(hub, accepted)).state is State.DELIVERED


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (BusinessRefusal("provider-refused", extra={"providerMessage": "Hồ sơ đã khóa"}), State.REFUSED),
        (Fault("provider-denied"), State.DEAD),
        (OutcomeUnknown("provider-timeout"), State.UNKNOWN),
    ],
)
async def test_what_cannot_be_tried_again_comes_to_rest(fault: Fault, state: State) -> None:
    hub = await SmallHub(operation=replace(ONE_WAY, calls=(call(safe=False),)), answer=failing(fault)).open()
    accepted = await hub.carry()

    await hub.deliver()

    assert (await receipt(hub, accepted)).state is state
    assert len(hub.outbound.calls) == 1


@pytest.mark.parametrize("slug", ["provider-failed", "provider-timeout", "no-free-place"])
async def test_an_unprotected_call_that_surely_was_not_sent_is_tried_again(slug: str) -> None:
    hub = await SmallHub(operation=replace(ONE_WAY, calls=(call(safe=False),)), answer=failing(Unreachable(slug))).open()
    accepted = await hub.carry()

    await hub.deliver()
    hub.now += 60
    await hub.deliver()

    assert (await receipt(hub, accepted)).state is State.DELIVERED
    assert len(hub.outbound.calls) == 2


async def test_a_timeout_of_a_call_with_a_key_is_tried_again() -> None:
    operation = replace(ONE_WAY, calls=(call(safe=False, key=("name",)),))
    hub = await SmallHub(operation=operation, answer=failing(OutcomeUnknown("provider-timeout"))).open()
    accepted = await hub.carry()

    await hub.deliver()
    hub.now += 60
    await hub.deliver()

    assert (await receipt(hub, accepted)).state is State.DELIVERED


async def test_attempts_are_counted_and_end_in_a_dead_letter() -> None:
    hub = await SmallHub(operation=ONE_WAY, answer=failing(*[Unreachable("provider-unreachable")] * 9)).open()
    accepted = await hub.carry()

    for _ in range(5):
        await hub.deliver()
        hub.now += 61

    kept = await receipt(hub, accepted)
    assert (kept.state, kept.attempts, kept.cause) == (State.DEAD, 3, "provider-unreachable")
    assert [group.cause for group in await hub.store.dead(10)] == ["provider-unreachable"]


async def test_a_message_that_kills_its_worker_each_time_comes_to_rest_too() -> None:
    hub = await SmallHub(operation=replace(ONE_WAY, calls=(call(safe=False, key="id"),))).open()
    accepted = await hub.carry()
    for _ in range(ONE_WAY.retry.attempts):
        (due,) = await hub.store.claim("land", 1, hub.now, 30.0)
        await hub.store.begin_call(due, "ask", finished=False)
        hub.now += 31

    await hub.deliver()

    kept = await receipt(hub, accepted)
    assert (kept.state, kept.cause) == (State.DEAD, "attempts-used-up")
    assert hub.outbound.calls == []


async def test_a_bug_in_front_of_every_call_comes_to_rest_too() -> None:
    def broken(scope: Any) -> Any:
        if hub.now > accepted_at:
            raise RuntimeError(scope)
        return dict(scope["value"])

    hub = await SmallHub(operation=replace(ONE_WAY, calls=(call(to_native=broken),))).open()
    accepted_at = hub.now
    accepted = await hub.carry()
    for _ in range(ONE_WAY.retry.attempts):
        hub.now += 31
        with pytest.raises(RuntimeError):
            await hub.deliver()

    hub.now += 31
    await hub.deliver()

    kept = await receipt(hub, accepted)
    assert (kept.state, kept.cause) == (State.DEAD, "attempts-used-up")
    assert hub.outbound.calls == []


async def test_calls_that_the_provider_was_spared_use_up_no_attempt() -> None:
    hub = await SmallHub(operation=ONE_WAY, answer=failing(*[Fault("circuit-open", retry_after_s=1)] * 9)).open()
    accepted = await hub.carry()
    for _ in range(9):
        await hub.deliver()
        hub.now += 61

    waiting = await receipt(hub, accepted)
    await hub.deliver()

    kept = await receipt(hub, accepted)
    assert (waiting.state, waiting.attempts) == (State.WAITING, 0)
    assert (kept.state, kept.attempts) == (State.DELIVERED, 1)


async def test_an_addressee_may_fetch_a_message_more_often_than_a_provider_is_tried() -> None:
    box = replace(ONE_WAY.provider, kind="mailbox")
    hub = await SmallHub(operation=replace(ONE_WAY, pattern=Pattern.MAILBOX, provider=box)).open()
    accepted = await hub.carry()

    given_out = []
    for _ in range(ONE_WAY.retry.attempts + 2):
        due = await hub.store.take(json.decode(accepted.body)["id"], hub.now + 30)
        given_out.append(await exchange.hand_over(due, hub.ports))

    assert given_out == [True] * (ONE_WAY.retry.attempts + 2)


async def test_what_an_addressee_fetches_is_closed_before_it_sees_it_and_again_when_it_confirms() -> None:
    box = replace(ONE_WAY.provider, kind="mailbox")
    hub = await SmallHub(operation=replace(ONE_WAY, pattern=Pattern.MAILBOX, provider=box)).open()
    accepted = await hub.carry()
    due = await hub.store.take(json.decode(accepted.body)["id"], hub.now + 30)

    await exchange.hand_over(due, hub.ports)
    await exchange.deliver_due(due, confirmed(hub.ports, None))

    told = [(entry.event, entry.facts.get("outcome")) for entry in await hub.store.timeline(due.stored.message_id)]
    wanted = [("opened", None), ("closed", "handed_over"), ("opened", None), ("closed", "delivered")]
    assert [each for each in told if each[0] in {"opened", "closed"}] == wanted


async def test_a_right_that_was_withdrawn_while_the_message_waited_stops_it() -> None:
    hub = await SmallHub(operation=ONE_WAY).open()
    accepted = await hub.carry()
    await hub.store.withdraw(Right(DESK, "parcels", "find", frozenset()), "test", hub.now)

    await hub.deliver()

    kept = await receipt(hub, accepted)
    assert (kept.state, kept.cause) == (State.DEAD, "right-withdrawn")
    assert hub.outbound.calls == []


@pytest.mark.parametrize(
    ("fault", "skips_dead", "rings"),
    [
        (None, False, True),
        (BusinessRefusal("provider-refused"), False, True),
        (Fault("provider-denied"), True, True),
        (Fault("provider-denied"), False, False),
        (OutcomeUnknown("provider-timeout"), True, False),
        (Unreachable("provider-unreachable"), True, False),
    ],
)
async def test_whatever_lets_the_next_of_its_order_key_pass_rings_the_bell(fault: Fault | None, *, skips_dead: bool, rings: bool) -> None:
    operation = replace(ONE_WAY, calls=(call(safe=False),), skips_dead=skips_dead)
    hub = await SmallHub(operation=operation, answer=failing(fault)).open()
    message_id = json.decode((await hub.carry()).body)["id"]
    hub.bell.rings.clear()

    await hub.deliver()

    assert hub.bell.rings == ([("land", (message_id,))] if rings else [])


async def test_messages_of_one_key_go_in_order() -> None:
    hub = await SmallHub(operation=ONE_WAY, answer=failing(Unreachable("provider-unreachable"))).open()
    for step in (1, 2):
        await hub.carry({"name": "H99-1", "step": step})
    for _ in range(4):
        await hub.deliver()
        hub.now += 3

    assert [native["step"] for _, _, native in hub.outbound.calls] == [1, 1, 2]


async def test_a_duplicate_is_sent_once_more_as_declared() -> None:
    async def portal(_: Call, native: Any) -> Any:
        return {"ok": native.get("update") == "True", "words": "đã tồn tại"}

    insert = call(
        safe=False,
        key=("name",),
        ok_when=lambda reply: reply["ok"],
        duplicate_when=lambda reply: not reply["ok"],
        again_with=((("update",), lambda _: "True"),),
    )
    hub = await SmallHub(operation=replace(ONE_WAY, calls=(insert,)), answer=portal).open()
    accepted = await hub.carry()

    await hub.deliver()

    assert (await receipt(hub, accepted)).state is State.DELIVERED
    assert [native.get("update") for _, _, native in hub.outbound.calls] == [None, "True"]


async def test_a_refusal_keeps_the_providers_words_for_the_consumer() -> None:
    async def portal(_: Call, native: Any) -> Any:
        return {"code": "-5", "message": f"Sai trạng thái của {native['name']}"}

    refused = call(safe=False, ok_when=lambda reply: reply["code"] == "0", message_path=("message",))
    hub = await SmallHub(operation=replace(ONE_WAY, calls=(refused,)), answer=portal).open()
    accepted = await hub.carry({"name": "H99-7"})

    await hub.deliver()

    kept = await receipt(hub, accepted)
    assert json.decode(kept.reply) == {"providerMessage": "Sai trạng thái của H99-7"}
    assert "H99-7" not in kept.detail


async def test_an_unsafe_call_that_an_earlier_attempt_began_is_not_made_again() -> None:
    hub = await SmallHub(operation=replace(ONE_WAY, calls=(call(safe=False),))).open()
    accepted = await hub.carry()
    (due,) = await hub.store.claim("land", 1, hub.now, 30.0)
    await hub.store.begin_call(due, "ask", finished=False)
    hub.now += 31

    await hub.deliver()

    assert (await receipt(hub, accepted)).state is State.UNKNOWN
    assert hub.outbound.calls == []


async def test_an_unsafe_call_that_never_reached_the_provider_is_made_again() -> None:
    answers = iter([Unreachable("provider-unreachable"), None])

    async def portal(_: Call, native: Any) -> Any:
        if fault := next(answers):
            raise fault
        return native

    hub = await SmallHub(operation=replace(ONE_WAY, calls=(call(safe=False),)), answer=portal).open()
    accepted = await hub.carry()
    await hub.deliver()
    hub.now += 100

    await hub.deliver()

    assert (await receipt(hub, accepted)).state is State.DELIVERED
    assert len(hub.outbound.calls) == 2


async def test_an_unsafe_call_at_which_the_provider_failed_half_way_is_not_made_again() -> None:
    async def portal(_: Call, __: Any) -> Any:
        raise Fault("provider-failed", "status 500")

    hub = await SmallHub(operation=replace(ONE_WAY, calls=(call(safe=False),)), answer=portal).open()
    accepted = await hub.carry()

    await hub.deliver()

    assert (await receipt(hub, accepted)).state is State.UNKNOWN


async def test_a_call_that_went_well_is_delivered_even_if_its_answer_died_with_the_worker() -> None:
    hub = await SmallHub(operation=replace(ONE_WAY, calls=(call(safe=False),))).open()
    accepted = await hub.carry()
    (due,) = await hub.store.claim("land", 1, hub.now, 30.0)
    await hub.store.begin_call(due, "ask", finished=False)
    await hub.store.begin_call(due, "ask", finished=True)
    hub.now += 31

    await hub.deliver()

    assert (await receipt(hub, accepted)).state is State.DELIVERED
    assert hub.outbound.calls == []


async def test_a_worker_that_wakes_up_late_cannot_write() -> None:
    hub = await SmallHub(operation=ONE_WAY).open()
    accepted = await hub.carry()
    (late,) = await hub.store.claim("land", 1, hub.now, 30.0)
    hub.now += 31
    await hub.deliver()
    written = await exchange.deliver_due(late, hub.ports)

    assert written is False
    assert (await receipt(hub, accepted)).attempts == 2
