"""`lgsp consumer`: register systems that may call the hub, list them, change secrets, suspend."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lgsp.cli import callback, keep, wss
from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, Invocation, invocation

app = typer.Typer(no_args_is_help=True, help="Systems that may call the hub.")
app.add_typer(callback.app, name="callback")
app.add_typer(wss.app, name="wss")

Code = Annotated[str, typer.Argument(help="the subsystem, for example VN/GOV/H99/onestop")]
Save = Annotated[bool, typer.Option("--save", help="keep the credential for `lgsp try`, in a file that only you read")]


@app.command("add")
def add(
    ctx: typer.Context,
    code: Code,
    *,
    title: Annotated[str, typer.Option(help="its name for people")] = "",
    save: Save = False,
    as_json: AsJson = False,
) -> None:
    """Register a consumer; its secret is shown this once."""
    run = invocation(ctx)
    credential = run.hub().ask("POST", "/consumers", {"code": code, "title": title})
    if not as_json:
        run.tell("consumer_added", code=code)
    _show(run, code, credential, save=save, as_json=as_json)


@app.command("secret")
def secret(ctx: typer.Context, code: Code, *, save: Save = False, as_json: AsJson = False) -> None:
    """One more secret for a consumer, beside those that are valid; shown this once."""
    run = invocation(ctx)
    hub = run.hub()
    credential = hub.ask("POST", f"/consumers/{segment(hub.client_id(code))}/secrets")
    _show(run, code, credential, save=save, as_json=as_json)


@app.command("list")
def list_all(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Every consumer."""
    run = invocation(ctx)
    found = run.hub().ask("GET", "/consumers")
    if as_json:
        run.show_json(found)
        return
    rows = [(each["code"], each["client_id"], each["title"], run.say("yes" if each["active"] else "no")) for each in found]
    run.table(("consumer", "client_id", "title", "active"), rows)


@app.command("contact")
def contact(
    ctx: typer.Context,
    code: Code,
    text: Annotated[str, typer.Argument(help="an office and how to reach it, no private person; empty: nobody")],
    *,
    as_json: AsJson = False,
) -> None:
    """Whom to tell before a contract changes; `lgsp diff --used` shows it."""
    run = invocation(ctx)
    hub = run.hub()
    done = hub.ask("PUT", f"/consumers/{segment(hub.client_id(code))}/contact", {"contact": text})
    if as_json:
        run.show_json(done)
    else:
        run.tell("contact_set", code=code, contact=text)


@app.command("suspend")
def suspend(ctx: typer.Context, code: Code, *, as_json: AsJson = False) -> None:
    """Let a consumer call no more; its stored messages wait."""
    _set_active(invocation(ctx), code, active=False, as_json=as_json)


@app.command("resume")
def resume(ctx: typer.Context, code: Code, *, as_json: AsJson = False) -> None:
    """Let a suspended consumer call again."""
    _set_active(invocation(ctx), code, active=True, as_json=as_json)


def _set_active(run: Invocation, code: str, *, active: bool, as_json: bool) -> None:
    hub = run.hub()
    done = hub.ask("PUT", f"/consumers/{segment(hub.client_id(code))}/active", {"active": active})
    if as_json:
        run.show_json(done)
    else:
        run.tell("resumed" if active else "suspended", code=code)


def _show(run: Invocation, code: str, credential: dict[str, Any], *, save: bool, as_json: bool) -> None:
    path = None
    if save:
        known = keep.recall(keep.CREDENTIALS, run.hub_url)
        known.pop(code, None)  # the newest stands last: `lgsp try` takes it
        path = keep.remember(keep.CREDENTIALS, run.hub_url, {**known, code: credential})
    if as_json:
        run.show_json(credential)
        return
    run.tell("secret_once")
    run.line(f"  LGSP_CLIENT_ID={credential['client_id']}")
    run.line(f"  LGSP_CLIENT_SECRET={credential['client_secret']}")
    if path:
        run.tell("saved", path=path)
