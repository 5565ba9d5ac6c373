"""`lgsp publish`, `lgsp approve`, `lgsp reject`, `lgsp rollback`, `lgsp history`, `lgsp nodes`: from a folder to every node, and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.check import Adapters, Contracts  # noqa: TC001  # typer reads it when the verb is made a command
from lgsp.cli.hub import segment
from lgsp.cli.invocation import REFUSED, AsJson, Invocation, invocation
from lgsp.config import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DIGEST_SHOWN, PREFIX = 12, "sha256:"
MINUTES = 16
CHANGES_SHOWN = 20
ARCHIVE, BUNDLE = "application/x-tar", ".tar"
PATIENCE_S = 120.0
Reason = Annotated[str, typer.Option("--reason", help="why; the history keeps it")]


def publish(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ADAPTER]...", help="names, folders, bundles (.tar); none: all that differ")
    ] = None,
    *,
    to: Annotated[str, typer.Option("--to", help="management address of the hub, in place of --hub")] = "",
    reason: Reason = "",
    breaking: Annotated[str, typer.Option("--approve-breaking", help="why it goes out although it breaks consumers")] = "",
    gateway: Annotated[str, typer.Option(envvar="LGSP_GATEWAY", help="data-plane address, for the lines that are printed")] = "",
    out: Annotated[Path | None, typer.Option("--out", file_okay=False, help="write bundles to this folder and publish nothing")] = None,
    adapters: Adapters = HOME / "adapters",
    contracts: Contracts = HOME / "contracts",
    as_json: AsJson = False,
) -> None:  # budget: a command's options are its parameters
    """Publish adapters on every node of a hub, or on none; what is live already stays as it is."""
    run = invocation(ctx)
    run = replace(run, hub_url=to.rstrip("/")) if to else run
    said = {name: text for name, text in (("reason", reason), ("approve_breaking", breaking)) if text}
    told = []
    bundles = _bundles(run, names or [], (adapters, contracts))
    if out is not None:
        _write(run, out, bundles)
        return
    for folder, content in bundles:
        kept = run.hub().send_bytes("/bundles", ARCHIVE, content)
        outcome = run.hub().ask("POST", "/editions", {"digest": kept["digest"], **said}, timeout_s=PATIENCE_S)
        told.append(outcome)
        if not as_json:
            _show(run, outcome)
            _show_addresses(run, outcome, gateway, (folder, contracts))
    if as_json:
        run.show_json(told)


def approve(
    ctx: typer.Context, edition: Annotated[str, typer.Argument(help="id of the proposed edition")], *, as_json: AsJson = False
) -> None:
    """Put an edition live that somebody else proposed."""
    _decide(invocation(ctx), edition, "approve", as_json=as_json)


def reject(
    ctx: typer.Context, edition: Annotated[str, typer.Argument(help="id of the proposed edition")], *, as_json: AsJson = False
) -> None:
    """Have a proposed edition never go live."""
    _decide(invocation(ctx), edition, "reject", as_json=as_json)


def rollback(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(help="code of a service, or name of its adapter")],
    *,
    to: Annotated[str, typer.Option("--to", help="digest of an edition that was live, or its beginning")] = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Serve again what was live before."""
    run = invocation(ctx)
    digest = {"digest": PREFIX + to.removeprefix(PREFIX)} if to else {}
    body = {"service": service, **digest, **({"reason": reason} if reason else {})}
    outcome = run.hub().ask("POST", "/editions/rollbacks", body, timeout_s=PATIENCE_S)
    run.show_json(outcome) if as_json else _show(run, outcome)


def history(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(help="code of a service, or name of its adapter; none: all")] = "",
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 30,
    as_json: AsJson = False,
) -> None:
    """What was published when, by whom, with what changes, approved by whom; the newest first."""
    run = invocation(ctx)
    query = f"/editions?limit={limit}" + (f"&service={segment(service)}" if service else "")
    found = run.hub().ask("GET", query)
    if as_json:
        run.show_json(found)
        return
    run.table(("at", "adapter", "verb", "digest", "author", "changes_word", "reason"), [_row(each) for each in found])


