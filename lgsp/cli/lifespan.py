"""`lgsp deprecate`, `lgsp retire`, `lgsp revive`: how long a major version lives."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation

Code = Annotated[str, typer.Argument(help="code of the service")]
Major = Annotated[int, typer.Argument(min=0, help="the major version")]


def deprecate(
    ctx: typer.Context,
    service: Code,
    major: Major,
    *,
    sunset: Annotated[str, typer.Option("--sunset", help="when it ends, with a time zone: 2027-06-30T00:00:00+07:00")] = "",
    successor: Annotated[int | None, typer.Option("--successor", min=0, help="the major version to move to")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell consumers with every answer that this version will end."""
    facts = {**({"sunset": sunset} if sunset else {}), **({} if successor is None else {"successor": successor})}
    _say(ctx, (service, major), {"stage": "deprecated", **facts}, as_json=as_json)


def retire(ctx: typer.Context, service: Code, major: Major, *, as_json: AsJson = False) -> None:
    """Take nothing more for this version (410); what was accepted before is still delivered."""
    _say(ctx, (service, major), {"stage": "retired"}, as_json=as_json)


def revive(ctx: typer.Context, service: Code, major: Major, *, as_json: AsJson = False) -> None:
    """Serve this version as before it was deprecated or retired."""
    _say(ctx, (service, major), {"stage": "published"}, as_json=as_json)


def _say(ctx: typer.Context, version: tuple[str, int], body: dict[str, Any], *, as_json: bool) -> None:
    run = invocation(ctx)
    found = run.hub().ask("PUT", f"/services/{segment(version[0])}/{version[1]}/lifespan", body)
    if as_json:
        run.show_json(found)
    else:
        run.tell("lifespan_said", stage=found["stage"], service=found["service"], major=found["major"], sunset=found.get("sunset", "-"))
