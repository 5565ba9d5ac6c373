"""`lgsp uses`, and what `lgsp diff --used` asks: who used which operations and fields, and whom a change would break."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import AsJson, invocation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.cli.invocation import Invocation
    from lgsp.contract.diff.change import Change

MOST_CHANGES = 400
"""Of one question; the hub takes no body without a bound."""


def uses(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(help="code and major version of the service: citizens/1")],
    *,
    days: Annotated[int, typer.Option(min=1, max=400, help="how far back")] = 90,
    as_json: AsJson = False,
) -> None:
    """What consumers used of a service: operations and fields, counted without values."""
    run = invocation(ctx)
    code, major = service_named(service)
    found = run.hub().ask("GET", f"/uses?service={segment(code)}&major={major}&days={days}")
    if as_json:
        run.show_json(found)
    elif not found:
        run.tell("no_uses", service=service)
    else:
        rows = [
            (each["consumer"], each["operation"], str(each["count"]), each["last_day"], str(len(each["sent"])), str(len(each["got"])))
            for each in found
        ]
        run.table(("consumer", "operation", "count", "last_day", "sent_fields", "got_fields"), rows)


def impact(run: Invocation, service: str, changes: Sequence[Change]) -> dict[str, Any]:
    """Whom those of the changes that break would break; `changes` of the answer are places among those that break."""
    code, major = service_named(service)
    breaking = breaking_of(changes)
    asked = [{"operation": each.operation, "side": each.side.value, "pointer": each.pointer, "rule": each.rule} for each in breaking]
    found: dict[str, Any] = run.hub().ask("POST", "/impacts", {"service": code, "major": major, "changes": asked})
    return found


def show_impact(run: Invocation, found: dict[str, Any]) -> None:
    """How many of how many it breaks, and each with its fields and its contact."""
    run.tell("breaks_consumers", affected=len(found["affected"]), consumers=found["consumers"], days=found["days"])
    if found["affected"]:
        rows = [
            (each["consumer"], str(each["count"]), each["last_day"], ", ".join(each["fields"]) or run.say("all"), each["contact"])
            for each in found["affected"]
        ]
        run.table(("consumer", "count", "last_day", "fields", "contact"), rows)


def named_impact(found: dict[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    """The same for programs: each consumer's changes in words."""
    breaking = breaking_of(changes)
    return {**found, "affected": [{**each, "changes": [str(breaking[at]) for at in each["changes"]]} for each in found["affected"]]}


def breaking_of(changes: Sequence[Change]) -> list[Change]:
    """Those that break, as many as one question holds."""
    return [each for each in changes if each.severity.value == "breaking"][:MOST_CHANGES]


def service_named(text: str) -> tuple[str, int]:
    """Code and major version of `citizens/1`; without one it is 1."""
    code, _, major = text.partition("/")
    if not code or (major and not major.isdecimal()):
        raise typer.BadParameter(f"{text}: expected a service and its major version, such as citizens/1")
    return code, int(major or 1)
