"""`lgsp dead`: dead letters grouped by provider and cause, with what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from lgsp.cli.invocation import AsJson, invocation

IDS_SHOWN = 3


def dead(ctx: typer.Context, *, limit: Annotated[int, typer.Option(min=1, max=1000)] = 100, as_json: AsJson = False) -> None:
    """Messages at rest that need a person."""
    run = invocation(ctx)
    groups = run.hub().ask("GET", f"/dead?limit={limit}")
    if as_json:
        run.show_json(groups)
        return
    if not groups:
        run.tell("no_dead")
        return
    rows = []
    for group in groups:
        cause = "\n".join(filter(None, (group["cause"], group.get("title"), group.get("action"))))
        ids = "\n".join(group["message_ids"][:IDS_SHOWN]) + ("\n…" if group["count"] > IDS_SHOWN else "")
        rows.append((group["provider"], group["operation"], cause, group["blame"], str(group["count"]), group["oldest_at"], ids))
    run.table(("provider", "operation", "cause", "blame", "count", "oldest", "messages"), rows)
