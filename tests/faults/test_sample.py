"""A sample of the fault rows on SQLite, and the proof that the oracle sees what it is there to see; `make faults` runs every row."""

from __future__ import annotations

import pytest

from lgsp.prove.planted import missed
from lgsp.prove.rows import ROWS
from lgsp.prove.run import Options, missing, run_row


async def test_the_oracle_flags_every_planted_bug_and_acquits_a_sound_hub() -> None:
    assert await missed(print) == []


@pytest.mark.parametrize("name", ["F4", "F30"])
async def test_nothing_is_lost_doubled_unaudited_or_stuck(name: str) -> None:
    options = Options(messages=120, rate=40.0, kills=1)
    reason = missing(ROWS[name], options)
    if reason:
        pytest.skip(reason)

    outcome = await run_row(name, options)

    assert (outcome.violations, outcome.facts["unknown"]) == (0, 0), outcome.line()
