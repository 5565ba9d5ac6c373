"""`lgsp set-aside`, `lgsp cancel`: keep messages from being sent, until a person replays them or for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.choice import Cause, DryRun, Operation, Provider, Service, Since, chosen_by, refuse_choice, show_shares
from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation

if TYPE_CHECKING:
    from lgsp.cli.invocation import Invocation

Message = Annotated[str, typer.Argument(help="id of one message; without it, the options choose")]
Reason = Annotated[str, typer.Option(help="why; no personal data")]


def set_aside(
    ctx: typer.Context,
    message: Message = "",
    *,
    reason: Reason = "",
    provider: Provider = "",
    service: Service = "",
    operation: Operation = "",
    cause: Cause = "",
    since: Since = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Keep waiting messages from being sent until `lgsp replay` brings them back; those behind them in their matter wait, too."""
    chosen = {"provider": provider, "service": service, "operation": operation, "cause": cause, "since": since}
    _move(invocation(ctx), message, {"state": "held", "reason": reason, "dry_run": dry_run}, chosen, as_json=as_json)


def cancel(
    ctx: typer.Context,
    message: Message = "",
    *,
    reason: Reason = "",
    state: Annotated[str, typer.Option(help="those that are waiting, held or dead")] = "waiting",
    provider: Provider = "",
    service: Service = "",
    operation: Operation = "",
    cause: Cause = "",
    since: Since = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Take messages back for good: they are never sent, and those behind them in their matter go on."""
    if state not in {"waiting", "held", "dead"}:
        raise typer.BadParameter("expected waiting, held or dead", param_hint="--state")
    chosen = {"provider": provider, "service": service, "operation": operation, "cause": cause, "since": since}
    wanted = {"state": "cancelled", "reason": reason, "dry_run": dry_run, "from": state}
    _move(invocation(ctx), message, wanted, chosen, as_json=as_json)


def _move(run: Invocation, message: str, wanted: dict[str, Any], chosen: dict[str, str], *, as_json: bool) -> None:
    if not wanted["reason"]:
        raise typer.BadParameter("expected: somebody will ask why", param_hint="--reason")
    if message:
        refuse_choice(dry_run=wanted["dry_run"], **chosen)
        done = run.hub().ask("PUT", f"/messages/{segment(message)}/state", {name: wanted[name] for name in ("state", "reason")})
    else:
        done = run.hub().ask("POST", "/messages/states", {**wanted, "filter": chosen_by(**chosen)})
    if as_json:
        run.show_json(done)
    elif message:
        run.tell("decided", message=message, state=done["state"])
    else:
        show_shares(run, done)
        run.tell("would_lay" if wanted["dry_run"] else "laid", count=done["total"], state=wanted["state"])
