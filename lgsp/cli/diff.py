"""`lgsp diff BASE REVISION`: whom a change of a contract breaks, before it is published."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lgsp.cli.invocation import REFUSED, USAGE, AsJson, invocation
from lgsp.cli.uses import impact, named_impact, show_impact
from lgsp.errors import ContractError

WIDTH = 9
Contract = Annotated[Path, typer.Argument(exists=True, readable=True)]


def diff(
    ctx: typer.Context,
    base: Contract,
    revision: Contract,
    *,
    used: Annotated[str, typer.Option(metavar="SERVICE", help="ask the hub whom it breaks: citizens/1")] = "",
    as_json: AsJson = False,
) -> None:
    """Each change between two OpenAPI documents or two WSDLs: breaking, dangerous or safe; exit 1 if something breaks."""
    from lgsp.contract.diff.files import compare_contracts  # noqa: PLC0415  # only this verb waits for what reads contracts
    from lgsp.policy.compatibility import Severity  # noqa: PLC0415

    run = invocation(ctx)
    try:
        found = compare_contracts(base, revision)
    except ContractError as error:
        for finding in error.findings:
            run.line(str(finding))
        raise typer.Exit(USAGE) from error
    found_impact = impact(run, used, found.changes) if used else None
    counts = {severity.value: found.count(severity) for severity in Severity}
    if as_json:
        more = {} if found_impact is None else {"impact": named_impact(found_impact, found.changes)}
        changes = [asdict(change) for change in found.changes]
        run.show_json({**counts, "needs_new_major": found.needs_new_major, "changes": changes, **more})
    elif found.changes:
        for change in found.changes:
            run.line(f"{change.severity:<{WIDTH}} {change}")
        run.tell("changes", **counts)
        if found.needs_new_major:
            run.tell("needs_new_major", version=found.revision_version)
    else:
        run.tell("no_changes")
    if found_impact is not None and not as_json:
        show_impact(run, found_impact)
    if counts["breaking"]:
        raise typer.Exit(REFUSED)
