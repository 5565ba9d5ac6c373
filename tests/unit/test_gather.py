"""Requests that travel together: when they wait for one another, and how each hears its own outcome."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from lgsp.codec import json
from lgsp.contract.adapter.batches import compile_batch, list_and_item
from lgsp.drivers.memory import MemoryOutbound
from lgsp.drivers.outbound.gather import GatheredCalls
from lgsp.errors import Fault, OutcomeUnknown
from lgsp.model.agreed import Call
from lgsp.model.happening import Due, Exchange, Stored
from lgsp.model.parties import Purpose, Right
from lgsp.telemetry import Telemetry
from tests.unit.small_hub import DESK, OPERATION, PROVIDER, call

OUTCOMES = {"at": "result", "id": "code", "gives": {"error": "error", "message": "words"}}


def well(reply):
    return reply["error"] == "0"


def batched(max_items: int = 5, max_wait_s: float = 5.0, outcomes: Any = None) -> Call:
    declared = {"max_items": max_items, "max_wait_s": max_wait_s} | ({"outcomes": outcomes} if outcomes else {})
    return call("sync", safe=False, key="data.0.code", ok_when=well, batch=compile_batch(declared, "data.0.code", well))


def request(code: str, mode: str = "new") -> dict[str, Any]:
    return {"mode": mode, "data": [{"code": code}]}


class Provider:
    """Answers when the test lets it; `answer` makes the reply of the items that came together."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer or (lambda _: {"error": "0", "message": "fine", "result": []})
        self.calls: list[list[str]] = []
        self.opened = asyncio.Event()
        self.opened.set()
        self.gathered = GatheredCalls(MemoryOutbound(self._called), Telemetry(CollectorRegistry()))

    async def _called(self, _call: Call, native: Any) -> Any:
        codes = [item["code"] for item in native["data"]]
        self.calls.append(codes)
        await self.opened.wait()
        told = self.answer(codes)
        if isinstance(told, Fault):
            raise told
        return told

    async def ask(self, declared: Call, code: str, mode: str = "new", party: str | None = None, *, stored: bool = True) -> Any:
        native = request(code, mode)
        provider = replace(PROVIDER, gathers=4, in_flight=4)
        purpose = Purpose(represented_party=party)
        right = Right(DESK, "parcels", "find", frozenset())
        operation = replace(OPERATION, provider=provider)
        exchange = Exchange(code, 0.0, DESK, operation, right, purpose, {}, native, json.encode(native), "0" * 32)
        kept = Stored(code, DESK, "parcels", 1, "find", "land", purpose, {}, b"{}", "", None, None, 0.0, 1.0, "0" * 32)
        due = Due(kept, 1, 1) if stored else None
        return await self.gathered.call(declared, declared.prepare(native), replace(exchange, due=due))

    async def ask_all(self, declared: Call, codes: str) -> list[Any]:
        return await asyncio.gather(*[self.ask(declared, code) for code in codes], return_exceptions=True)


async def test_what_comes_at_one_moment_travels_together_and_each_hears_that_it_went_well() -> None:
    provider = Provider()

    replies = await provider.ask_all(batched(), "abc")

    assert provider.calls == [["a", "b", "c"]]
    assert [reply["error"] for reply in replies] == ["0"] * 3


async def test_a_lone_message_waits_for_nobody_and_travels_as_it_is() -> None:
    provider = Provider()
    loop = asyncio.get_running_loop()
    began = loop.time()

    await provider.ask(batched(max_wait_s=30), "a")

    assert (provider.calls, loop.time() - began < 5) == ([["a"]], True)


async def test_while_one_call_is_under_way_the_next_ones_gather_until_it_is_back() -> None:
    provider, declared = Provider(), batched(max_items=9, max_wait_s=30)
    provider.opened.clear()
    first = asyncio.create_task(provider.ask(declared, "a"))
    await asyncio.sleep(0.05)
    rest = [asyncio.create_task(provider.ask(declared, code)) for code in "bcd"]
    await asyncio.sleep(0.05)
    gathered = list(provider.calls)

    provider.opened.set()
    await asyncio.gather(first, *rest)

    assert gathered == [["a"]]
    assert provider.calls == [["a"], ["b", "c", "d"]]


