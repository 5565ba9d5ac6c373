"""Guard and worker over memory drivers: what a provider sees while it is away, and how it gets its backlog."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from lgsp.drivers.outbound.guard import GuardedCalls, Surroundings
from lgsp.drivers.worker import Times, Worker
from lgsp.errors import BusinessRefusal, Fault, OutcomeUnknown, Unreachable
from lgsp.model.agreed import Call, Pattern, RetryRule, SoapFault
from lgsp.model.parties import Ruling, RulingKind
from lgsp.policy.drain import Drain
from tests.unit.small_hub import OPERATION, PROVIDER, SmallHub, call

ONE_WAY = replace(
    OPERATION, pattern=Pattern.ONE_WAY, calls=(call(safe=True),), retry=RetryRule(first_s=0.2, cap_s=0.4, attempts=6, deadline_s=600)
)


class Provider:
    """Answers, or fails as it is told; keeps how many calls were under way at most."""

    def __init__(self) -> None:
        self.failure: Fault | None = None
        self.reply: Any = {}
        self.hangs = False
        self.calls = self.under_way = self.most = 0

    async def __call__(self, _call: Call, _native: Any) -> Any:
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(60 if self.hangs else 0.002)
        self.under_way -= 1
        if self.failure is not None:
            raise self.failure
        return self.reply


class Guarded:
    """A small hub whose calls are guarded."""

    def __init__(self, hub: SmallHub, provider: Provider, guard: GuardedCalls) -> None:
        self.hub, self.provider, self.guard = hub, provider, guard
        self.worker = Worker(hub.ports, guard, hub.store, Times(10.0, drain_s=0.05))

    async def hold(self, kind: RulingKind = RulingKind.HOLD, seconds: float = 60.0) -> None:
        await self.hub.store.rule(Ruling(kind.value, "land", kind, self.hub.now, self.hub.now + seconds, "bảo trì", "an"), self.hub.now)

    def view(self) -> Any:
        (view,) = self.guard.views()
        return view

    async def states(self) -> dict[str, int]:
        return dict((await self.hub.store.backlog())[0].states) if await self.hub.store.backlog() else {}

    @asynccontextmanager
    async def working(self):
        """The worker runs, and the hub's clock with it, ten times as fast as time."""
        running = [asyncio.create_task(self.worker.run()), asyncio.create_task(self._pass_time())]
        yield
        self.worker.stop()
        await running[0]
        running[1].cancel()

    async def _pass_time(self) -> None:
        while True:
            await asyncio.sleep(0.01)
            self.hub.now += 0.1
            self.worker.wake("land")

    async def until(self, holds: Any, seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds):
            while not await holds():
                await asyncio.sleep(0.01)


async def guarded(operation: Any = OPERATION) -> Guarded:
    provider = Provider()
    hub = await SmallHub(operation, provider).open()
    guard = GuardedCalls(hub.outbound, Surroundings(hub.store, hub.store, hub.ports.telemetry, lambda: hub.now, lambda: 0.5))
    guard.know([PROVIDER])
    hub.ports = replace(hub.ports, outbound=guard)
    return Guarded(hub, provider, guard)


async def outcome(guarded: Guarded) -> str:
    try:
        await guarded.hub.carry()
    except Fault as fault:
        return fault.slug
    return "well"


@pytest.mark.parametrize(
    "failure", [Unreachable("provider-unreachable"), Fault("provider-failed"), OutcomeUnknown("provider-timeout"), Fault("provider-busy")]
)
async def test_a_provider_that_keeps_failing_is_left_alone_and_its_callers_are_told_when(failure):
    here = await guarded()
    here.provider.failure = failure

    slugs = [await outcome(here) for _ in range(12)]
    with pytest.raises(Fault) as refused:
        await here.hub.carry()

    assert slugs[5:] == ["circuit-open"] * 7
    assert here.provider.calls == 5
    assert (refused.value.retry_after_s, refused.value.may_have_acted, refused.value.problem.status) == (1.0, False, 503)


@pytest.mark.parametrize("failure", [BusinessRefusal("provider-refused"), Fault("provider-denied"), Unreachable("no-free-place")])
async def test_refusals_and_our_own_limits_never_open_a_circuit(failure):
    here = await guarded()
    here.provider.failure = failure

    slugs = {await outcome(here) for _ in range(40)}

    assert slugs == {failure.slug}
    assert (here.provider.calls, here.view().mode) == (40, "closed")


