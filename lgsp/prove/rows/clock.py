"""Rows of the clock: the wall clock of the nodes jumps by an hour, and they live through moments that programs get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.prove import record
from lgsp.prove.clock import false_now, posix, set_clock
from lgsp.prove.oracle import Answer
from lgsp.prove.rows.row import FALSE_CLOCK, Row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.prove.scene import Scene

JUMPS_S = (3600.0, -3600.0, 0.0)
JUMP_S = 4.0
PAST_S = 3.0
NEGATIVE = "SELECT count(*) FROM log WHERE duration_us < 0"
PREMATURE = (
    "SELECT count(*) FROM log o WHERE event = 'opened' AND attempt > 1 AND NOT EXISTS (SELECT 1 FROM log c "
    "WHERE c.message_id = o.message_id AND c.event = 'closed' AND c.attempt = o.attempt - 1)"
)
"""Attempts that began while the one before was still under way: its lease was taken for ended."""
GIVEN_UP = "SELECT count(*) FROM message WHERE state IN ('dead', 'expired')"


async def jump(scene: Scene) -> None:
    """F44: an hour ahead, an hour behind, back; slow calls are under way each time."""
    await scene.misbehave("late", 0.3, 0.4)
    for offset_s in JUMPS_S:
        with scene.strike(f"clock {offset_s:+g} s"):
            set_clock(scene.folder, offset_s)
            await scene.calm(JUMP_S)


def live_through(moment: str) -> Callable[[Scene], Awaitable[None]]:
    """The hub was started some seconds before a moment, and passes it under load."""

    async def strike(scene: Scene) -> None:
        scene.must(false_now(scene.folder) < posix(moment), f"the hub was not up before {moment}")
        with scene.strike(moment):
            while false_now(scene.folder) < posix(moment) + PAST_S:
                await scene.calm(0.5)

    return strike


async def nothing_early(scene: Scene) -> None:
    """F44: no attempt was repeated or given up because of the clock, and no duration is negative."""
    negative, premature, given_up = [(await record.query(scene.database, text))[0][0] for text in (NEGATIVE, PREMATURE, GIVEN_UP)]
    scene.facts["negative_durations"], scene.facts["premature_retries"], scene.facts["given_up"] = negative, premature, given_up
    scene.must(not negative, f"{negative} negative durations")
    scene.must(not premature, f"{premature} messages were tried again while their attempt was under way")
    scene.must(not given_up, f"{given_up} messages were given up before their time")
    early = sum(entry.answer is Answer.REFUSED for entry in scene.desk.book)
    scene.must(not early, f"{early} callers were refused: their tokens or windows ended early")


def _through(moment: str) -> Row:
    return Row(f"the hub lives through {moment} UTC", live_through(moment), needs=FALSE_CLOCK, moment=moment, after=nothing_early)


ROWS: Mapping[str, Row] = {
    "F44": Row("the wall clock jumps by an hour, both ways", jump, needs=FALSE_CLOCK, after=nothing_early),
    "F44b": _through("2038-01-19T03:14:08"),
    "F44c": _through("2028-02-29T00:00:00"),
}
