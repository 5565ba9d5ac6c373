"""`lgsp correct`: put a corrected message in the place of one that is dead or refused; one person proposes, another approves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation

if TYPE_CHECKING:
    from lgsp.cli.hub import RemoteHub
    from lgsp.cli.invocation import Invocation


def correct(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(help="id of the message to correct; without it, corrections are listed or decided")] = "",
    *,
    body: Annotated[typer.FileText | None, typer.Option(help="the corrected body, JSON; - reads standard input")] = None,
    reason: Annotated[str, typer.Option(help="why; no personal data")] = "",
    show: Annotated[str, typer.Option(metavar="CORRECTION", help="read one with its body; leaves an act")] = "",
    approve: Annotated[str, typer.Option(metavar="CORRECTION", help="send it; must be another person than its author")] = "",
    reject: Annotated[str, typer.Option(metavar="CORRECTION")] = "",
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Propose a correction of a message, or decide about one that somebody proposed."""
    run = invocation(ctx)
    hub = run.hub()
    if message:
        _propose(run, hub, (message, body, reason), as_json=as_json)
        return
    for correction, decision in ((approve, "approve"), (reject, "reject")):
        if correction:
            done = hub.ask("POST", f"/corrections/{segment(correction)}/decisions", {"decision": decision})
            if not as_json:
                run.tell(f"correction_{done['state']}", correction=correction, successor=done.get("successor", ""))
                return
            run.show_json(done)
            return
    if show:
        run.show_json(hub.ask("GET", f"/corrections/{segment(show)}"))
        return
    _list(run, hub.ask("GET", "/corrections"), as_json=as_json)


def _propose(run: Invocation, hub: RemoteHub, wanted: tuple[str, Any, str], *, as_json: bool) -> None:
    message, body, reason = wanted
    if body is None or not reason:
        raise typer.BadParameter("expected --body FILE and --reason")
    try:
        content = json.load(body)
    except ValueError as error:
        raise typer.BadParameter(f"{Path(body.name).name} is no JSON: {error}", param_hint="--body") from None
    done = hub.ask("POST", f"/messages/{segment(message)}/corrections", {"body": content, "reason": reason})
    if as_json:
        run.show_json(done)
    else:
        run.tell("correction_proposed", message=message, correction=done["id"])


def _list(run: Invocation, found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        run.show_json(found)
        return
    if not found:
        run.tell("no_corrections")
        return
    rows = [(c["id"], c["message_id"], c["state"], c["reason"], c["author"], c.get("decided_by", ""), c["at"]) for c in found]
    run.table(("id", "messages", "state", "reason", "author", "decided_by", "at"), rows)