def nodes(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """The processes that serve, and whether they serve what is live."""
    run = invocation(ctx)
    found = run.hub().ask("GET", "/nodes")
    if as_json:
        run.show_json(found)
        return
    run.table(("node", "roles", "current"), [(each["id"], each["roles"], run.say("yes" if each["current"] else "no")) for each in found])


def _bundles(run: Invocation, names: Sequence[str], folders: tuple[Path, Path]) -> Iterator[tuple[Path, bytes]]:
    from lgsp.contract.adapter.bundle import bundle_adapter  # noqa: PLC0415  # only this verb waits for what reads contracts
    from lgsp.errors import ContractError  # noqa: PLC0415  # as above

    adapters, contracts = folders
    chosen = [Path(name) if (Path(name) / "adapter.yaml").exists() or name.endswith(BUNDLE) else adapters / name for name in names]
    for folder in chosen or sorted(path.parent for path in adapters.glob("*/adapter.yaml")):
        if folder.suffix == BUNDLE and folder.is_file():
            yield folder, folder.read_bytes()
            continue
        if not (folder / "adapter.yaml").exists():
            raise typer.BadParameter(run.say("no_adapter", name=folder), param_hint="ADAPTER")
        try:
            yield folder, bundle_adapter(folder.resolve(), contracts)
        except ContractError as error:
            for finding in error.findings:
                run.line(str(finding))
            raise typer.Exit(REFUSED) from error


def _write(run: Invocation, out: Path, bundles: Iterator[tuple[Path, bytes]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for folder, content in bundles:
        path = out / f"{folder.name}{BUNDLE}"
        path.write_bytes(content)
        run.tell("saved", path=path)


def _decide(run: Invocation, edition: str, decision: str, *, as_json: bool) -> None:
    outcome = run.hub().ask("POST", f"/editions/{segment(edition)}/decisions", {"decision": decision}, timeout_s=PATIENCE_S)
    run.show_json(outcome) if as_json else _show(run, outcome)


def _show(run: Invocation, outcome: dict[str, Any]) -> None:
    edition = outcome["edition"]
    for change in edition["changes"][:CHANGES_SHOWN]:
        run.line(f"  {change}")
    if len(edition["changes"]) > CHANGES_SHOWN:
        run.tell("more_changes", count=len(edition["changes"]) - CHANGES_SHOWN)
    facts = {"adapter": edition["adapter"], "digest": edition["digest"], "id": edition["id"], "hub": run.hub_url}
    if edition["state"] == "proposed":
        run.tell("edition_waits", **facts)
    elif edition["state"] == "rejected":
        run.tell("edition_rejected", **facts)
    else:
        nodes = outcome["nodes"]
        run.tell("edition_live" if outcome["changed"] else "edition_was_live", live=nodes["live"], of=nodes["of"], **facts)


def _show_addresses(run: Invocation, outcome: dict[str, Any], gateway: str, folders: tuple[Path, Path]) -> None:
    """Where the contract is read, and a call that works for a consumer with a right to it."""
    from lgsp.cli.try_ import first_trial  # noqa: PLC0415  # it compiles the adapter

    base = gateway.rstrip("/") or outcome["public_url"] or "http://127.0.0.1:8080"
    if outcome["edition"]["state"] == "proposed":
        return
    for service in outcome["services"]:
        address = f"{base}/{service['code']}/{service['major']}"
        run.line(f"  {service['code']} {service['version']}: {address}/openapi.json  {address}/soap?wsdl")
        trial = first_trial(base, *folders, service["code"]) if folders[0].is_dir() else None
        if trial is not None:
            run.line(trial.curl(base))


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for change in each["changes"]:
        severity = change.partition(":")[0]
        counts[severity] = counts.get(severity, 0) + 1
    changes = ", ".join(f"{count} {severity}" for severity, count in counts.items())
    approved = f" / {each['decided_by']}" if each["decided_by"] not in {"", each["author"]} else ""
    waiting = each["id"] if each["state"] == "proposed" else ""
    why = "; ".join(text for text in (each["reason"], each["breaking"], *each["refusals"], waiting) if text)
    act, digest = f"{each['verb']}: {each['state']}", each["digest"].removeprefix(PREFIX)[:DIGEST_SHOWN]
    return each["at"][:MINUTES], each["adapter"], act, digest, each["author"] + approved, changes, why
