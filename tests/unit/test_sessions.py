"""The sessions of one provider: one login for all who wait, and what its failure means for them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from lgsp.drivers.outbound.auth import Sessions
from lgsp.errors import BusinessRefusal, Fault, OutcomeUnknown, Unreachable
from lgsp.model.agreed import Call, Session
from tests.unit.small_hub import call

SESSION = Session(call("login"), ("session",), "session", lambda _: False)


class Gate:
    """A provider's login; counts, and answers or fails in turn after 0.05 s."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.logins = 0

    async def ask(self, _call: Call, _native: Any) -> Any:
        self.logins += 1
        answer = self.answers.pop(0)
        await asyncio.sleep(0.05)
        if isinstance(answer, Fault):
            raise answer
        return answer


async def test_a_login_that_fails_is_told_to_all_who_wait_and_the_next_one_tries_again() -> None:
    sessions, gate = Sessions(SESSION), Gate(OutcomeUnknown("provider-timeout"), {"session": "s1"})

    told = await asyncio.gather(*(sessions.token("", {}, gate.ask) for _ in range(32)), return_exceptions=True)
    logins = gate.logins
    token = await sessions.token("", {}, gate.ask)

    assert {(type(fault), fault.slug, fault.may_have_acted) for fault in told} == {(Unreachable, "provider-timeout", False)}
    assert (logins, token) == (1, "s1")


async def test_who_gives_up_waiting_ends_the_login_for_nobody_else() -> None:
    sessions, gate = Sessions(SESSION), Gate({"session": "s1"})
    first, second = (asyncio.create_task(sessions.token("", {}, gate.ask)) for _ in range(2))
    await asyncio.sleep(0.01)

    first.cancel()
    with suppress(asyncio.CancelledError):
        await first

    assert (await second, gate.logins) == ("s1", 1)


@pytest.mark.parametrize(
    ("failure", "slug", "blame"),
    [
        (Fault("provider-failed"), "provider-failed", "provider"),
        (BusinessRefusal("provider-refused"), "provider-denied", "platform"),
        (Unreachable("no-free-place", retry_after_s=1), "no-free-place", "platform"),
        ({"session": ""}, "provider-denied", "platform"),
    ],
)
async def test_a_failed_login_says_that_the_call_itself_was_not_sent(failure: Any, slug: str, blame: str) -> None:
    with pytest.raises(Unreachable) as caught:
        await Sessions(SESSION).token("", {}, Gate(failure).ask)

    assert (caught.value.slug, caught.value.blame) == (slug, blame)
    assert caught.value.retry_after_s == getattr(failure, "retry_after_s", None)
