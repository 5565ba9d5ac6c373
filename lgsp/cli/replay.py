"""`lgsp replay`: send one dead or held message again, or many at a rate; watch, pause, resume and cancel such a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.choice import Cause, DryRun, Operation, Provider, Service, Since, chosen_by, refuse_choice, show_shares
from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation

if TYPE_CHECKING:
    from lgsp.cli.hub import RemoteHub
    from lgsp.cli.invocation import Invocation

BAR = 20
LIVE = {"running", "paused"}
WATCH_S = 1.0


def replay(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(help="id of one message; without it, the options choose dead letters")] = "",
    *,
    provider: Provider = "",
    service: Service = "",
    operation: Operation = "",
    cause: Cause = "",
    since: Since = "",
    rate: Annotated[str, typer.Option(help="messages a second, for example 20/s or 0.5")] = "10/s",
    dry_run: DryRun = False,
    watch: Annotated[bool, typer.Option("--watch", help="stay and show the progress until the run ends")] = False,
    runs: Annotated[bool, typer.Option("--runs", help="list the runs with their progress")] = False,
    pause: Annotated[str, typer.Option(metavar="RUN")] = "",
    resume: Annotated[str, typer.Option(metavar="RUN")] = "",
    cancel: Annotated[str, typer.Option(metavar="RUN")] = "",
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Send a dead or held message again, or every dead letter that the options choose."""
    run = invocation(ctx)
    hub = run.hub()
    orders = [(name, state) for name, state in ((pause, "paused"), (resume, "running"), (cancel, "cancelled")) if name]
    if runs or orders:
        for run_id, state in orders:
            hub.ask("PUT", f"/replays/{segment(run_id)}/state", {"state": state})
        _show_runs(run, hub.ask("GET", "/replays"), as_json=as_json)
        return
    chosen = {"provider": provider, "service": service, "operation": operation, "cause": cause, "since": since}
    if message:
        refuse_choice(dry_run=dry_run, **chosen)
        _one(run, hub, message, as_json=as_json)
        return
    done = hub.ask("POST", "/replays", {"filter": chosen_by(**chosen), "rate": _rate(rate), "dry_run": dry_run})
    if as_json:
        run.show_json(done)
    elif dry_run:
        show_shares(run, done)
        run.tell("would_replay", count=done["total"], rate=f"{done['rate']:g}", until=done["until"])
    else:
        run.tell("replay_begun", count=done["total"], rate=f"{done['rate']:g}", run=done["id"])
    if watch and not dry_run:
        _watch(run, hub, done["id"])


def _one(run: Invocation, hub: RemoteHub, message: str, *, as_json: bool) -> None:
    done = hub.ask("POST", f"/messages/{segment(message)}/replays")
    if as_json:
        run.show_json(done)
    else:
        run.tell("replayed", message=message, provider=done["provider"])


def _rate(text: str) -> float:
    try:
        return float(text.removesuffix("/s"))
    except ValueError:
        raise typer.BadParameter("expected messages a second, for example 20/s", param_hint="--rate") from None


def _watch(run: Invocation, hub: RemoteHub, run_id: str) -> None:
    """A line a second; Ctrl-C stops the watching, not the run."""
    while True:
        (found,) = [each for each in hub.ask("GET", "/replays") if each["id"] == run_id]
        run.line(f"{_bar(found)} {found['state']}")
        if found["state"] not in LIVE:
            return
        time.sleep(WATCH_S)  # a script at a terminal, no event loop


def _show_runs(run: Invocation, found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        run.show_json(found)
        return
    if not found:
        run.tell("no_runs")
        return
    rows = [
        (
            each["id"],
            " ".join(each["filter"].values()),
            f"{each['rate']:g}/s",
            _bar(each),
            each["state"],
            each["author"],
            each["started_at"],
        )
        for each in found
    ]
    run.table(("run", "choice", "rate", "progress", "state", "author", "at"), rows)


def _bar(found: dict[str, Any]) -> str:
    filled = BAR if not found["total"] else min(BAR, BAR * found["done"] // found["total"])
    return f"{'█' * filled}{'░' * (BAR - filled)} {found['done']}/{found['total']}"
