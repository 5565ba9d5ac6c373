"""`lgsp replay MESSAGE`: send a dead or held message again."""

from __future__ import annotations

from typing import Annotated

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation


def replay(ctx: typer.Context, message: Annotated[str, typer.Argument(help="id of the message")], *, as_json: AsJson = False) -> None:
    """Send a dead or held message again."""
    run = invocation(ctx)
    done = run.hub().ask("POST", f"/messages/{segment(message)}/replays")
    if as_json:
        run.show_json(done)
    else:
        run.tell("replayed", message=message, provider=done["provider"])
