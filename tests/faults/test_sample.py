"""A row of each mechanism, and the proof that the oracle sees what it is there to see; `make faults` runs every row."""

from __future__ import annotations

import os

import pytest

from lgsp.prove.planted import missed
from lgsp.prove.rows import ROWS
from lgsp.prove.run import run_row
from lgsp.prove.stage import Options, missing

ON_SQLITE = ["F4", "F17", "F30", "F44"]
ON_POSTGRESQL = ["F10", "F27"]


async def test_the_oracle_flags_every_planted_bug_and_acquits_a_sound_hub() -> None:
    assert await missed(print) == []


@pytest.mark.parametrize("name", ON_SQLITE)
async def test_nothing_is_lost_doubled_unaudited_or_stuck_on_sqlite(name: str) -> None:
    await _holds(name, Options(messages=100, rate=40.0, kills=1))


@pytest.mark.parametrize("name", ON_POSTGRESQL)
async def test_nothing_is_lost_doubled_unaudited_or_stuck_on_postgresql(name: str, postgresql_url: str, broker_url: str) -> None:
    server = postgresql_url.partition("?")[0]

    await _holds(name, Options(messages=100, rate=40.0, kills=1, database=server, broker=broker_url))


async def _holds(name: str, options: Options) -> None:
    reason = missing(ROWS[name], options)
    if reason and not os.environ.get("CI"):
        pytest.skip(reason)

    outcome = await run_row(name, options)

    assert (reason, outcome.violations) == ("", 0), outcome.line()
