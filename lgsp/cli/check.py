"""`lgsp check [ADAPTER|WSDL...]`: every fault of adapter folders and WSDLs, with its place and reason; nothing is run, no hub is asked."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lgsp.cli.invocation import REFUSED, AsJson, Invocation, invocation
from lgsp.config import HOME

WSDLS = (".wsdl", ".zip")
NAMES_HELP = "adapters by name or folder, WSDLs or zips of them; without one, all adapters"
Adapters = Annotated[Path, typer.Option(envvar="LGSP_ADAPTERS", file_okay=False, exists=True, help="folder of adapters")]
Contracts = Annotated[Path, typer.Option(envvar="LGSP_CONTRACTS", file_okay=False, exists=True, help="folder of contracts")]


def check(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ADAPTER|WSDL]...", help="names or folders of adapters, WSDLs or zips of them; without one, all adapters"),
    ] = None,
    *,
    adapters: Adapters = HOME / "adapters",
    contracts: Contracts = HOME / "contracts",
    as_json: AsJson = False,
) -> None:
    """Check adapters: manifest, contracts, mappings both ways, golden examples; or WSDLs alone."""
    from lgsp.contract.adapter.check import check_adapter  # noqa: PLC0415  # it loads zeep and xmlschema: only this verb waits for them
    from lgsp.contract.adapter.notes import adapter_notes, check_wsdl  # noqa: PLC0415  # as above

    run = invocation(ctx)
    wsdls = [Path(name) for name in names or () if name.lower().endswith(WSDLS)]
    others = [name for name in names or () if not name.lower().endswith(WSDLS)]
    folders = _folders(run, others, adapters) if others or not wsdls else []
    judged = [(check_adapter(folder, contracts), adapter_notes(folder, contracts)) for folder in folders]
    judged += [check_wsdl(path) for path in wsdls]
    findings = [finding for found, _ in judged for finding in found]
    if as_json:
        run.show_json([asdict(finding) for finding in findings])
    else:
        for note in (note for _, notes in judged for note in notes):
            run.tell("note", note=note)
        for finding in findings:
            run.line(str(finding))
        told = ", ".join(path.name for path in (*folders, *wsdls))
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
