"""A row of each mechanism, in two scenes, and the proof that the oracle sees what it is there to see; `make faults` runs every row."""

from __future__ import annotations

import os

import pytest

from lgsp.prove.planted import missed
from lgsp.prove.rows import ROWS
from lgsp.prove.rows.row import together
from lgsp.prove.run import run_row
from lgsp.prove.stage import Options, missing

ONE_PROCESS = ("F4", "F17", "F30", "F36", "F39", "F44")
"""Crash, disk, provider, poison, order, clock."""
SEVERAL = ("F10", "F27", "F6", "F45")
"""Database, broker, a gateway that dies as it rings, orders that change."""


async def test_the_oracle_flags_every_planted_bug_and_acquits_a_sound_hub() -> None:
    assert await missed(print) == []


async def test_nothing_is_lost_doubled_unaudited_or_stuck_in_one_process_on_sqlite() -> None:
    await _holds(ONE_PROCESS, Options(messages=200, rate=30.0, kills=1))


async def test_nothing_is_lost_doubled_unaudited_or_stuck_on_several_nodes(postgresql_url: str, broker_url: str) -> None:
    await _holds(SEVERAL, Options(messages=200, rate=30.0, kills=1, database=postgresql_url.partition("?")[0], broker=broker_url))


async def _holds(names: tuple[str, ...], options: Options) -> None:
    row = together(" ".join(names), *(ROWS[name] for name in names))
    reason = missing(row, options)
    if reason and not os.environ.get("CI"):
        pytest.skip(reason)

    outcome = await run_row("sample", row, options)

    assert (reason, outcome.violations) == ("", 0), outcome.line()
