"""How a sample of fault rows is judged in `make test`; `make faults` runs every row."""

from __future__ import annotations

import os

import pytest

from lgsp.prove.rows import ROWS
from lgsp.prove.rows.row import together
from lgsp.prove.run import run_row
from lgsp.prove.stage import Options, missing


async def holds(names: tuple[str, ...], options: Options) -> None:
    row = together(" ".join(names), *(ROWS[name] for name in names))
    reason = missing(row, options)
    if reason and not os.environ.get("CI"):
        pytest.skip(reason)

    outcome = await run_row("sample", row, options)

    assert (reason, outcome.violations) == ("", 0), outcome.line()