async def test_nobody_waits_longer_than_was_declared_and_a_full_list_goes_at_once() -> None:
    provider, declared = Provider(), batched(max_items=2, max_wait_s=0.1)
    provider.opened.clear()
    tasks = [asyncio.create_task(provider.ask(declared, "a"))]
    await asyncio.sleep(0.03)
    tasks += [asyncio.create_task(provider.ask(declared, code)) for code in "bcd"]
    async with asyncio.timeout(5):
        while len(provider.calls) < 3:
            await asyncio.sleep(0.01)

    provider.opened.set()
    await asyncio.gather(*tasks)

    assert provider.calls == [["a"], ["b", "c"], ["d"]]


async def test_only_what_is_equal_but_for_its_item_travels_together() -> None:
    provider, declared = Provider(), batched()

    await asyncio.gather(
        provider.ask(declared, "a"),
        provider.ask(declared, "b", mode="update"),
        provider.ask(declared, "c", party="VN/GOV/H99/xa"),
        provider.ask(declared, "d"),
        provider.ask(declared, "e", stored=False),
    )

    assert sorted(provider.calls) == [["a", "d"], ["b"], ["c"], ["e"]]


async def test_rows_of_the_answer_tell_each_its_own_outcome() -> None:
    rows = [{"code": "a", "error": "0", "words": "fine"}, {"code": "b", "error": "-5", "words": "Thiếu ngày hẹn trả"}]
    provider = Provider(lambda codes: {"error": "1", "message": "some failed", "result": rows if len(codes) > 1 else []})

    a, b = await provider.ask_all(batched(outcomes=OUTCOMES), "ab")

    assert provider.calls == [["a", "b"]]
    assert (a["error"], a["message"]) == ("0", "fine")
    assert (b["error"], b["message"], b["result"]) == ("-5", "Thiếu ngày hẹn trả", [rows[1]])


async def test_where_the_answer_does_not_tell_which_each_is_sent_alone_and_one_bad_item_fails_no_other() -> None:
    provider = Provider(lambda codes: {"error": "-5" if "b" in codes else "0", "message": "", "result": []})

    replies = await provider.ask_all(batched(), "abc")

    assert provider.calls[0] == ["a", "b", "c"]
    assert sorted(provider.calls[1:]) == [["a"], ["b"], ["c"]]
    assert [reply["error"] for reply in replies] == ["0", "-5", "0"]


async def test_an_item_that_the_rows_leave_out_is_sent_alone() -> None:
    rows = [{"code": "a", "error": "0", "words": "fine"}]
    provider = Provider(lambda codes: {"error": "1" if len(codes) > 1 else "0", "message": "", "result": rows if len(codes) > 1 else []})

    replies = await provider.ask_all(batched(outcomes=OUTCOMES), "ab")

    assert provider.calls == [["a", "b"], ["b"]]
    assert [reply["error"] for reply in replies] == ["0", "0"]


async def test_a_call_that_fails_fails_for_all_who_travelled_in_it() -> None:
    provider = Provider(lambda _: OutcomeUnknown("provider-timeout"))

    replies = await provider.ask_all(batched(), "abc")

    assert [getattr(reply, "slug", "") for reply in replies] == ["provider-timeout"] * 3
    assert provider.calls == [["a", "b", "c"]]


async def test_who_was_broken_off_is_left_behind_and_the_others_hear_theirs() -> None:
    provider, declared = Provider(), batched()
    provider.opened.clear()
    tasks = [asyncio.create_task(provider.ask(declared, code)) for code in "ab"]
    await asyncio.sleep(0.05)
    tasks[0].cancel()

    provider.opened.set()

    assert (await tasks[1])["error"] == "0"


@pytest.mark.parametrize("key", ["", "MaHoSo", "data.MaHoSo", "data.1.MaHoSo", ".0.x", "data.0."])
def test_a_key_that_names_no_item_of_a_list_makes_no_batch(key) -> None:
    assert list_and_item(key) is None
    with pytest.raises(ValueError, match="no item"):
        compile_batch({"max_items": 2, "max_wait_s": 1}, key, None)
