"""`lgsp soap encode|decode|operations`: a value to an envelope and back, by a WSDL alone; nothing is sent."""

from __future__ import annotations

import sys
from pathlib import Path  # typer reads it
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import msgspec
import typer

from lgsp.cli.invocation import REFUSED, AsJson, invocation
from lgsp.codec import json
from lgsp.errors import CodecError, ContractError
from lgsp.model.agreed import SoapFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.codec.soap.speech import Speech
    from lgsp.contract.wsdl.read import Port
    from lgsp.errors import Violation

FAULT_KEY = "#fault"

Wsdl = Annotated[Path, typer.Option(exists=True, help="WSDL, its folder, or a zip of it")]
PortName = Annotated[str, typer.Option(help="of the WSDL; needed where it has several")]
OperationName = Annotated[str, typer.Option(help="its name in the WSDL")]
Response = Annotated[bool, typer.Option("--response", help="the answer instead of the request")]
Source = Annotated[str, typer.Argument(metavar="FILE", help="- for standard input")]

app = typer.Typer(no_args_is_help=True, help="SOAP by a WSDL alone: a value in JSON to an envelope and back.")


@app.command("encode")
def encode(file: Source, *, wsdl: Wsdl, operation: OperationName, port: PortName = "", response: Response = False) -> None:
    """JSON to an envelope; every place that breaks the contract is told, and nothing is written then."""
    found = _port(wsdl, port)
    try:
        value = json.decode(_read(file))
        content, violations = _written(found, operation, value, response=response)
    except CodecError as error:
        _refuse(str(error))
    _refuse_violations(violations)
    sys.stdout.buffer.write(content + b"\n")


@app.command("decode")
def decode(file: Source, *, wsdl: Wsdl, operation: OperationName, port: PortName = "", response: Response = False) -> None:
    """An envelope to JSON; places that break the contract are told beside it, and end with 1."""
    found = _port(wsdl, port)
    try:
        value, violations = _understood(found, operation, _read(file), response=response)
    except CodecError as error:
        _refuse(str(error))
    typer.echo(msgspec.json.format(json.encode(_shown(value)), indent=2).decode())
    _refuse_violations(violations)


@app.command("operations")
def operations(ctx: typer.Context, *, wsdl: Wsdl, as_json: AsJson = False) -> None:
    """What a WSDL offers: its ports, their operations, and what was accepted with a warning."""
    from lgsp.contract.wsdl.read import read_contract  # noqa: PLC0415  # it loads zeep and xmlschema: only this verb waits for them

    run = invocation(ctx)
    try:
        contract = read_contract(wsdl)
    except ContractError as error:
        _refuse("\n".join(map(str, error.findings)))
    rows = [(port.name, name, "codec") for port in contract.ports for name in port.operations]
    rows += [(port.name, name, "zeep") for port in contract.ports for name in port.by_zeep]
    if as_json:
        run.show_json({"operations": [dict(zip(("port", "operation", "by"), row, strict=True)) for row in rows]})
        return
    for row in rows:
        run.line("  ".join(row))
    for note in contract.notes:
        run.tell("note", note=note)


def _port(wsdl: Path, port: str) -> Port:
    from lgsp.contract.wsdl.read import read_contract  # noqa: PLC0415  # it loads zeep and xmlschema: only this verb waits for them

    try:
        return read_contract(wsdl).port(port or None)
    except ContractError as error:
        _refuse("\n".join(map(str, error.findings)))


def _written(port: Port, operation: str, value: Any, *, response: bool) -> tuple[bytes, Sequence[Violation]]:
    if operation in port.by_zeep and not response:
        return port.by_zeep[operation].write(value)
    speech = _speech(port, operation)
    if response and isinstance(value, dict) and value.keys() == {FAULT_KEY}:
        from lgsp.codec.soap.speech import encode as encode_fault  # noqa: PLC0415  # as above

        return encode_fault(speech, _fault(value[FAULT_KEY]), reply=True), ()
    content, violations = speech.side(reply=response).write(value)
    return content, violations


def _understood(port: Port, operation: str, data: bytes, *, response: bool) -> tuple[Any, Sequence[Violation]]:
    if operation in port.by_zeep and response:
        return port.by_zeep[operation].read(data)
    speech = _speech(port, operation)
    if response:
        return speech.read(data)
    return speech.request.read_once(data)


def _speech(port: Port, operation: str) -> Speech:
    if operation in port.by_zeep:
        raise CodecError(f"zeep speaks {operation}, and knows only the consumer's end: encode its request, decode its response")
    if operation not in port.operations:
        raise CodecError(f"port {port.name} has no operation {operation}; it has {', '.join(port.operations)}")
    return port.operations[operation]


def _fault(value: Any) -> SoapFault:
    try:
        return msgspec.convert(value, SoapFault, strict=True)
    except msgspec.ValidationError as error:
        raise CodecError(f"{FAULT_KEY}: {error}") from error


def _shown(value: Any) -> Any:
    """A fault as an object with the one key `#fault`."""
    if not isinstance(value, SoapFault):
        return value
    told = {name: getattr(value, name) for name in ("code", "reason", "detail", "name", "subcode", "actor")}
    return {FAULT_KEY: {name: item for name, item in told.items() if item not in ("", None)}}


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        with open(file, "rb") as opened:  # noqa: PTH123  # a name, or a pipe of the shell
            return opened.read()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from error


def _refuse(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(REFUSED)


def _refuse_violations(violations: Sequence[Violation]) -> None:
    if violations:
        _refuse("\n".join(f"{each.pointer or '/'}: {each.detail} [{each.code}]" for each in violations))
