"""`lgsp add FILE|FOLDER|ZIP`: a provider's OpenAPI, Swagger or WSDL becomes an adapter that is checked and whose twin answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgsp.cli.bridge import DataClass  # noqa: TC001  # typer reads it
from lgsp.cli.invocation import REFUSED, AsJson, Invocation, invocation
from lgsp.config import HOME

if TYPE_CHECKING:
    from collections.abc import Callable

    from lgsp.contract.adding.add import Added

Adapters = Annotated[Path, typer.Option(envvar="LGSP_ADAPTERS", file_okay=False, help="folder of adapters; made if it is not there")]
Contracts = Annotated[Path, typer.Option(envvar="LGSP_CONTRACTS", file_okay=False, help="folder of contracts; made if it is not there")]


def add(
    ctx: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(metavar="[FILE|FOLDER|ZIP]", exists=True, help="OpenAPI 3, Swagger 2.0, or WSDL 1.1 with its XSDs")
    ] = None,
    *,
    samples: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="in a contract's stead: OPERATION[.N].request.json and .reply.json")
    ] = None,
    name: Annotated[str, typer.Option(help="of the adapter's folder; made of the title")] = "",
    code: Annotated[str, typer.Option(help="of the service, in its address; made of the name")] = "",
    system: Annotated[str, typer.Option(help="X-Road identifier of the provider, VN/GOV/H99/land-office")] = "",
    title: Annotated[str, typer.Option(help="for people; the contract's own")] = "",
    port: Annotated[str, typer.Option(help="of a WSDL that has several")] = "",
    operation: Annotated[list[str] | None, typer.Option("--operation", "-o", help="only this one; may be given several times")] = None,
    data_class: Annotated[DataClass | None, typer.Option(help="personal where a field of such a name is found, else internal")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace what is there under this name")] = False,
    adapters: Adapters = HOME / "adapters",
    contracts: Contracts = HOME / "contracts",
    as_json: AsJson = False,
) -> None:
    """Add a provider by its contract alone: adapter, contracts, examples, README; whole or not at all."""
    from lgsp.contract.adding.add import add as write  # noqa: PLC0415  # it loads zeep and xmlschema: only this verb waits for them
    from lgsp.contract.adding.add import add_samples  # noqa: PLC0415  # as above
    from lgsp.contract.bridge.draft import Wish  # noqa: PLC0415  # as above

    run = invocation(ctx)
    if (path is None) is (samples is None):
        raise typer.BadParameter(run.say("one_origin"), param_hint="FILE")
    wish = Wish(
        name, port or None, operation or (), data_class.value if data_class else "", code=code, system=system, title=title, whole=False
    )
    origin, make = (path, write) if path is not None else (samples or Path(), add_samples)
    _show(run, _added(run, lambda: make(origin, wish, (adapters, contracts), force=force)), as_json=as_json)


def _added(run: Invocation, make: Callable[[], Added]) -> Added:
    """What was made; or every finding, and nothing made."""
    from lgsp.errors import ContractError  # noqa: PLC0415  # with what reads contracts

    try:
        return make()
    except ContractError as error:
        for finding in error.findings:
            run.line(str(finding))
        run.tell("not_added", count=len(error.findings))
        raise typer.Exit(REFUSED) from error
    except FileExistsError as error:
        raise typer.BadParameter(run.say("is_there", name=error) + " (--force, --name)", param_hint="--name") from error


def _show(run: Invocation, added: Added, *, as_json: bool) -> None:
    draft = added.draft
    address = f"/{draft.code}/{draft.major}"
    notes = [*map(str, draft.notes), *(f"{name}: {reason}" for name, reason in added.examples.missing.items())]
    folders = [_shown(folder) for folder in added.folders]
    if as_json:
        told = {"name": draft.name, "service": draft.code, "address": address, "operations": added.operations, "digest": added.digest}
        run.show_json({**told, "personal": draft.marks.fields, "in_address": draft.marks.in_address, "notes": notes, "folders": folders})
        return
    for folder in folders:
        run.line(folder)
    for note in notes:
        run.tell("note", note=note)
    for place in draft.marks.in_address:
        run.tell("in_address", place=place)
    values = {"count": added.operations, "personal": len(draft.marks.fields), "address": address}
    run.tell("added", name=draft.name, code=draft.code, **values)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