@pytest.mark.parametrize(("code", "mode"), [("soap:Client", "closed"), ("soap:Server", "open")])
async def test_of_soap_faults_only_the_servers_own_speak_against_it(code, mode):
    here = await guarded()
    here.provider.reply = SoapFault(code, "không xử lý được")

    for _ in range(6):
        await outcome(here)

    assert here.view().mode == mode


async def test_probes_that_go_well_close_the_circuit_again():
    here = await guarded()
    here.provider.failure = Fault("provider-failed")
    for _ in range(6):
        await outcome(here)
    here.provider.failure = None
    here.hub.now += 1.0

    slugs = [await outcome(here) for _ in range(3)]

    assert slugs == ["well"] * 3
    assert here.view().mode == "closed"


async def test_a_held_provider_is_not_called_and_callers_learn_when_it_is_back():
    here = await guarded()
    await here.hold(seconds=90)

    with pytest.raises(Fault) as refused:
        await here.hub.carry()
    here.hub.now += 91
    afterwards = await outcome(here)

    assert (refused.value.slug, refused.value.retry_after_s, refused.value.detail) == ("provider-held", 90.0, "bảo trì")
    assert (afterwards, here.provider.calls) == ("well", 1)


async def test_a_circuit_forced_open_or_closed_obeys_until_the_order_ends():
    here = await guarded()
    await here.hold(RulingKind.OPEN, 10)
    opened = await outcome(here)
    await here.hold(RulingKind.CLOSED, 10)
    here.provider.failure = Fault("provider-failed")

    closed = {await outcome(here) for _ in range(20)}
    here.hub.now += 11
    by_itself = [await outcome(here) for _ in range(6)]

    assert (opened, closed) == ("circuit-open", {"provider-failed"})
    assert by_itself[-1] == "circuit-open"


async def test_messages_for_a_held_provider_are_accepted_and_wait_without_an_attempt():
    here = await guarded(ONE_WAY)
    await here.hold(seconds=3)
    statuses = {(await here.hub.carry()).status for _ in range(20)}
    async with here.working():
        await asyncio.sleep(0.1)
        during = await here.states(), here.provider.calls
        await here.until(lambda: no_backlog(here))

    assert (statuses, during) == ({202}, ({"waiting": 20}, 0))
    assert here.provider.calls == 20


async def test_a_backlog_drains_with_a_ramp_and_never_above_the_providers_limit():
    here = await guarded(ONE_WAY)
    await here.hold(seconds=2)
    for _ in range(60):
        await here.hub.carry()
    limits = []
    async with here.working():
        while await here.states():
            limits.append(here.view().limit)
            await asyncio.sleep(0.005)

    begun = limits.index(2)
    assert limits[begun:] == sorted(limits[begun:])
    assert limits[-1] == PROVIDER.in_flight
    assert here.provider.most <= PROVIDER.in_flight


async def test_the_return_of_a_provider_is_told_until_what_waits_was_hastened():
    here = await guarded(ONE_WAY)
    await here.hold(seconds=1)
    here.guard.passage(PROVIDER, 0)
    here.hub.now += 2

    told = [here.guard.passage(PROVIDER, busy) for busy in (PROVIDER.in_flight, 0)]
    here.guard.hastened(PROVIDER)

    assert [passage.hastens for passage in told] == [True, True]
    assert (told[0].places <= 0, here.guard.passage(PROVIDER, 0).hastens) == (True, False)


class Forgetful:
    """Patience over a store; its database is away at the first hastening."""

    def __init__(self, store: Any) -> None:
        self.postpone, self.hand_back = store.postpone, store.hand_back
        self._store, self.asked = store, 0

    async def hasten(self, provider: str, now: float) -> int:
        self.asked += 1
        if self.asked == 1:
            raise Fault("record-unavailable")
        return await self._store.hasten(provider, now)


async def test_a_hastening_that_failed_is_made_up_for():
    here = await guarded(replace(ONE_WAY, retry=RetryRule(first_s=6000, cap_s=6000, attempts=6, deadline_s=60_000)))
    patience = Forgetful(here.hub.store)
    here.worker = Worker(here.hub.ports, here.guard, patience, Times(10.0, drain_s=0.05))
    here.provider.failure = Unreachable("provider-unreachable")
    for _ in range(3):
        await here.hub.carry()
    async with here.working():
        await here.until(lambda: tried(here, 3))
        await here.hold(seconds=1)
        here.provider.failure = None
        await here.until(lambda: no_backlog(here))

    assert (patience.asked, here.provider.calls) == (2, 6)


