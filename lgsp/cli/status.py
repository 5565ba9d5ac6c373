"""`lgsp status`, `lgsp services`, `lgsp acts`: how the hub stands, what it publishes, who did what lately."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.invocation import AsJson, invocation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.cli.invocation import Invocation

DIGEST_SHOWN = 16


def status(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Backlog by provider, states, oldest age, dead letters by cause, catalogue and version."""
    run = invocation(ctx)
    found = run.hub().ask("GET", "/status")
    if as_json:
        run.show_json(found)
        return
    run.line(f"{run.say('hub')}: {run.hub_url}")
    run.line(f"{run.say('version')}: {found['version']}")
    run.line(f"{run.say('catalogue')}: {found['catalogue'][:DIGEST_SHOWN]}")
    run.line(f"{run.say('uptime')}: {_age(found['uptime_s'])}")
    if found["providers"]:
        rows = [(_named(run, each), _counts(each["states"]), _age(each["oldest_age_s"]), _conformance(each)) for each in found["providers"]]
        run.table(("provider", "states", "oldest", "conformance"), rows)
    else:
        run.tell("no_backlog")
    if found["dead"]:
        run.table(("cause", "dead"), [(cause, str(count)) for cause, count in found["dead"].items()])


def services(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """What the hub publishes."""
    run = invocation(ctx)
    found = run.hub().ask("GET", "/services")
    if as_json:
        run.show_json(found)
        return
    rows = [
        (f"{each['code']} {each['version']}", operation["name"], operation["exchange"], operation["data_class"], operation["provider"])
        for each in found
        for operation in each["operations"]
    ]
    run.table(("service", "operation", "exchange", "data_class", "provider"), rows)


def acts(ctx: typer.Context, *, limit: Annotated[int, typer.Option(min=1, max=1000)] = 30, as_json: AsJson = False) -> None:
    """Administrative acts, the newest first."""
    run = invocation(ctx)
    found = run.hub().ask("GET", f"/acts?limit={limit}")
    if as_json:
        run.show_json(found)
        return
    run.table(("at", "author", "verb", "subject"), [(act["at"], act["author"], act["verb"], act["subject"]) for act in found])


def _named(run: Invocation, each: Mapping[str, Any]) -> str:
    return each["provider"] if each.get("published", True) else f"{each['provider']} ({run.say('unpublished')})"


def _counts(states: Mapping[str, int]) -> str:
    return ", ".join(f"{state} {count}" for state, count in states.items())


def _conformance(provider: Mapping[str, Any]) -> str:
    """As 99.9 % (1240), of so many answers in 24 hours; rounded down, so that 100 % means every one."""
    share = provider.get("conformance")
    return "" if share is None else f"{math.floor(share * 1000) / 10} % ({provider['answers']})"


def _age(seconds: float | None) -> str:
    return "" if seconds is None else str(timedelta(seconds=round(seconds)))
