"""Circuit breaker, retry budget and ramp: what follows from any sequence of outcomes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgsp.policy import breaker, budget, ramp
from lgsp.policy.breaker import TRANSITIONS, BreakerRule, Circuit, Facts, Mode, Verdict, admit, told
from lgsp.policy.window import NOTHING, Counts, counted, sliding

RULE = BreakerRule()
WELL, FAILED, SILENT = Verdict.WELL, Verdict.FAILED, Verdict.SILENT


def ended(circuit: Circuit, verdict: Verdict, now: float = 0.0, jitter: float = 0.5, retry_after_s: float | None = None) -> Circuit:
    return told(circuit, circuit.round, verdict, Facts(now, jitter, retry_after_s), RULE)


def opened(now: float = 0.0) -> Circuit:
    circuit = Circuit()
    for _ in range(RULE.consecutive):
        circuit = ended(circuit, FAILED, now)
    return circuit


# ---- breaker -------------------------------------------------------------------------------------------------------------------------


def test_so_many_failures_in_a_row_open_the_circuit_and_no_fewer():
    circuit = Circuit()
    modes = []
    for _ in range(RULE.consecutive):
        circuit = ended(circuit, FAILED)
        modes.append(circuit.mode)

    assert modes == [Mode.CLOSED] * (RULE.consecutive - 1) + [Mode.OPEN]


def test_a_share_of_failures_opens_it_though_they_never_come_in_a_row():
    circuit = Circuit()
    for place in range(RULE.least):
        circuit = ended(circuit, FAILED if place % 2 else WELL, now=place / 10)

    assert circuit.mode is Mode.OPEN


@given(st.lists(st.sampled_from([WELL, SILENT]), max_size=200))
def test_answers_and_calls_that_were_never_made_open_nothing(verdicts):
    circuit = Circuit()
    for verdict in verdicts:
        circuit = ended(circuit, verdict)

    assert (circuit.mode, circuit.round) == (Mode.CLOSED, 0)


def test_nothing_passes_before_the_probe_is_due_then_so_many_and_no_more():
    circuit = opened()
    early = admit(circuit, circuit.probe_at - 0.001, RULE)[1]
    passed = []
    for _ in range(RULE.probes + 2):
        circuit, passes = admit(circuit, circuit.probe_at, RULE)
        passed.append(passes)

    assert early is False
    assert passed == [True] * RULE.probes + [False, False]


def test_successful_probes_close_it_and_the_first_failed_one_opens_it_again():
    half_open, _ = admit(opened(), 1_000.0, RULE)
    well, failed = half_open, ended(half_open, FAILED, 1_000.0, 0.999)
    for _ in range(RULE.probes):
        well = ended(well, WELL)

    assert (well.mode, well.trips) == (Mode.CLOSED, 0)
    assert (failed.mode, failed.trips) == (Mode.OPEN, 2)
    assert failed.probe_at == 1_000.0 + 0.999 * RULE.first_s


def test_a_call_that_began_before_the_circuit_opened_says_nothing_about_now():
    before = Circuit()
    circuit, _ = admit(opened(), 1_000.0, RULE)

    late = [told(circuit, before.round, verdict, Facts(1_001.0, 0.5), RULE) for verdict in Verdict]

    assert late == [circuit] * 3


def test_a_probe_that_never_got_away_frees_its_place():
    circuit, _ = admit(opened(), 1_000.0, RULE)

    assert (ended(circuit, SILENT).probing, ended(circuit, SILENT).mode) == (0, Mode.HALF_OPEN)


@given(trips=st.integers(0, 10_000), jitter=st.floats(0, 1, exclude_max=True), told_s=st.none() | st.floats(0, 1e6))
def test_the_wait_has_full_jitter_between_its_floor_and_a_doubling_cap_and_keeps_retry_after(trips, jitter, told_s):
    waited = breaker.open_s(trips, Facts(0.0, jitter, told_s), RULE)

    ceiling = max(RULE.floor_s, min(RULE.cap_s, RULE.first_s * 2.0 ** min(trips // 2, 64)), min(told_s or 0.0, RULE.told_cap_s))
    assert max(RULE.floor_s, min(told_s or 0.0, RULE.told_cap_s)) <= waited <= ceiling


@given(st.lists(st.tuples(st.sampled_from(["ask", *Verdict]), st.floats(0, 40), st.floats(0, 1, exclude_max=True)), max_size=300))
def test_whatever_happens_it_moves_along_the_table_and_probes_stay_within_bounds(steps):
    circuit, now = Circuit(), 0.0
    for step, wait_s, jitter in steps:
        now += wait_s
        before = circuit
        if step == "ask":
            circuit, passes = admit(circuit, now, RULE)
            assert passes or before.mode is not Mode.CLOSED
        elif circuit.mode is not Mode.HALF_OPEN or circuit.probing:
            circuit = told(circuit, circuit.round, Verdict(step), Facts(now, jitter), RULE)
        assert circuit.mode is before.mode or circuit.mode in TRANSITIONS[before.mode].values()
        assert (circuit.round > before.round) is (circuit.mode is not before.mode)
        assert 0 <= circuit.probing <= RULE.probes


@pytest.mark.parametrize("minutes", [1, 10, 60])
def test_calls_at_a_provider_that_is_down_are_bounded(minutes):
    draw, circuit, now, calls = random.Random(7), Circuit(), 0.0, 0  # noqa: S311  # a test's dice
    while now < minutes * 60:
        circuit, passes = admit(circuit, now, RULE)
        if passes:
            calls += 1
            circuit = told(circuit, circuit.round, FAILED, Facts(now, draw.random()), RULE)
        now += 0.05

    assert calls <= RULE.consecutive + 16 + 2.5 * minutes * 60 / RULE.cap_s


def test_an_order_that_ends_leaves_it_due_for_a_probe_or_closed():
    ordered_open, ordered_closed = breaker.due_for_probe(Circuit(), 5.0), breaker.reset(opened())

    assert breaker.places(ordered_open, 5.0, RULE) == RULE.probes
    assert (ordered_closed.mode, ordered_closed.row) == (Mode.CLOSED, 0)


# ---- window and budget ---------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=200))
def test_the_window_never_counts_more_than_there_was_in_two_slots_and_all_of_the_youngest(steps):
    counts, now, events = Counts(), 0.0, []
    for wait_s, is_good in steps:
        now += wait_s
        counts = counted(counts, now, 10.0, is_good=is_good)
        events.append((now, is_good))
    found = sum(sliding(counts, now, 10.0))

    assert found <= sum(at > now - 20.0 for at, _ in events) + 1e-6
    assert found >= sum(at // 10.0 == now // 10.0 for at, _ in events) - 1e-6


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), rate=st.integers(30, 200), share=st.floats(0.05, 0.6))
def test_retries_add_at_most_a_fifth_to_the_load_however_many_calls_fail(seed, rate, share):
    draw, spent, rule = random.Random(seed), NOTHING, budget.USUAL  # noqa: S311  # a test's dice
    firsts = retries = 0
    waiting: list[float] = []
    for step in range(rate * 40):
        now = 1_000.0 + step / rate
        spent, firsts = budget.first(spent, now, rule), firsts + 1
        if draw.random() < share:
            waiting.append(now + draw.random() * 4)
        for at in [at for at in waiting if at <= now]:
            spent, granted = budget.spend(spent, now, rule)
            waiting.remove(at)
            retries += granted
            if not granted:
                waiting.append(now + budget.postponed_s(draw.random(), rule))
            elif draw.random() < share:
                waiting.append(now + draw.random() * 8)

    assert firsts + retries <= 1.2 * firsts + rule.floor


def test_an_exhausted_budget_takes_nothing_and_the_next_window_gives_again():
    spent, rule = NOTHING, budget.USUAL
    granted = []
    for _ in range(int(rule.floor) + 3):
        spent, is_granted = budget.spend(spent, 1_000.0, rule)
        granted.append(is_granted)

    assert granted == [True] * int(rule.floor) + [False] * 3
    assert budget.remaining(spent, 1_000.0, rule) == 0.0
    assert budget.remaining(spent, 1_000.0 + 2 * rule.window_s, rule) == rule.floor


# ---- ramp ----------------------------------------------------------------------------------------------------------------------------


@given(in_flight=st.integers(1, 200), outcomes=st.lists(st.booleans(), max_size=400))
def test_the_ramp_stays_between_one_and_the_providers_own_limit(in_flight, outcomes):
    limit = ramp.begun(in_flight)
    for is_good in outcomes:
        limit = ramp.raised(limit, in_flight) if is_good else ramp.lowered(limit, in_flight)
        assert min(1.0, in_flight) <= limit <= in_flight


def test_it_grows_by_one_for_each_round_and_halves_at_a_failure():
    limit = 8.0
    for _ in range(8):
        limit = ramp.raised(limit, 100)

    assert 8.9 < limit < 9.0
    assert ramp.lowered(limit, 100) == limit / 2
    assert ramp.lowered(100.0, 100) == 100.0
