"""`lgsp check [ADAPTER|CONTRACT...]`: every fault of adapter folders and contracts, with place and reason; no hub is asked."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgsp.cli.invocation import REFUSED, AsJson, Invocation, invocation
from lgsp.cli.junit import junit as written
from lgsp.config import BIND, HOME
from lgsp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.cli.trials import Trial
    from lgsp.errors import Finding

    Judged = tuple[Sequence[Finding], Sequence[Finding]]
    """Findings and notes."""

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
    calls: Annotated[int, typer.Option(min=0, max=100, help="made-up calls of each operation, and of each broken rule; 0: none")] = 2,
    live: Annotated[bool, typer.Option("--live", help="call the real providers, where LGSP_BIND_* says; look-ups only")] = False,
    unsafe_too: Annotated[bool, typer.Option("--unsafe-too", help="with --live: also operations that change something there")] = False,
    as_json: AsJson = False,
    junit: Annotated[Path | None, typer.Option("--junit", dir_okay=False, help="write the findings here too, as CI reads them")] = None,
) -> None:
    """Check adapters (manifest, contracts, mappings, examples, secrets, made-up calls) or contracts alone. Exit 1 with findings."""
    from lgsp.cli.trials import Trial  # noqa: PLC0415  # it loads zeep and xmlschema: only this verb waits for them
    from lgsp.contract.adapter.notes import check_contract  # noqa: PLC0415  # as above

    run = invocation(ctx)
    files = [Path(name) for name in names or () if _is_contract(Path(name))]
    others = [name for name in names or () if not _is_contract(Path(name))]
    folders = _folders(run, others, adapters) if others or not files else []
    bound = {name.removeprefix(BIND): value for name, value in os.environ.items() if name.startswith(BIND)}
    trial = Trial(calls, bound if live else None, unsafe_too)
    try:
        judged = [_judged(folder, contracts, trial) for folder in folders]
    except SettingsError as error:
        raise typer.BadParameter(str(error), param_hint="--live") from error
    judged += [check_contract(path) for path in files]
    checked = [path.name for path in (*folders, *files)]
    if junit is not None:
        junit.write_text(written({name: found for name, (found, _) in zip(checked, judged, strict=True)}), encoding="utf-8")
    if _told(run, judged, checked, as_json=as_json):
        raise typer.Exit(REFUSED)


def _told(run: Invocation, judged: Sequence[Judged], checked: Sequence[str], *, as_json: bool) -> int:
    """How many findings there are."""
    findings = [finding for found, _ in judged for finding in found]
    if as_json:
        run.show_json([asdict(finding) for finding in findings])
        return len(findings)
    for note in (note for _, notes in judged for note in notes):
        run.tell("note", note=note)
    for finding in findings:
        run.line(str(finding))
    run.tell("findings", count=len(findings)) if findings else run.tell("sound", adapters=", ".join(checked))
    return len(findings)


def _judged(folder: Path, contracts: Path, trial: Trial) -> Judged:
    """Findings and notes: what stands wrong in the folder; where nothing does, what calls show."""
    from lgsp.cli.trials import tried  # noqa: PLC0415  # as above
    from lgsp.contract.adapter.check import judge_adapter  # noqa: PLC0415  # as above
    from lgsp.contract.adapter.notes import adapter_notes  # noqa: PLC0415  # as above

    adapter, findings = judge_adapter(folder, contracts)
    notes = adapter_notes(folder, contracts)
    if adapter is None or findings or not trial.calls:
        return findings, notes
    shown = asyncio.run(tried(adapter, folder, contracts, trial))
    return shown.findings, (*notes, *shown.notes)


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
