"""`lgsp translate SERVICE --replay N --mapping CANDIDATE`: what a changed mapping would make otherwise of messages that were sent."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.hub import segment
from lgsp.cli.invocation import REFUSED, USAGE, AsJson, invocation
from lgsp.cli.uses import service_named
from lgsp.config import HOME
from lgsp.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.cli.invocation import Invocation
    from lgsp.model.agreed import Service
    from lgsp.model.sample import FieldChange

MAPPING = "mapping.yaml"
Adapters = Annotated[Path, typer.Option(envvar="LGSP_ADAPTERS", file_okay=False, exists=True, help="folder of adapters")]
Contracts = Annotated[Path, typer.Option(envvar="LGSP_CONTRACTS", file_okay=False, exists=True, help="folder of contracts")]


def translate(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(help="code and major version of the service: dossiers/1")],
    *,
    replay: Annotated[int, typer.Option(min=1, max=1000, help="how many of the newest stored messages; the hub masks them")] = 100,
    mapping: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="candidate; none: the adapter's own, to try it")] = None,
    expect: Annotated[typer.FileText | None, typer.Option(help="accepted changes, a pointer a line: /HoTen, /DanhSach/*/Ma*")] = None,
    adapters: Adapters = HOME / "adapters",
    contracts: Contracts = HOME / "contracts",
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Send stored messages, masked, through a candidate mapping and show what would change, field by field; exit 1 on the unexpected."""
    from lgsp.mapping.replay import accepted_in, changed_fields, unexpected  # noqa: PLC0415  # with what reads contracts

    run = invocation(ctx)
    code, major = service_named(service)
    base, candidate, is_published = _both(run, (code, major), mapping, (adapters, contracts))
    samples = _samples(run, code, major, replay)
    operations: list[Mapping[str, Any]] = [{each.name: each for each in side.operations} for side in (base, candidate)]
    changes = changed_fields(operations[0], operations[1], samples)
    left = unexpected(changes, accepted_in(expect.read()) if expect is not None else ())
    if as_json:
        run.show_json({"messages": len(samples), "base_is_published": is_published, "changes": [_facts(each, left) for each in changes]})
    else:
        _show(run, changes, left, (len(samples), is_published))
    if left:
        raise typer.Exit(REFUSED)


def _both(run: Invocation, service: tuple[str, int], mapping: Path | None, places: tuple[Path, Path]) -> tuple[Service, Service, bool]:
    """The service as the adapter's folder has it and as the candidate makes it; and whether the hub publishes the former."""
    folder, base = _folder_of(run, service, *places)
    published = next((each for each in run.hub().ask("GET", "/services") if (each["code"], each["major"]) == service), None)
    is_published = published is not None and published["digest"] == base.digest
    if mapping is None:
        return base, base, is_published
    with TemporaryDirectory() as place:
        copy = Path(place) / folder.name
        shutil.copytree(folder, copy)
        shutil.copyfile(mapping, copy / MAPPING)
        return base, _read(run, copy, service, places[1]) or base, is_published


def _folder_of(run: Invocation, service: tuple[str, int], adapters: Path, contracts: Path) -> tuple[Path, Service]:
    for manifest in sorted(adapters.glob("*/adapter.yaml")):
        if service[0] in manifest.read_text(encoding="utf-8"):
            found = _read(run, manifest.parent, service, contracts)
            if found is not None:
                return manifest.parent, found
    raise typer.BadParameter(f"no adapter in {adapters.name}/ offers {service[0]}/{service[1]}", param_hint="SERVICE")


def _read(run: Invocation, folder: Path, service: tuple[str, int], contracts: Path) -> Service | None:
    from lgsp.contract.adapter.folder import read_adapter  # noqa: PLC0415  # it loads zeep and xmlschema

    try:
        services = read_adapter(folder, contracts).services
    except ContractError as error:
        for finding in error.findings:
            run.line(str(finding))
        raise typer.Exit(USAGE) from error
    return next((each for each in services if (each.code, each.major) == service), None)


def _samples(run: Invocation, code: str, major: int, limit: int) -> list[Any]:
    from lgsp.model.sample import Sample  # noqa: PLC0415  # as above

    found = run.hub().ask("GET", f"/samples?service={segment(code)}&major={major}&limit={limit}")
    return [
        Sample(
            message_id=each["message_id"],
            operation=each["operation"],
            received_at=datetime.fromisoformat(each["received_at"]).timestamp(),
            parameters=each["parameters"],
            request=each["request"],
            purpose=each["purpose"],
        )
        for each in found
    ]


def _show(run: Invocation, changes: Sequence[FieldChange], left: Sequence[FieldChange], told: tuple[int, bool]) -> None:
    messages, is_published = told
    if not is_published:
        run.tell("base_differs")
    if changes:
        rows = [
            (
                each.operation,
                each.call,
                each.pointer or "/",
                each.kind,
                str(each.count),
                f"{each.before} -> {each.after}",
                run.say(_word(each, left)),
            )
            for each in changes
        ]
        run.table(("operation", "call", "place", "kind", "messages", "example", "expected"), rows)
    run.tell("translated", messages=messages, changes=len(changes), unexpected=len(left))


def _word(change: FieldChange, left: Sequence[FieldChange]) -> str:
    return "no" if change in left else "yes"


def _facts(change: FieldChange, left: Sequence[FieldChange]) -> dict[str, Any]:
    return {
        "operation": change.operation,
        "call": change.call,
        "pointer": change.pointer,
        "kind": change.kind,
        "messages": change.count,
        "before": change.before,
        "after": change.after,
        "expected": change not in left,
    }
