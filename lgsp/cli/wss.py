"""`lgsp consumer wss`: by which certificates and passwords a consumer is known in WS-Security."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation

app = typer.Typer(no_args_is_help=True, help="By which certificates and passwords a consumer is known in WS-Security.")

Code = Annotated[str, typer.Argument(help="the subsystem, for example VN/GOV/H99/onestop")]


@app.command("enrol")
def enrol(
    ctx: typer.Context,
    code: Code,
    file: Annotated[Path, typer.Argument(help="the certificate, in PEM", exists=True, dir_okay=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Know the consumer by signatures of this certificate."""
    run = invocation(ctx)
    hub = run.hub()
    body = {"certificate": file.read_text(encoding="ascii", errors="replace")}
    found = hub.ask("POST", f"/consumers/{segment(hub.client_id(code))}/certificates", body)
    if as_json:
        run.show_json(found)
    else:
        run.tell("enrolled", code=code, subject=found["subject"], fingerprint=found["fingerprint"], until=found["not_after"])


@app.command("list")
def list_all(ctx: typer.Context, code: Code, *, as_json: AsJson = False) -> None:
    """The consumer's certificates."""
    run = invocation(ctx)
    hub = run.hub()
    found = hub.ask("GET", f"/consumers/{segment(hub.client_id(code))}/certificates")
    if as_json:
        run.show_json(found)
        return
    run.table(("certificate", "holder", "until"), [(each["fingerprint"], each["subject"], each["not_after"]) for each in found])


@app.command("end")
def end(
    ctx: typer.Context, code: Code, fingerprint: Annotated[str, typer.Argument(help="as `list` shows it")], *, as_json: AsJson = False
) -> None:
    """Know the consumer no longer by a certificate."""
    run = invocation(ctx)
    hub = run.hub()
    done = hub.ask("DELETE", f"/consumers/{segment(hub.client_id(code))}/certificates/{segment(fingerprint)}")
    if as_json:
        run.show_json(done)
    else:
        run.tell("enrolment_ended", code=code, fingerprint=fingerprint)


@app.command("password")
def password(ctx: typer.Context, code: Code, *, as_json: AsJson = False) -> None:
    """A password for UsernameToken, beside the newest one; shown this once."""
    run = invocation(ctx)
    hub = run.hub()
    found = hub.ask("POST", f"/consumers/{segment(hub.client_id(code))}/wss-passwords")
    if as_json:
        run.show_json(found)
        return
    run.tell("secret_once")
    run.line(f"  wsse:Username {found['user']}")
    run.line(f"  wsse:Password {found['password']}")
