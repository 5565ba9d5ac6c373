"""Who waits for a message to come to rest: woken at once here, by one shared question for what settles elsewhere."""

from __future__ import annotations

import asyncio

import pytest

from lgsp.drivers.doors.receipts import preferred_wait_s
from lgsp.drivers.watchers import SharedWatchers
from lgsp.errors import Fault


class Record:
    """What is at rest, and how often somebody asked."""

    def __init__(self) -> None:
        self.resting: set[str] = set()
        self.questions: list[int] = []
        self.away = False

    async def at_rest(self, message_ids):
        self.questions.append(len(message_ids))
        if self.away:
            raise Fault("record-unavailable")
        return [each for each in message_ids if each in self.resting]


async def waited_s(*waits) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*waits)
    return loop.time() - began


async def test_a_message_that_settles_here_wakes_who_waits_for_it_and_nobody_else() -> None:
    watchers = SharedWatchers(Record().at_rest, poll_s=10)
    asyncio.get_running_loop().call_later(0.02, watchers.tell, "a")

    woken, other = await asyncio.gather(waited_s(watchers.wait("a", 5)), waited_s(watchers.wait("b", 0.1)))

    assert woken < other
    assert other >= 0.1


async def test_what_settled_before_or_elsewhere_is_found_by_one_question_for_all() -> None:
    record = Record()
    watchers = SharedWatchers(record.at_rest, poll_s=0.03)
    asyncio.get_running_loop().call_later(0.04, record.resting.update, {f"m{n}" for n in range(50)})

    took = await waited_s(*[watchers.wait(f"m{n}", 5) for n in range(50)])

    assert took < 4
    assert len(record.questions) <= 4
    assert max(record.questions) == 50


async def test_nobody_asks_when_nobody_waits() -> None:
    record = Record()
    watchers = SharedWatchers(record.at_rest, poll_s=0.01)
    await watchers.wait("a", 0.03)
    await asyncio.sleep(0.02)
    asked = len(record.questions)

    await asyncio.sleep(0.05)

    assert len(record.questions) == asked


async def test_a_record_that_is_away_makes_nobody_wait_longer() -> None:
    record = Record()
    record.away = True

    assert await waited_s(SharedWatchers(record.at_rest, poll_s=0.01).wait("a", 0.05)) < 3


async def test_beyond_the_bound_nobody_waits_and_a_hub_that_stops_lets_everybody_go() -> None:
    watchers = SharedWatchers(Record().at_rest, most=1)
    waiting = asyncio.create_task(waited_s(watchers.wait("a", 5)))
    await asyncio.sleep(0)

    beyond = await waited_s(watchers.wait("b", 5))
    watchers.release()

    assert beyond < 2
    assert await waiting < 4
    assert await waited_s(watchers.wait("c", 5)) < 2


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=10", 10),
        ('respond-async, wait="7"', 7),
        ("Wait = 3; foo=1, handling=lenient", 3),
        ("wait=99999", 30),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("await=5", 0),
        ("respond-async", 0),
        ("wait=ten", 0),
    ],
)
def test_the_preference_is_read_as_rfc_7240_writes_it(prefer, seconds) -> None:
    assert preferred_wait_s(prefer) == seconds
