"""`lgsp check [ADAPTER|CONTRACT...]`: every fault of adapter folders and contracts, with place and reason; nothing is run, no hub asked."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lgsp.cli.invocation import REFUSED, AsJson, Invocation, invocation
from lgsp.cli.junit import junit as written
from lgsp.config import HOME

CONTRACTS = (".wsdl", ".zip", ".xml", ".yaml", ".yml", ".json")
Adapters = Annotated[Path, typer.Option(envvar="LGSP_ADAPTERS", file_okay=False, exists=True, help="folder of adapters")]
Contracts = Annotated[Path, typer.Option(envvar="LGSP_CONTRACTS", file_okay=False, exists=True, help="folder of contracts")]


def check(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ADAPTER|CONTRACT]...", help="names or folders of adapters, OpenAPI files, WSDLs or zips; without one, all adapters"
        ),
    ] = None,
    *,
    adapters: Adapters = HOME / "adapters",
    contracts: Contracts = HOME / "contracts",
    as_json: AsJson = False,
    junit: Annotated[Path | None, typer.Option("--junit", dir_okay=False, help="write the findings here too, as CI reads them")] = None,
) -> None:
    """Check adapters: manifest, contracts, mappings both ways, golden examples, secrets; or contracts alone. Exit 1 with findings."""
    from lgsp.contract.adapter.check import check_adapter  # noqa: PLC0415  # it loads zeep and xmlschema: only this verb waits for them
    from lgsp.contract.adapter.notes import adapter_notes, check_contract  # noqa: PLC0415  # as above

    run = invocation(ctx)
    files = [Path(name) for name in names or () if _is_contract(Path(name))]
    others = [name for name in names or () if not _is_contract(Path(name))]
    folders = _folders(run, others, adapters) if others or not files else []
    judged = [(check_adapter(folder, contracts), adapter_notes(folder, contracts)) for folder in folders]
    judged += [check_contract(path) for path in files]
    findings = [finding for found, _ in judged for finding in found]
    checked = [path.name for path in (*folders, *files)]
    if junit is not None:
        junit.write_text(written({name: found for name, (found, _) in zip(checked, judged, strict=True)}), encoding="utf-8")
    if as_json:
        run.show_json([asdict(finding) for finding in findings])
    else:
        for note in (note for _, notes in judged for note in notes):
            run.tell("note", note=note)
        for finding in findings:
            run.line(str(finding))
        run.tell("findings", count=len(findings)) if findings else run.tell("sound", adapters=", ".join(checked))
    if findings:
        raise typer.Exit(REFUSED)


def _is_contract(path: Path) -> bool:
    """A file; or a name that only a file can have, so that `check` says of it that it is not there."""
    return path.is_file() or path.suffix.lower() in CONTRACTS


def _folders(run: Invocation, names: list[str], adapters: Path) -> list[Path]:
    if not names:
        return sorted(path.parent for path in adapters.glob("*/adapter.yaml"))
    folders = [Path(name) if (Path(name) / "adapter.yaml").exists() else adapters / name for name in names]
    for folder in folders:
        if not (folder / "adapter.yaml").exists():
            raise typer.BadParameter(run.say("no_adapter", name=folder), param_hint="ADAPTER")
    return folders
