"""`lgsp person add`: give somebody an account at the hub."""

from __future__ import annotations

from typing import Annotated

import typer

from lgsp.cli.invocation import AsJson, invocation

app = typer.Typer(no_args_is_help=True, help="People who manage the hub.")


@app.callback()
def people() -> None:
    """People who manage the hub."""


@app.command("add")
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="lower case, for example an.nguyen")],
    *,
    role: Annotated[str, typer.Option(help="operator, auditor, integrator, security-officer or admin")],
    secret: Annotated[
        str,
        typer.Option("--password", envvar="LGSP_NEW_PASSWORD", prompt="Password", hide_input=True, confirmation_prompt=True),
    ],
    as_json: AsJson = False,
) -> None:
    """Add a person; the password is asked for, at least 12 characters."""
    run = invocation(ctx)
    done = run.hub().ask("POST", "/people", {"name": name, "role": role, "password": secret})
    if as_json:
        run.show_json(done)
    else:
        run.tell("person_added", **done)
