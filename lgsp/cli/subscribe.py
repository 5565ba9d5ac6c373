"""`lgsp subscribe`, `unsubscribe`, `subscriptions`: who gets what is published."""

from __future__ import annotations

from typing import Annotated

import typer

from lgsp.cli.invocation import AsJson, invocation

Code = Annotated[str, typer.Argument(help="the subscriber, for example VN/GOV/H99/land-office")]
Service = Annotated[str, typer.Argument(help="the service that publishes")]
OperationName = Annotated[str, typer.Argument(help="its operation")]


def subscribe(
    ctx: typer.Context,
    code: Code,
    service: Service,
    operation: OperationName,
    *,
    by: Annotated[str, typer.Option(help="callback (its registered address) or mailbox")] = "mailbox",
    as_json: AsJson = False,
) -> None:
    """Let a subsystem have everything that an operation publishes from now on."""
    if by not in {"callback", "mailbox"}:
        raise typer.BadParameter("expected callback or mailbox", param_hint="--by")
    run = invocation(ctx)
    done = run.hub().ask("POST", "/subscriptions", {"subscriber": code, "service": service, "operation": operation, "channel": by})
    if as_json:
        run.show_json(done)
    else:
        run.tell("subscribed", code=code, service=service, operation=operation, channel=by)


def unsubscribe(ctx: typer.Context, code: Code, service: Service, operation: OperationName, *, as_json: AsJson = False) -> None:
    """End a subscription."""
    run = invocation(ctx)
    done = run.hub().ask("POST", "/subscriptions/removals", {"subscriber": code, "service": service, "operation": operation})
    if as_json:
        run.show_json(done)
    else:
        run.tell("unsubscribed", code=code, service=service, operation=operation)


def subscriptions(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Every subscription."""
    run = invocation(ctx)
    found = run.hub().ask("GET", "/subscriptions")
    if as_json:
        run.show_json(found)
        return
    rows = [(each["service"], each["operation"], each["subscriber"], each["channel"]) for each in found]
    run.table(("service", "operation", "subscriber", "channel"), rows)
