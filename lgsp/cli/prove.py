"""`lgsp prove`: strike real nodes of this hub while they work, and show that nothing was lost, doubled, unaudited or stuck."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lgsp.prove.report import Outcome
    from lgsp.prove.stage import Options

VIOLATED, UNUSABLE, VOID = 1, 2, 3


def prove(  # noqa: PLR0917  # budget: each is an option of the command line
    messages: Annotated[int, typer.Option(help="requests of one run", min=1)] = 1000,
    kills: Annotated[int, typer.Option(help="how often a run strikes", min=1)] = 5,
    rate: Annotated[float, typer.Option(help="requests a second, whatever becomes of them", min=1)] = 100.0,
    fault: Annotated[list[str] | None, typer.Option(help="rows to run, or `all`; see --list", metavar="F4")] = None,
    database: Annotated[str, typer.Option(help="a PostgreSQL server; a database is made there and dropped. Else SQLite")] = "",
    broker: Annotated[str, typer.Option(help="a RabbitMQ vhost (amqp://...)")] = "",
    runs: Annotated[int, typer.Option(help="how often each row runs", min=1)] = 1,
    seed: Annotated[int, typer.Option(help="of chance")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="write what was found to this file too", dir_okay=False)] = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="a row that cannot run on this machine is a failure")] = False,
    rows: Annotated[bool, typer.Option("--list", help="show every row and what it needs, and end")] = False,
) -> None:
    """Kill, cut, freeze and starve real nodes under load, then reconcile sender, record and provider; exit 1 on any violation."""
    from lgsp.prove.nodes import ProveError  # noqa: PLC0415  # every start of a hub passes this file: only this verb waits for the rows
    from lgsp.prove.report import show, show_rows, summary  # noqa: PLC0415  # as above
    from lgsp.prove.stage import Options  # noqa: PLC0415  # as above

    if rows:
        show_rows()
        return
    names = _rows(fault or ["mix"])
    options = Options(messages, rate, kills, database.replace("+asyncpg:", ":"), broker, seed, _say)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # what was started is stopped on the way out
    try:
        outcomes, left_out = asyncio.run(_proven(names, options, runs))
    except ProveError as error:
        _say(str(error))
        raise typer.Exit(UNUSABLE) from error
    show(outcomes, left_out)
    if json_file is not None:
        found = {"rows": summary(outcomes), "left_out": left_out, "runs": [outcome.as_json() for outcome in outcomes]}
        json_file.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if any(outcome.violations for outcome in outcomes) or (strict and left_out):
        raise typer.Exit(VIOLATED)


def _rows(wanted: list[str]) -> list[str]:
    from lgsp.prove.rows import ROWS  # noqa: PLC0415  # as above

    names = list(ROWS) if wanted == ["all"] else wanted
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        raise typer.BadParameter(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}", param_hint="--fault")
    return names


async def _proven(names: list[str], options: Options, runs: int) -> tuple[list[Outcome], dict[str, str]]:
    """The oracle proves itself first."""
    from lgsp.prove.planted import missed  # noqa: PLC0415  # as above
    from lgsp.prove.run import run_rows  # noqa: PLC0415  # as above

    blind = await missed(options.say)
    if blind:
        _say(f"the oracle missed planted bugs, so this run proves nothing: {', '.join(blind)}")
        raise typer.Exit(VOID)
    return await run_rows(names, options, runs)


def _say(text: str) -> None:
    typer.echo(text, err=True)
