"""`lgsp audit`: the evidence of a hub, for those who do not have to trust it; who looked at whose data is in access.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import typer

from lgsp.cli import access
from lgsp.cli.hub import segment
from lgsp.cli.invocation import REFUSED, AsJson, invocation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lgsp.cli.hub import RemoteHub
    from lgsp.cli.invocation import Invocation

app = typer.Typer(no_args_is_help=True, help="Evidence of what happened: verify it, prove it, export it; who looked at whose data.")
for verb in (access.subject, access.official, access.dossier, access.breach):
    app.command()(verb)

PAGE = 1000

Withheld = Annotated[list[str] | None, typer.Option("--withhold", help="a field that the file shows only by its digest; may be repeated")]
Out = Annotated[Path | None, typer.Option("--out", help="the file to write, in place of standard output")]


@app.command()
def verify(
    ctx: typer.Context,
    heads: Annotated[Path | None, typer.Option(help="heads that left the hub, a JSON object a line, or a folder of them")] = None,
    *,
    log: Annotated[bool, typer.Option(help="compare the log and the acts with what was sealed of them, too")] = True,
    as_json: AsJson = False,
) -> None:
    """Walk the whole tree; exit 1 and the first bad leaf where it does not hold."""
    run = invocation(ctx)
    hub, kept = run.hub(), _kept(heads)
    wrong, size, batch = None, 0, 0
    for step in _walk(hub):
        wrong = _differs(kept, step, size) or step.get("wrong")
        size, batch = step["size"], step["batch"]
        if wrong:
            break
    else:
        beyond = [each for each in kept if each > size]
        wrong = {"leaf": size, "reason": run.say("tail_missing", size=min(beyond))} if beyond else None
    wrong = wrong or (_compared(hub) if log else None)
    if as_json:
        run.show_json({"size": size, "batch": batch, "compared": len(kept), **({"wrong": wrong} if wrong else {})})
    elif wrong:
        run.tell("evidence_wrong", leaf=wrong["leaf"], reason=wrong["reason"])
    else:
        run.tell("evidence_whole", size=size, batch=batch, compared=len(kept))
    if wrong:
        raise typer.Exit(REFUSED)


@app.command()
def prove(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(help="id of an exchange, or what an act was about")],
    withhold: Withheld = None,
    out: Out = None,
) -> None:
    """One offline file: the leaves about it, their paths, a signed head, the key; evidence/verifier.py checks it without a hub."""
    run = invocation(ctx)
    proof = run.hub().ask("GET", f"/evidence/proofs/{segment(subject)}{_query(withhold=withhold or ())}")
    _write(run, [json.dumps(proof, ensure_ascii=False, indent=2)], out)


@app.command()
def export(
    ctx: typer.Context,
    start: Annotated[int, typer.Option("--from", min=0, help="the first leaf")] = 0,
    end: Annotated[int | None, typer.Option("--to", min=1, help="the leaf to end before, rounded up to the end of its batch")] = None,
    withhold: Withheld = None,
    out: Out = None,
) -> None:
    """A range of leaves with their signed heads, a JSON object a line; evidence/verifier.py checks it without a hub."""
    run = invocation(ctx)
    hub = run.hub()
    _write(run, (json.dumps(line, ensure_ascii=False) for line in _lines(hub, start, end, withhold or ())), out)


@app.command()
def report(
    ctx: typer.Context,
    since: Annotated[str, typer.Option(help="RFC 3339: 2026-11-23T08:00:00+07:00")] = "",
    until: Annotated[str, typer.Option(help="RFC 3339")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """What happened in a time, counted from the leaves: exchanges by consumer, operation and outcome; acts by verb and author."""
    run = invocation(ctx)
    found = run.hub().ask("GET", f"/evidence/report{_query(since=since, until=until)}")
    if as_json:
        run.show_json(found)
        return
    run.tell("reported", since=found["since"], until=found["until"])
    exchanges = [(each["consumer"], each["operation"], each["outcome"], str(each["count"])) for each in found["exchanges"]]
    run.table(("consumer", "operation", "outcome", "count"), exchanges)
    run.table(("verb", "author", "count"), [(each["verb"], each["author"], str(each["count"])) for each in found["acts"]])
    if found["head"]:
        head = found["head"]
        run.tell("newest_head", size=head["size"], at=head["at"], root=head["root"], signer=head["key"])


@app.command()
def rotate(ctx: typer.Context) -> None:
    """Sign the heads to come with a new key; heads that older keys signed stay good."""
    run = invocation(ctx)
    run.tell("evidence_key", signer=run.hub().ask("POST", "/evidence/keys")["key"])


@app.command()
def erase(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(help="id of an exchange")],
    field: Annotated[list[str], typer.Option("--field", help="official, dossier, public_service or subjects; may be repeated")],
) -> None:
    """Erase fields that tell of people from the leaves of an exchange, for good; the rest still verifies."""
    run = invocation(ctx)
    done = run.hub().ask("POST", f"/evidence/exchanges/{segment(message)}/erasures", {"fields": field})
    run.tell("erased", fields=", ".join(field), message=message, count=done["leaves"])


@app.command()
def witnessed(
    ctx: typer.Context, hub: Annotated[str, typer.Argument(help="the hub whose heads are kept here, by its issuer")], out: Out = None
) -> None:
    """The heads of another hub that this one keeps, a JSON object a line: what `lgsp audit verify --heads` takes."""
    run = invocation(ctx)
    heads, after = [], 0
    while page := run.hub().ask("GET", f"/evidence/witnessed{_query(hub=hub, after=after, limit=PAGE)}"):
        heads += page
        after = page[-1]["batch"]
    _write(run, [json.dumps(head) for head in heads], out)


def _walk(hub: RemoteHub) -> Iterator[dict[str, Any]]:
    """The steps of the walk, up to the newest head or the first that is wrong."""
    step: dict[str, Any] = {"size": 0, "front": [], "batch": 0, "done": False}
    while not step["done"]:
        step = hub.ask("POST", "/evidence/walks", {name: step[name] for name in ("size", "front", "batch")})
        yield step
        if "wrong" in step:
            return


def _compared(hub: RemoteHub) -> dict[str, Any] | None:
    """The first row of log or acts that is not what was sealed."""
    step: dict[str, Any] = {"size": 0, "log": 0, "act": 0, "done": False}
    while not step["done"]:
        step = hub.ask("POST", "/evidence/comparisons", {name: step[name] for name in ("size", "log", "act")})
        for each in step["differences"]:
            return {"leaf": each["leaf"], "reason": f"{each['source']} {each['reason']}"}
    return None


def _kept(path: Path | None) -> dict[int, str]:
    """Roots by size, as they left the hub."""
    if path is None:
        return {}
    try:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        lines = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines() if line.strip()]
        return {head["size"]: head["root"] for head in lines}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(f"{path}: no heads, a JSON object a line ({error})", param_hint="--heads") from error


def _differs(kept: dict[int, str], step: dict[str, Any], since: int) -> dict[str, Any] | None:
    """The first kept head on this stretch that the hub does not have any more; what comes after the one before it was rewritten."""
    own = {head["size"]: head["root"] for head in step["heads"]}
    sizes = sorted(size for size in kept if since < size <= step["size"])
    for before, size in zip([since, *sizes], sizes, strict=False):
        if own.get(size) != kept[size]:
            return {"leaf": before, "reason": f"the head of {size} leaves that left the hub is not the hub's own: history was rewritten"}
    return None


def _lines(hub: RemoteHub, start: int, end: int | None, withheld: Sequence[str]) -> Iterator[dict[str, Any]]:
    at: int | None = start
    first: dict[str, Any] = {}
    while at is not None:
        page = hub.ask("GET", f"/evidence/leaves{_query(start=at, end=first.get('to', end) or '', withhold=withheld)}")
        if not first:
            first = page["first"]
            yield first
        yield from page["lines"]
        at = page["next"]


def _write(run: Invocation, lines: Any, out: Path | None) -> None:
    if out is None:
        for line in lines:
            typer.echo(line)
        return
    with out.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    run.tell("saved", path=out)


def _query(**values: Any) -> str:
    told = {name: ",".join(value) if isinstance(value, list | tuple) else value for name, value in values.items()}
    told = {name: value for name, value in told.items() if value not in {"", None}}
    return f"?{urlencode(told)}" if told else ""
