"""`lgsp login`: sign in to the hub; the session is kept for the next commands, until it ends."""

from __future__ import annotations

from typing import Annotated

import typer

from lgsp.cli import keep
from lgsp.cli.hub import sign_in
from lgsp.cli.invocation import AsJson, invocation


def login(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(envvar="LGSP_USER", help="your name at the hub")],
    *,
    password: Annotated[str, typer.Option(envvar="LGSP_PASSWORD", prompt=True, hide_input=True, help="asked for if it is not given")],
    as_json: AsJson = False,
) -> None:
    """Sign in and keep the session."""
    run = invocation(ctx)
    session = sign_in(run.hub_url, run.language, name, password)
    keep.remember(keep.SESSIONS, run.hub_url, session)
    shown = {key: session[key] for key in ("name", "role", "expires_at")}
    if as_json:
        run.show_json(shown)
    else:
        run.tell("signed_in", **shown)
