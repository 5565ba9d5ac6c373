"""Options that choose many messages at rest, the same for every verb that takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lgsp.cli.invocation import Invocation

Provider = Annotated[str, typer.Option("--provider", help="only messages to this provider")]
Service = Annotated[str, typer.Option("--service", help="only messages of this service")]
Operation = Annotated[str, typer.Option("--operation", "-o", help="only messages of this operation")]
Cause = Annotated[str, typer.Option("--cause", help="only messages that came to rest for this cause, as `lgsp dead` names it")]
Since = Annotated[str, typer.Option("--since", help="only what came to rest since then, RFC 3339: 2026-11-23T08:00:00+07:00")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only say how many, and whose")]


def chosen_by(**options: str) -> dict[str, str]:
    """The filter as the management API takes it; an option that was not given chooses everything."""
    chosen = {name: value for name, value in options.items() if value}
    if not chosen.keys() - {"since"}:
        raise typer.BadParameter("name a message, or choose by --provider, --service, --operation or --cause")
    return chosen


def refuse_choice(*, dry_run: bool, **options: str) -> None:
    """A message that is named is not chosen: what would be ignored is refused, above all --dry-run."""
    if dry_run or any(options.values()):
        raise typer.BadParameter("name a message, or choose by options (and --dry-run), not both")


def show_shares(run: Invocation, answer: dict[str, Any]) -> None:
    """Whom the chosen messages belong to."""
    shares = answer.get("shares", [])
    rows = [(each["provider"], each["service"], each["operation"], each["cause"], str(each["count"])) for each in shares]
    if rows:
        run.table(("provider", "service", "operation", "cause", "count"), rows)
