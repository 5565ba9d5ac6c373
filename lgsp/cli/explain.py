"""`lgsp explain MESSAGE`: its way, stage by stage, from the log."""

from __future__ import annotations

from typing import Annotated

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation


def explain(ctx: typer.Context, message: Annotated[str, typer.Argument(help="id of the message")], *, as_json: AsJson = False) -> None:
    """What happened to a message, whose fault it was, what to do."""
    run = invocation(ctx)
    hub = run.hub()
    if as_json:
        run.show_json(hub.ask("GET", f"/messages/{segment(message)}"))
    else:
        run.line(hub.ask("GET", f"/messages/{segment(message)}/explanation")["text"])