async def tried(here: Guarded, calls: int) -> bool:
    return here.provider.calls == calls and here.provider.under_way == 0


async def test_only_probes_use_up_attempts_while_a_provider_is_down_and_its_return_delivers_all():
    here = await guarded(replace(ONE_WAY, retry=RetryRule(first_s=0.2, cap_s=0.4, attempts=16, deadline_s=600)))
    here.provider.failure = Unreachable("provider-unreachable")
    for _ in range(40):
        await here.hub.carry()
    async with here.working():
        await asyncio.sleep(1.5)  # fifteen of the hub's seconds: without a circuit every message would have used up its attempts
        down = await here.states(), here.provider.calls
        here.provider.failure = None
        await here.until(lambda: no_backlog(here))

    assert sum(down[0].values()) == 40
    assert "dead" not in down[0]
    assert down[1] <= 5 + PROVIDER.in_flight + 2 * 8
    assert await here.hub.store.dead(5) == []


async def test_a_retry_that_the_budget_does_not_cover_waits_and_is_not_counted():
    here = await guarded(ONE_WAY)
    for _ in range(14):
        await here.hub.carry()
    claimed = await here.hub.store.claim("land", 14, here.hub.now, 30.0)
    again = [replace(due, attempt=2, has_failed=True) for due in claimed]

    until = [here.guard.postpones(due) for due in again]

    assert until[:10] == [None] * 10
    assert all(at is not None and at > here.hub.now for at in until[10:])
    assert here.view().retries_left == 0.0


@pytest.mark.parametrize(("began", "spent"), [(frozenset(), 0.0), (frozenset({"insert"}), 5.0)])
async def test_an_attempt_that_died_before_its_call_leaves_no_repetition_behind(began, spent):
    here = await guarded(ONE_WAY)
    for _ in range(5):
        await here.hub.carry()
    claimed = await here.hub.store.claim("land", 5, here.hub.now, 30.0)
    here.guard.postpones(claimed[0])
    before = here.view().retries_left

    until = [here.guard.postpones(replace(due, attempt=2, began=began)) for due in claimed]

    assert until == [None] * 5
    assert before - here.view().retries_left == spent


async def no_backlog(here: Guarded) -> bool:
    return not await here.states()


async def test_at_a_provider_that_fails_now_and_then_calls_stay_within_the_budget():
    here = await guarded(replace(ONE_WAY, retry=RetryRule(first_s=0.2, cap_s=0.4, attempts=30, deadline_s=600)))
    chance = iter(number % 10 < 3 for number in range(10_000))
    answer = here.provider.__call__

    async def now_and_then(call_: Call, native: Any) -> Any:
        here.provider.failure = Fault("provider-failed") if next(chance) else None
        return await answer(call_, native)

    here.hub.outbound._answer = now_and_then
    async with here.working():
        for _ in range(300):
            await here.hub.carry()
            await asyncio.sleep(0.002)

    assert here.provider.calls <= 1.2 * 300 + 10


async def test_who_waits_for_an_answer_is_told_to_come_when_the_backlog_is_gone_too():
    here = await guarded(replace(ONE_WAY, pattern=Pattern.REQUEST_REPLY))
    here.hub.store.drain = lambda _provider: Drain(owed=300, rate=10.0)
    await here.hold(seconds=60.0)

    with pytest.raises(Fault, match="provider-held") as refused:
        await here.hub.carry()

    assert refused.value.retry_after_s == pytest.approx(90.0)


async def test_what_takes_too_long_at_the_end_is_handed_back_to_other_workers():
    here = await guarded(ONE_WAY)
    here.provider.hangs = True
    await here.hub.carry()

    async with here.working():
        await here.until(lambda: _has(here.provider.calls == 1))
    (again,) = await here.hub.store.claim("land", 1, here.hub.now, 30.0)

    assert (again.attempt, again.lease) == (1, 2)  # it did not fail: its attempt is given back


async def _has(truth: bool) -> bool:
    return truth
