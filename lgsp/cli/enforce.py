"""`lgsp enforce`, `lgsp quarantine`: how strictly a provider's answers are judged for a while, and those that broke a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation
from lgsp.cli.steer import For, Reason, Until, ending, required_reason

if TYPE_CHECKING:
    from lgsp.cli.invocation import Invocation

quarantined = typer.Typer(no_args_is_help=True, help="Answers that broke a contract: places and rules; kept for 72 hours.")


def enforce(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(help="code of the service; none: show the orders in force")] = "",
    side: Annotated[str, typer.Argument(help="replies; requests are always judged strictly")] = "replies",
    mode: Annotated[str, typer.Argument(help="observe, warn, tolerant (the usual) or block")] = "",
    *,
    duration: For = "",
    until: Until = "",
    reason: Reason = "",
    end: Annotated[bool, typer.Option("--end", help="back to the usual tolerance now")] = False,
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Judge a service's answers more or less strictly for a while; all nodes obey within a second."""
    run = invocation(ctx)
    path = f"/enforcements/{segment(service)}/{segment(side)}"
    if not service:
        _show_orders(run, run.hub().ask("GET", "/enforcements"), as_json=as_json)
    elif end:
        done = run.hub().ask("DELETE", path)
        if as_json:
            run.show_json(done)
        else:
            run.tell("enforcement_ended", service=service)
    elif not mode:
        raise typer.BadParameter("expected SERVICE replies observe|warn|tolerant|block, or --end")
    else:
        body = {"mode": mode, "until": ending(duration, until), "reason": required_reason(reason)}
        _show_orders(run, [run.hub().ask("PUT", path, body)], as_json=as_json)


@quarantined.command("list")
def list_suspects(
    ctx: typer.Context,
    *,
    provider: Annotated[str, typer.Option(help="code of the provider")] = "",
    service: Annotated[str, typer.Option(help="code of the service")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest answers in quarantine, without their contents."""
    run = invocation(ctx)
    chosen = [f"{name}={segment(value)}" for name, value in (("provider", provider), ("service", service)) if value]
    found = run.hub().ask("GET", "/quarantine?" + "&".join([f"limit={limit}", *chosen]))
    if as_json:
        run.show_json(found)
    elif not found:
        run.tell("no_quarantine")
    else:
        rows = [
            (each["at"], each["provider"], each["service"], each["call"], _became(run, each), _places(each), each["id"]) for each in found
        ]
        run.table(("at", "provider", "service", "operation", "mode", "places", "id"), rows)


@quarantined.command("show")
def show_suspect(ctx: typer.Context, suspect: Annotated[str, typer.Argument(help="id from `lgsp quarantine list`")]) -> None:
    """One answer with its content, which may name people; reading it leaves an act."""
    run = invocation(ctx)
    run.show_json(run.hub().ask("GET", f"/quarantine/{segment(suspect)}"))


def _show_orders(run: Invocation, found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        run.show_json(found)
    elif not found:
        run.tell("no_enforcements")
    else:
        rows = [(each["service"], each["side"], each["mode"], each["until"], each["reason"], each["author"]) for each in found]
        run.table(("service", "side", "mode", "until", "reason", "author"), rows)


def _became(run: Invocation, suspect: dict[str, Any]) -> str:
    return f"{suspect['mode']}: {run.say('passed' if suspect['passed'] else 'blocked')}"


def _places(suspect: dict[str, Any]) -> str:
    return "; ".join(f"{each['pointer'] or '/'} {each['code']}" for each in suspect["errors"])
