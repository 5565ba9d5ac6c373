"""`lgsp bench`: how fast this hub is on this machine, beside the naive way, a pass-through and nginx, all in one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lgsp.bench.report import Report

FAILED = 1
MEDIATION_CONNECTIONS, ACCEPT_CONNECTIONS = 32, 64

Seconds = Annotated[float, typer.Option(help="how long each server is loaded in each round", min=1)]
Rounds = Annotated[int, typer.Option(help="how often; the table shows medians", min=1)]
JsonFile = Annotated[Path | None, typer.Option("--json", help="write what was found to this file too", dir_okay=False)]

app = typer.Typer(no_args_is_help=True, help="Measure this hub on this machine, beside others.")


@app.command("mediation")
def mediation_(
    seconds: Seconds = 5.0,
    rounds: Rounds = 3,
    soak: Annotated[int, typer.Option(help="requests to send while memory is watched; 0: none", min=0)] = 0,
    json_file: JsonFile = None,
) -> None:
    """Measure a dossier in as REST, to the provider as SOAP, back as REST."""
    from lgsp.bench import mediation  # noqa: PLC0415  # as in `_report`

    judged, unjudged = _with_and_without_verdict()
    options = mediation.Options(seconds, rounds, MEDIATION_CONNECTIONS, soak, _say, judged, unjudged)
    _report(lambda: mediation.run(options), json_file)


@app.command("accept")
def accept_(seconds: Seconds = 5.0, rounds: Rounds = 3, json_file: JsonFile = None) -> None:
    """Measure durable 202s beside a commit and a confirmed publish for each request."""
    from lgsp.bench import accept  # noqa: PLC0415  # as in `_report`

    _report(lambda: accept.run(accept.Options(seconds, rounds, ACCEPT_CONNECTIONS, _say)), json_file)


@app.command("deliver")
def deliver_(
    messages: Annotated[int, typer.Option(help="how many wait before the workers start", min=1000)] = 20_000,
    workers: Annotated[int, typer.Option(help="measured with one worker and with so many", min=1)] = 2,
    kind: Annotated[list[str] | None, typer.Option(help="entry (REST, 250 bytes) or 2kB (SOAP); both if not given")] = None,
    json_file: JsonFile = None,
) -> None:
    """Measure how fast a backlog on PostgreSQL is worked off."""
    from lgsp.bench import deliver  # noqa: PLC0415  # as in `_report`

    kinds = tuple(kind or deliver.KINDS)
    _report(lambda: deliver.run(deliver.Options(messages, workers, kinds, ACCEPT_CONNECTIONS, _say)), json_file)


@app.command("history")
def history_(
    messages: Annotated[int, typer.Option(help="how long the long history is", min=20_000)] = 3_000_000,
    rounds: Rounds = 3,
    json_file: JsonFile = None,
) -> None:
    """Measure what millions of settled messages cost those that come now."""
    from lgsp.bench import history  # noqa: PLC0415  # as in `_report`

    _report(lambda: history.run(history.Options(messages, rounds, _say)), json_file)


@app.command("services")
def services_(
    services_count: Annotated[int, typer.Option("--services", help="how many more than the bench's own", min=1)] = 200,
    seconds: Seconds = 4.0,
    rounds: Rounds = 3,
    json_file: JsonFile = None,
) -> None:
    """Measure what many services cost: start, memory, publishing one, a request."""
    from lgsp.bench import services  # noqa: PLC0415  # as in `_report`

    _report(lambda: services.run(services.Options(services_count, seconds, rounds, _say)), json_file)


@app.command("overload")
def overload_(
    seconds: Annotated[float, typer.Option(help="how long the flood lasts", min=3)] = 20.0,
    operation: Annotated[str, typer.Option(help="submitDossier (answered at once) or storeDossier (stored)")] = "submitDossier",
    json_file: JsonFile = None,
) -> None:
    """Send three times what the hub can do, and see what becomes of it."""
    from lgsp.bench import overload  # noqa: PLC0415  # as in `_report`

    _report(lambda: overload.run(overload.Options(seconds, operation, _say)), json_file)


@app.command("codec")
def codec_(seconds: Annotated[float, typer.Option(min=0.1)] = 1.0, rounds: Rounds = 5, json_file: JsonFile = None) -> None:
    """Measure a SOAP message of 2 kB and of 340 kB to bytes and back, beside zeep and bare lxml."""
    from lgsp.bench import codec  # noqa: PLC0415  # as in `_report`
    from lgsp.codec.soap.speech import decode, encode  # noqa: PLC0415  # with the contract reader it loads zeep and xmlschema
    from lgsp.contract.wsdl.read import read_contract  # noqa: PLC0415

    speech = read_contract(codec.WSDL).port().operations[codec.OPERATION]

    def read(data: bytes) -> object:
        return decode(speech, data, reply=True)

    _report(lambda: codec.run(codec.Options(seconds, rounds, lambda native: encode(speech, native), read, _say)), json_file)


def _with_and_without_verdict() -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The SOAP work of one exchange at 2 kB: as the hub does it, and with nothing judged."""
    from lgsp.bench import codec  # noqa: PLC0415  # as in `_report`
    from lgsp.bench.peers import provider  # noqa: PLC0415
    from lgsp.contract.wsdl.read import read_contract  # noqa: PLC0415

    speech = read_contract(codec.WSDL).port().operations[codec.OPERATION]
    native = codec.native_value("2 kB")
    reply = provider.answer(speech.request.write(native)[0])[1]

    def judged() -> Any:
        return speech.request.write(native), speech.read(reply)

    def unjudged() -> Any:
        return speech.request.careful(native).encode(), speech.decode(reply)

    return judged, unjudged


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _report(measure: Callable[[], Report], json_file: Path | None) -> None:
    from lgsp.bench.report import show  # noqa: PLC0415  # every start of a hub passes this file: only who measures waits for the benches
    from lgsp.bench.servers import BenchError  # noqa: PLC0415  # as above

    try:
        report = measure()
    except BenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
    show(report)
    if json_file is not None:
        json_file.write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
