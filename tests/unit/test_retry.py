"""The one retry policy: what a fault leads to, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgsp.errors import BusinessRefusal, Fault, OutcomeUnknown, Unreachable
from lgsp.model.agreed import RetryRule
from lgsp.model.happening import State
from lgsp.policy.retry import Attempt, after_fault, wait_s

RULE = RetryRule(first_s=2.0, cap_s=900.0, attempts=12, deadline_s=86_400.0)
NOW = 1_000_000.0


def attempt(number: int = 1, jitter: float = 0.5, deadline_s: float = 86_400.0) -> Attempt:
    return Attempt(number, NOW, NOW + deadline_s, jitter)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Unreachable("provider-unreachable"), State.WAITING),
        (Fault("provider-busy"), State.WAITING),
        (BusinessRefusal("provider-refused"), State.REFUSED),
        (OutcomeUnknown("outcome-unknown"), State.UNKNOWN),
        (Fault("provider-reply-invalid"), State.DEAD),
    ],
)
def test_the_kind_of_fault_decides(fault: Fault, state: State) -> None:
    assert after_fault(fault, attempt(), RULE).state is state


@given(number=st.integers(1, 10_000), jitter=st.floats(0, 1, exclude_max=True))
def test_the_wait_has_full_jitter_under_a_doubling_ceiling_and_a_cap(number: int, jitter: float) -> None:
    waited = wait_s(attempt(number, jitter), RULE, None)

    assert 0 <= waited <= min(900.0, 2.0 * 2.0 ** min(number - 1, 64))


@given(retry_after=st.floats(0, 10_000), jitter=st.floats(0, 1, exclude_max=True))
def test_the_wait_is_never_shorter_than_the_provider_asked(retry_after: float, jitter: float) -> None:
    assert wait_s(attempt(3, jitter), RULE, retry_after) >= retry_after


def test_the_last_attempt_ends_in_rest_with_its_reason() -> None:
    settlement = after_fault(Unreachable("provider-unreachable"), attempt(number=12), RULE)

    assert (settlement.state, settlement.cause) == (State.DEAD, "provider-unreachable")
    assert settlement.detail.startswith("attempts-used-up")


@pytest.mark.parametrize("slug", ["circuit-open", "provider-held", "no-free-place"])
def test_a_call_that_was_not_made_ends_no_message(slug: str) -> None:
    settlement = after_fault(Unreachable(slug, retry_after_s=1), attempt(number=99, deadline_s=0), RULE)

    assert (settlement.state, settlement.due_at) == (State.WAITING, NOW + 1 + 0.5 * 2.0)


def test_a_message_that_cannot_be_tried_in_time_rests_at_once() -> None:
    settlement = after_fault(Fault("provider-busy", retry_after_s=3600), attempt(deadline_s=60), RULE)

    assert settlement.state is State.DEAD
    assert settlement.detail.startswith("deadline-passed")
