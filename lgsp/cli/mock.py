"""`lgsp mock CONTRACT`: a stand-in of any contract, or its guard before a real provider, until Ctrl-C."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgsp.cli.invocation import USAGE, invocation
from lgsp.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp

    Mocked = tuple[ASGIApp, str, Sequence[str]]

ZEEP = "(SOAP encoding or several parts in a body: not mocked)"
EXAMPLES = "examples"
Contract = Annotated[Path, typer.Argument(exists=True, readable=True, help="an OpenAPI or Swagger file; a WSDL, its folder or its zip")]


def mock(
    ctx: typer.Context,
    contract: Contract,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 8300,
    seed: Annotated[int, typer.Option(min=0, help="makes the invented answers")] = 0,
    proxy: Annotated[str, typer.Option(metavar="URL", help="a real provider, held to the contract on both sides")] = "",
    examples: Annotated[
        Path | None, typer.Option(file_okay=False, exists=True, help="of a WSDL: OPERATION[.NAME].xml or .json; examples/ beside it")
    ] = None,
) -> None:
    """Serve a contract: its examples or invented answers; /_twin/faults orders faults, /_twin/ledger shows the calls."""
    from lgsp.contract.kind import Kind, kind_of  # noqa: PLC0415  # only this verb waits for what reads contracts
    from lgsp.twin.serve import serving  # noqa: PLC0415

    run = invocation(ctx)
    try:
        is_wsdl = kind_of(contract) is Kind.WSDL
        app, title, listed = _of_wsdl(contract, seed, proxy, examples) if is_wsdl else _of_openapi(contract, seed, proxy)
    except ContractError as error:
        for finding in error.findings:
            run.line(str(finding))
        raise typer.Exit(USAGE) from error

    async def serve() -> None:
        async with serving(app, port=port) as address:
            run.tell("mocked", title=title, address=address)
            for line in listed:
                run.line(f"  {line}")
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except OSError as error:
        raise typer.BadParameter(str(error.strerror), param_hint="--port") from error
    except KeyboardInterrupt:
        return


def _of_openapi(path: Path, seed: int, proxy: str) -> Mocked:
    from lgsp.contract.openapi.read import read_openapi  # noqa: PLC0415  # as above
    from lgsp.twin.proxy import ContractProxy  # noqa: PLC0415
    from lgsp.twin.rest import RestTwin  # noqa: PLC0415

    read = read_openapi(path)
    listed = [f"{operation.method:<6} {operation.path}" for operation in read.operations.values()]
    return ContractProxy(read, proxy) if proxy else RestTwin(read, seed), f"{read.title} {read.version}", listed


def _of_wsdl(path: Path, seed: int, proxy: str, examples: Path | None) -> Mocked:
    from lgsp.contract.wsdl.files import read_documents  # noqa: PLC0415  # as above
    from lgsp.contract.wsdl.read import contract_of  # noqa: PLC0415
    from lgsp.contract.wsdl.source import open_source  # noqa: PLC0415
    from lgsp.twin.soap import SoapTwin  # noqa: PLC0415
    from lgsp.twin.soap_examples import read_examples  # noqa: PLC0415
    from lgsp.twin.soap_proxy import SoapProxy  # noqa: PLC0415

    documents = read_documents(*open_source(path))
    contract = contract_of(documents)
    folder = examples or (path if path.is_dir() else path.parent) / EXAMPLES
    given = read_examples(folder, contract) if folder.is_dir() else None
    twin = SoapProxy(contract, documents, proxy) if proxy else SoapTwin(contract, documents, seed, given)
    listed = [f"POST   {twin.paths[port.name]}  {name}" for port in contract.ports for name in port.operations]
    listed += [f"POST   {twin.paths[port.name]}  {name}  {ZEEP}" for port in contract.ports for name in port.by_zeep]
    return twin, contract.ports[0].service if contract.ports else contract.main, listed
