"""`lgsp bind`, `lgsp unbind`: addresses and secrets of this hub, changed while it runs and without publishing."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  # typer reads it when the verb is made a command
from typing import Annotated

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation


def bind(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="LAND_URL for $env.land.url; none: show all names")] = "",
    *,
    file: Annotated[Path | None, typer.Option("--file", exists=True, dir_okay=False, help="read the value from it, not from input")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a reference of an adapter its value on this hub; read from standard input, so that no secret stands in a command."""
    run = invocation(ctx)
    if name:
        text = file.read_text("utf-8") if file else _typed(name)
        body = {"value": text.strip("\r\n")}
        found = [run.hub().ask("PUT", f"/bindings/{segment(name.upper().removeprefix('LGSP_BIND_'))}", body)]
    else:
        found = run.hub().ask("GET", "/bindings")
    if as_json:
        run.show_json(found)
        return
    run.table(("name", "adapters", "source"), [(each["name"], ", ".join(each["adapters"]), each["source"]) for each in found])


def unbind(ctx: typer.Context, name: Annotated[str, typer.Argument(help="LAND_URL")]) -> None:
    """Take the environment's value again."""
    run = invocation(ctx)
    run.hub().ask("DELETE", f"/bindings/{segment(name.upper().removeprefix('LGSP_BIND_'))}")
    run.tell("unbound", name=name)


def _typed(name: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(name, hide_input=True))
    return sys.stdin.read()
