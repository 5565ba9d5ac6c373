"""`lgsp mock CONTRACT`: a stand-in of any contract, or its guard before a real provider, until Ctrl-C."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from lgsp.cli.invocation import USAGE, invocation
from lgsp.errors import ContractError

Contract = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]


def mock(
    ctx: typer.Context,
    contract: Contract,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 8300,
    seed: Annotated[int, typer.Option(min=0, help="makes the invented answers")] = 0,
    proxy: Annotated[str, typer.Option(metavar="URL", help="a real provider, held to the contract on both sides")] = "",
) -> None:
    """Serve an OpenAPI contract: its examples or invented answers; /_twin/faults orders faults, /_twin/ledger shows the calls."""
    from lgsp.contract.kind import kind_of  # noqa: PLC0415  # only this verb waits for what reads contracts
    from lgsp.contract.openapi.read import read_openapi  # noqa: PLC0415
    from lgsp.twin.proxy import ContractProxy  # noqa: PLC0415
    from lgsp.twin.rest import RestTwin  # noqa: PLC0415
    from lgsp.twin.serve import serving  # noqa: PLC0415

    run = invocation(ctx)
    try:
        kind_of(contract)
        read = read_openapi(contract)
    except ContractError as error:
        for finding in error.findings:
            run.line(str(finding))
        raise typer.Exit(USAGE) from error

    async def serve() -> None:
        async with serving(ContractProxy(read, proxy) if proxy else RestTwin(read, seed), port=port) as address:
            run.tell("mocked", title=read.title, version=read.version, address=address)
            for operation in read.operations.values():
                run.line(f"  {operation.method:<6} {operation.path}")
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except OSError as error:
        raise typer.BadParameter(str(error.strerror), param_hint="--port") from error
    except KeyboardInterrupt:
        return
