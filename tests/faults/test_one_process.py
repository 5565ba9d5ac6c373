"""A row of each mechanism that one process on SQLite meets, and the proof that the oracle sees what it is there to see."""

from __future__ import annotations

from faults.sample import holds
from lgsp.prove.planted import missed
from lgsp.prove.stage import Options

MECHANISMS = ("F4", "F17", "F30", "F36", "F39", "F44")
"""Crash, disk, provider, poison, order, clock."""


async def test_nothing_is_lost_doubled_unaudited_or_stuck_in_one_process_on_sqlite() -> None:
    await holds(MECHANISMS, Options(messages=200, rate=30.0, kills=1))


async def test_the_oracle_flags_every_planted_bug_and_acquits_a_sound_hub() -> None:
    assert await missed(print) == []
