"""`lgsp grant`, `lgsp withdraw`, `lgsp rights`: who may use which operation, for what purpose, which fields, until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.hub import RefusedError
from lgsp.cli.invocation import AsJson, Invocation, invocation

if TYPE_CHECKING:
    from lgsp.cli.hub import RemoteHub

Code = Annotated[str, typer.Argument(help="the consumer's subsystem, for example VN/GOV/H99/onestop")]
Service = Annotated[str, typer.Argument(help="code of the service")]
Operations = Annotated[list[str] | None, typer.Option("--operation", "-o", help="an operation; without it, all of the service")]
QUOTA_PARTS = 2


def grant(
    ctx: typer.Context,
    code: Code,
    service: Service,
    *,
    operation: Operations = None,
    purpose: Annotated[list[str] | None, typer.Option("--purpose", "-p", help="a purpose that is allowed")] = None,
    field: Annotated[list[str] | None, typer.Option("--field", help="an answer field that is released; without it, all")] = None,
    until: Annotated[str, typer.Option(help="end of the right, RFC 3339, for example 2027-12-31T23:59:59+07:00")] = "",
    quota: Annotated[str, typer.Option(help="CALLS/SECONDS, for example 600/60")] = "",
    as_json: AsJson = False,
) -> None:
    """Let a consumer use a service."""
    run = invocation(ctx)
    hub = run.hub()
    terms: dict[str, Any] = {"consumer": code, "service": service, "purposes": purpose or []}
    if field:
        terms["fields"] = field
    if until:
        terms["not_after"] = until
    if quota:
        terms["quota"] = _quota(quota)
    names = operation or _operations(run, hub, service)
    done = [hub.ask("POST", "/rights", {**terms, "operation": name}) for name in names]
    _report(run, "granted", done, as_json=as_json)


def withdraw(ctx: typer.Context, code: Code, service: Service, *, operation: Operations = None, as_json: AsJson = False) -> None:
    """End a consumer's right to a service, or to some of its operations."""
    run = invocation(ctx)
    hub = run.hub()
    rights = [right for right in hub.ask("GET", "/rights") if (right["consumer"], right["service"]) == (code, service)]
    names = operation or [right["operation"] for right in rights]
    done = [hub.ask("POST", "/rights/withdrawals", {"consumer": code, "service": service, "operation": name}) for name in names]
    _report(run, "withdrawn", done, as_json=as_json)


def rights(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Every access right."""
    run = invocation(ctx)
    found = run.hub().ask("GET", "/rights")
    if as_json:
        run.show_json(found)
        return
    rows = [_row(run, right) for right in found]
    run.table(("consumer", "service", "operation", "purposes", "fields", "window", "quota"), rows)


def _row(run: Invocation, right: dict[str, Any]) -> tuple[str, ...]:
    window = f"{right.get('not_before', '')} – {right.get('not_after', '')}" if "not_before" in right or "not_after" in right else ""
    quota = f"{right['quota']['q']}/{right['quota']['w']} s" if "quota" in right else ""
    fields = ", ".join(right["fields"]) if "fields" in right else run.say("all")
    return (right["consumer"], right["service"], right["operation"], ", ".join(right["purposes"]), fields, window, quota)


def _operations(run: Invocation, hub: RemoteHub, service: str) -> list[str]:
    published = [each for each in hub.ask("GET", "/services") if each["code"] == service]
    if not published:
        raise RefusedError({"title": run.say("no_service", service=service)})
    return sorted({operation["name"] for each in published for operation in each["operations"]})


def _quota(text: str) -> dict[str, int]:
    parts = text.split("/")
    if len(parts) != QUOTA_PARTS or not all(part.isdecimal() for part in parts):
        raise typer.BadParameter("expected CALLS/SECONDS, for example 600/60", param_hint="--quota")
    return {"q": int(parts[0]), "w": int(parts[1])}


def _report(run: Invocation, key: str, done: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        run.show_json(done)
        return
    for right in done:
        run.tell(key, code=right["consumer"], service=right["service"], operations=right["operation"])
