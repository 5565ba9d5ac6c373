"""`lgsp consumer callback`: where a consumer is told what became of its messages; only addresses that a person registers are called."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, Invocation, invocation

app = typer.Typer(no_args_is_help=True, help="Where a consumer is told what became of its messages.")

Code = Annotated[str, typer.Argument(help="the subsystem, for example VN/GOV/H99/onestop")]


@app.command("set")
def set_(
    ctx: typer.Context,
    code: Code,
    url: Annotated[str, typer.Argument(help="the address; https in production")],
    *,
    language: Annotated[str, typer.Option(help="vi or en, of the texts that are sent")] = "vi",
    as_json: AsJson = False,
) -> None:
    """Register an address, or change it; the secret that signs is shown at the first time, once."""
    run = invocation(ctx)
    hub = run.hub()
    found = hub.ask("PUT", f"/consumers/{segment(hub.client_id(code))}/callback", {"url": url, "language": language})
    _show(run, found, as_json=as_json)


@app.command("secret")
def secret(ctx: typer.Context, code: Code, *, as_json: AsJson = False) -> None:
    """A new secret, shown this once; the former one signs beside it for a day."""
    run = invocation(ctx)
    hub = run.hub()
    _show(run, hub.ask("POST", f"/consumers/{segment(hub.client_id(code))}/callback/secrets"), as_json=as_json)


@app.command("remove")
def remove(ctx: typer.Context, code: Code, *, as_json: AsJson = False) -> None:
    """Send nothing there any more."""
    run = invocation(ctx)
    hub = run.hub()
    done = hub.ask("DELETE", f"/consumers/{segment(hub.client_id(code))}/callback")
    if as_json:
        run.show_json(done)
    else:
        run.tell("callback_removed", code=code)


@app.command("list")
def list_all(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Every registered address."""
    run = invocation(ctx)
    found = run.hub().ask("GET", "/callbacks")
    if as_json:
        run.show_json(found)
        return
    run.table(("consumer", "address", "language"), [(each["consumer"], each["url"], each["language"]) for each in found])


def _show(run: Invocation, found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        run.show_json(found)
        return
    run.tell("callback_set", code=found["consumer"], url=found["url"])
    if "secret" in found:
        run.tell("secret_once")
        run.line(f"  {found['secret']}")
