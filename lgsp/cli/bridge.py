"""`lgsp bridge FILE`: a provider's WSDL as a REST service, its OpenAPI as a SOAP service; shown, or written as an adapter's folder."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003  # typer reads it
from typing import Annotated

import typer

from lgsp.cli.invocation import REFUSED, AsJson, invocation


class DataClass(StrEnum):
    """How sensitive the data are; the safe answer is the default."""

    PERSONAL = "personal"
    INTERNAL = "internal"
    OPEN = "open"


def bridge(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="WSDL (.wsdl) or OpenAPI (.yaml, .json) of a provider")],
    *,
    to: Annotated[Path | None, typer.Option(file_okay=False, help="write the adapter here, below adapters/ and contracts/")] = None,
    name: Annotated[str, typer.Option(help="of the adapter; without it, made of the file's title")] = "",
    port: Annotated[str, typer.Option(help="of the WSDL; needed where it has several")] = "",
    operation: Annotated[list[str] | None, typer.Option("--operation", "-o", help="only this one; may be given several times")] = None,
    data_class: Annotated[DataClass, typer.Option(help="personal data need the purpose headers")] = DataClass.PERSONAL,
    as_json: AsJson = False,
) -> None:
    """Offer a provider's WSDL as REST, its OpenAPI as SOAP: a draft that `check` passes and people may edit."""
    from lgsp.contract.bridge.draft import Wish, draft_of  # noqa: PLC0415  # it loads zeep and xmlschema: only this verb waits for them
    from lgsp.errors import ContractError  # noqa: PLC0415  # as above

    run = invocation(ctx)
    try:
        draft = draft_of(file, Wish(name, port or None, operation or (), data_class.value))
        written = draft.write(to) if to is not None else []
    except ContractError as error:
        for finding in error.findings:
            run.line(str(finding))
        run.tell("findings", count=len(error.findings))
        raise typer.Exit(REFUSED) from error
    except FileExistsError as error:
        raise typer.BadParameter(run.say("is_there", name=error), param_hint="--to") from error
    if as_json:
        run.show_json({"name": draft.name, "written": written})
    elif to is None:
        content = draft.files[draft.answer]
        typer.echo((content if isinstance(content, str) else content.decode()).rstrip())
    else:
        for path in written:
            run.line(path)
        address = f"/{draft.name.replace('_', '-')}/{draft.major}"
        run.tell("bridged", name=draft.name, address=address, bind=f"LGSP_BIND_{draft.name.upper()}_URL")
