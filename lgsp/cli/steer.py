"""`lgsp circuit`, `lgsp hold`, `lgsp release`: how freely providers are called, and keeping messages back while one is away."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation

if TYPE_CHECKING:
    from typing import Any

    from lgsp.cli.invocation import Invocation

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
ProviderName = Annotated[str, typer.Argument(help="code of the provider; none: show all")]
For = Annotated[str, typer.Option("--for", help="how long: 30s, 10m, 2h, 3d")]
Until = Annotated[str, typer.Option("--until", help="until when, with a time zone: 2026-11-30T06:00:00+07:00")]
Reason = Annotated[str, typer.Option("--reason", help="why; callers see it")]


def circuit(
    ctx: typer.Context,
    provider: ProviderName = "",
    *,
    opened: Annotated[bool, typer.Option("--open", help="let no call pass")] = False,
    closed: Annotated[bool, typer.Option("--closed", help="let every call pass")] = False,
    auto: Annotated[bool, typer.Option("--auto", help="follow the provider's health again")] = False,
    duration: For = "",
    until: Until = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Circuits of all providers; or force one open or closed for a while."""
    run = invocation(ctx)
    chosen = [state for state, is_chosen in (("open", opened), ("closed", closed), ("auto", auto)) if is_chosen]
    if not chosen:
        found = [each for each in run.hub().ask("GET", "/circuits") if provider in {"", each["provider"]}]
        _show(run, found, as_json=as_json)
        return
    if len(chosen) > 1 or not provider:
        raise typer.BadParameter("expected PROVIDER and one of --open, --closed, --auto")
    body = {"state": chosen[0]} if auto else {"state": chosen[0], "until": ending(duration, until), "reason": required_reason(reason)}
    _show(run, [run.hub().ask("PUT", f"/circuits/{segment(provider)}", body)], as_json=as_json)


def hold(
    ctx: typer.Context,
    provider: ProviderName = "",
    *,
    duration: For = "",
    until: Until = "",
    since: Annotated[str, typer.Option("--from", help="announced beginning, with a time zone; none: now")] = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Keep messages for a provider back during its maintenance; without a provider: the calendar."""
    run = invocation(ctx)
    if not provider:
        found = run.hub().ask("GET", "/holds")
    else:
        body = {"provider": provider, "until": ending(duration, until), "reason": required_reason(reason)}
        found = [run.hub().ask("POST", "/holds", {**body, "from": since} if since else body)]
    if as_json:
        run.show_json(found)
    elif not found:
        run.tell("no_holds")
    else:
        rows = [(each["provider"], each["from"], each["until"], each["reason"], each["author"], each["id"]) for each in found]
        run.table(("provider", "from", "until", "reason", "author", "id"), rows)


def release(
    ctx: typer.Context,
    provider: Annotated[str, typer.Argument(help="code of the provider")],
    *,
    hold_id: Annotated[str, typer.Option("--id", help="one hold of the calendar, also one that is to come")] = "",
    as_json: AsJson = False,
) -> None:
    """End a provider's hold; what waited is delivered, slowly at first."""
    run = invocation(ctx)
    done = run.hub().ask("POST", "/holds/releases", {"provider": provider, **({"id": hold_id} if hold_id else {})})
    if as_json:
        run.show_json(done)
    else:
        run.tell("released", provider=provider)


def _show(run: Invocation, found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        run.show_json(found)
        return
    rows = []
    for each in found:
        ruling = each.get("ruling", {})
        order = f"{ruling['kind']} ({ruling['author']}: {ruling['reason']})" if ruling else ""
        rows.append((each["provider"], each["state"], each.get("next_probe_at", ""), str(each["limit"]), order, ruling.get("until", "")))
    run.table(("provider", "circuit", "next_probe", "limit", "order", "until"), rows)


def ending(duration: str, until: str) -> str:
    """The moment that one of the two options tells."""
    if bool(duration) == bool(until):
        raise typer.BadParameter("expected either --for or --until")
    return until or (datetime.now(UTC) + timedelta(seconds=span_s(duration))).isoformat()


def span_s(text: str) -> int:
    """Seconds of 30s, 10m, 2h, 3d."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text)
    if found is None:
        raise typer.BadParameter(f"{text}: expected a number and s, m, h or d", param_hint="--for")
    return int(found[1]) * UNITS[found[2]]


def required_reason(text: str) -> str:
    """The reason, which is not optional."""
    if not text:
        raise typer.BadParameter("expected: somebody will ask why", param_hint="--reason")
    return text
