"""`lgsp table SERVICE TABLE`: rows of a code table that hold without publishing; one person proposes, another approves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation

if TYPE_CHECKING:
    from lgsp.cli.invocation import Invocation

VERBS = ("list", "propose", "approve", "reject")


def table(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(help="code of the service")],
    name: Annotated[str, typer.Argument(metavar="TABLE", help="the table's name in mapping.yaml")],
    verb: Annotated[str, typer.Argument(help="list, propose, approve or reject")] = "list",
    row: Annotated[str, typer.Argument(help="id of the row to approve or reject")] = "",
    *,
    ours: Annotated[str, typer.Option(help="our code")] = "",
    theirs: Annotated[str, typer.Option(help="the provider's code")] = "",
    since: Annotated[str, typer.Option("--from", help="first day, yyyy-MM-dd")] = "",
    to: Annotated[str, typer.Option("--to", help="last day, yyyy-MM-dd")] = "",
    way: Annotated[str, typer.Option(help="request or reply; none: both")] = "",
    reason: Annotated[str, typer.Option(help="why, and by which document")] = "",
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Show a code table, or change it without publishing; messages that were held for the row go on when it is approved."""
    run = invocation(ctx)
    path = f"/code-tables/{segment(service)}/{segment(name)}"
    if verb == "list":
        _list(run, run.hub().ask("GET", path), as_json=as_json)
    elif verb == "propose":
        if not (ours and theirs and reason):
            raise typer.BadParameter("expected --ours, --theirs and --reason")
        limits = {key: value for key, value in (("valid_from", since), ("valid_to", to), ("way", way)) if value}
        codes = _typed(run.hub().ask("GET", path)["published"], ours, theirs)
        done = run.hub().ask("POST", f"{path}/rows", {**codes, "reason": reason, **limits})
        _tell(run, done, "row_proposed", as_json=as_json)
    elif verb in VERBS and row:
        done = run.hub().ask("POST", f"{path}/rows/{segment(row)}/decisions", {"decision": verb})
        _tell(run, done, f"row_{done['state']}", as_json=as_json)
    else:
        raise typer.BadParameter("expected list, propose, approve ROW or reject ROW")


def _typed(published: list[dict[str, Any]], ours: str, theirs: str) -> dict[str, Any]:
    """The codes as the published rows have them: text, whole numbers or booleans."""
    found: dict[str, Any] = {}
    for side, text in (("ours", ours), ("theirs", theirs)):
        kind = type(published[0][side])
        if kind is int and text.lstrip("-").isdecimal():
            found[side] = int(text)
        elif kind is bool and text in {"true", "false"}:
            found[side] = text == "true"
        else:
            found[side] = text
    return found


def _tell(run: Invocation, done: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        run.show_json(done)
    else:
        run.tell(sentence, row=done["id"], ours=done["ours"], theirs=done["theirs"])


def _list(run: Invocation, found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        run.show_json(found)
        return
    rows = [(*_codes(each), run.say("published"), "", "", "") for each in found["published"]]
    rows += [(*_codes(each), each["state"], each["author"], each.get("decided_by", ""), each["id"]) for each in found["added"]]
    run.table(("ours", "theirs", "window", "state", "author", "decided_by", "id"), rows)


def _codes(row: dict[str, Any]) -> tuple[str, str, str]:
    window = f"{row.get('valid_from', '')}..{row.get('valid_to', '')}" if "valid_from" in row or "valid_to" in row else ""
    return str(row["ours"]), str(row["theirs"]), f"{window} {row.get('way', '')}".strip()
