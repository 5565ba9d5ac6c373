"""`lgsp check [ADAPTER...]`: every fault of adapter folders, with file, line and reason; nothing is run and nothing is asked of a hub."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lgsp.cli.invocation import REFUSED, AsJson, Invocation, invocation
from lgsp.config import HOME

Adapters = Annotated[Path, typer.Option(envvar="LGSP_ADAPTERS", file_okay=False, exists=True, help="folder of adapters")]
Contracts = Annotated[Path, typer.Option(envvar="LGSP_CONTRACTS", file_okay=False, exists=True, help="folder of contracts")]


def check(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[ADAPTER]...", help="names or folders; without one, all")] = None,
    *,
    adapters: Adapters = HOME / "adapters",
    contracts: Contracts = HOME / "contracts",
    as_json: AsJson = False,
) -> None:
    """Check adapters: manifest, contracts, mappings both ways, golden examples."""
    from lgsp.contract.adapter import check_adapter  # noqa: PLC0415  # it loads zeep and xmlschema: only this verb waits for them

    run = invocation(ctx)
    folders = _folders(run, names or [], adapters)
    findings = [finding for folder in folders for finding in check_adapter(folder, contracts)]
    if as_json:
        run.show_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            run.line(str(finding))
        told = ", ".join(folder.name for folder in folders)
        run.tell("findings", count=len(findings)) if findings else run.tell("sound", adapters=told)
    if findings:
        raise typer.Exit(REFUSED)


def _folders(run: Invocation, names: list[str], adapters: Path) -> list[Path]:
    if not names:
        return sorted(path.parent for path in adapters.glob("*/adapter.yaml"))
    folders = [Path(name) if (Path(name) / "adapter.yaml").exists() else adapters / name for name in names]
    for folder in folders:
        if not (folder / "adapter.yaml").exists():
            raise typer.BadParameter(run.say("no_adapter", name=folder), param_hint="ADAPTER")
    return folders
