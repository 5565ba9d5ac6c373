"""`lgsp dead`, `lgsp unknown`: messages at rest, grouped by provider and cause, with what to do; and the decision about unknown ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.choice import Cause, DryRun, Operation, Provider, Service, Since, chosen_by, refuse_choice, show_shares
from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation

if TYPE_CHECKING:
    from lgsp.cli.invocation import Invocation

IDS_SHOWN = 3


def dead(ctx: typer.Context, *, limit: Annotated[int, typer.Option(min=1, max=1000)] = 100, as_json: AsJson = False) -> None:
    """Messages at rest that need a person."""
    run = invocation(ctx)
    _show(run, run.hub().ask("GET", f"/dead?limit={limit}"), "no_dead", as_json=as_json)


def unknown(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(help="id of one message; without it, the options choose, or all groups are listed")] = "",
    *,
    delivered: Annotated[bool, typer.Option("--delivered", help="the provider has it")] = False,
    again: Annotated[bool, typer.Option("--again", help="the provider does not have it; send it again")] = False,
    to_rest: Annotated[bool, typer.Option("--dead", help="leave it at rest as a dead letter")] = False,
    reason: Annotated[str, typer.Option(help="how you found out; no personal data")] = "",
    provider: Provider = "",
    service: Service = "",
    operation: Operation = "",
    cause: Cause = "",
    since: Since = "",
    dry_run: DryRun = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Messages of which nobody knows whether the provider acted; or decide about them."""
    run = invocation(ctx)
    verdicts = [name for name, is_it in (("delivered", delivered), ("again", again), ("dead", to_rest)) if is_it]
    if not verdicts:
        _show(run, run.hub().ask("GET", f"/unknown?limit={limit}"), "no_unknown", as_json=as_json)
        return
    if len(verdicts) > 1 or not reason:
        raise typer.BadParameter("expected one of --delivered, --again, --dead, and --reason")
    decision: dict[str, Any] = {"decision": verdicts[0], "reason": reason}
    chosen = {"provider": provider, "service": service, "operation": operation, "cause": cause, "since": since}
    if message:
        refuse_choice(dry_run=dry_run, **chosen)
        done = run.hub().ask("POST", f"/messages/{segment(message)}/decisions", decision)
    else:
        done = run.hub().ask("POST", "/unknown/decisions", {**decision, "filter": chosen_by(**chosen), "dry_run": dry_run})
    if as_json:
        run.show_json(done)
    elif message:
        run.tell("decided", message=message, state=done["state"])
    else:
        show_shares(run, done)
        run.tell("would_decide" if dry_run else "decided_many", count=done["total"])


def _show(run: Invocation, groups: list[dict[str, Any]], nothing: str, *, as_json: bool) -> None:
    if as_json:
        run.show_json(groups)
        return
    if not groups:
        run.tell(nothing)
        return
    rows = []
    for group in groups:
        cause = "\n".join(filter(None, (group["cause"], group.get("title"), group.get("action"))))
        ids = "\n".join(group["message_ids"][:IDS_SHOWN]) + ("\n…" if group["count"] > IDS_SHOWN else "")
        rows.append((group["provider"], group["operation"], cause, group["blame"], str(group["count"]), group["oldest_at"], ids))
    run.table(("provider", "operation", "cause", "blame", "count", "oldest", "messages"), rows)
