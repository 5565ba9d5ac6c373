"""`lgsp try SERVICE`: get a token, call with the first golden example of the adapter, show request, answer and the same by curl."""

from __future__ import annotations

import base64
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, quote_plus

import typer
import yaml

from lgsp.cli import keep
from lgsp.cli.check import Adapters, Contracts  # noqa: TC001  # typer reads it when the verb is made a command
from lgsp.cli.hub import RefusedError
from lgsp.cli.invocation import REFUSED, AsJson, Invocation, invocation
from lgsp.cli.wire import Answer, send
from lgsp.config import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lgsp.contract.adapter.golden import Example
    from lgsp.model.agreed import Operation

FORM = "application/x-www-form-urlencoded"
REFUSALS = 400
BODILESS = frozenset({"GET", "HEAD", "DELETE"})
SHOWN = ("content-type", "location", "retry-after", "ratelimit", "idempotent-replayed", "lgsp-message-id")
PURPOSE = {"Lgsp-Purpose": "xac-minh-ho-so", "Lgsp-Official": "CB-0042", "Lgsp-Public-Service": "1.004873", "Lgsp-Dossier": "H99-000-0001"}
"""For an example without headers of its own; made up, as all that stands in examples."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One call: where, with which headers of ours, and the example's file."""

    method: str
    url: str
    headers: Mapping[str, str]
    file: Path

    @property
    def has_body(self) -> bool:
        """Whether the example's body is sent: a look-up by its address alone has none."""
        return "Content-Type" in self.headers or self.method not in BODILESS

    def curl(self, gateway: str) -> str:
        """Two lines for a shell that has LGSP_CLIENT_ID and LGSP_CLIENT_SECRET."""
        shown = Path(self.file).relative_to(Path.cwd()) if self.file.is_relative_to(Path.cwd()) else self.file
        headers = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items())
        token = f'curl -s -u "$LGSP_CLIENT_ID:$LGSP_CLIENT_SECRET" -d grant_type=client_credentials {gateway}/token'
        body = f" --data-binary @{shlex.quote(str(shown))}" if self.has_body else ""
        call = f'curl -s -X {self.method} {shlex.quote(self.url)} -H "Authorization: Bearer $TOKEN" {headers}{body}'
        return f"TOKEN=$({token} | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])')\n{call}"


def try_(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(help="code of the service, for example citizens")],
    *,
    operation: Annotated[str, typer.Option("--operation", "-o", help="without it, the first that has an example")] = "",
    example: Annotated[str, typer.Option(help="name of the example; without it, the first that ends in a reply")] = "",
    purpose: Annotated[str, typer.Option("--purpose", "-p", help="Lgsp-Purpose instead of the example's")] = "",
    gateway: Annotated[str, typer.Option(envvar="LGSP_GATEWAY", help="data-plane address of the hub")] = "http://127.0.0.1:8080",
    client_id: Annotated[str, typer.Option(envvar="LGSP_CLIENT_ID")] = "",
    client_secret: Annotated[str, typer.Option(envvar="LGSP_CLIENT_SECRET", help="better in the environment than here")] = "",
    adapters: Adapters = HOME / "adapters",
    contracts: Contracts = HOME / "contracts",
    as_json: AsJson = False,
) -> None:
    """Call a service once, as a consumer would."""
    run = invocation(ctx)
    gateway = gateway.rstrip("/")
    found = next(_examples(adapters, contracts, (service, operation, example)), None)
    if found is None:
        raise RefusedError({"title": run.say("no_example", service=service)})
    trial = _trial(gateway, *found, purpose)
    token = _token(run, gateway, client_id, client_secret)
    answer = send(
        trial.method, trial.url, {**trial.headers, "Authorization": f"Bearer {token}"}, trial.file.read_bytes() if trial.has_body else b""
    )
    _show(run, gateway, trial, answer, as_json=as_json)
    if answer.status >= REFUSALS:
        raise typer.Exit(REFUSED)


def first_trial(gateway: str, folder: Path, contracts: Path, service: str) -> Trial | None:
    """The call that `lgsp try SERVICE` makes, for an adapter's folder; None where it has no example."""
    found = next(_examples(folder.parent, contracts, (service, "", "")), None)
    return None if found is None else _trial(gateway, *found, "")


def _examples(adapters: Path, contracts: Path, wanted: tuple[str, str, str]) -> Iterator[tuple[Operation, Path]]:
    """Operations of the service with the examples that fit them; a problem's example only if it is asked for by name."""
    from lgsp.contract.adapter.check import compile_adapter  # noqa: PLC0415  # it loads zeep and xmlschema: only this verb waits for them
    from lgsp.contract.adapter.golden import Example  # noqa: PLC0415  # as above

    service, name, example = wanted
    for folder in sorted(path.parent for path in adapters.glob("*/adapter.yaml") if _offers(path, service)):
        operations = [o for s in compile_adapter(folder, contracts)[1] for o in s.operations if o.service == service]
        chosen = [o for o in operations if name in {"", o.name}]
        files = sorted((folder / "examples").glob(f"{example or '*'}.request.json"))
        for file in (f for f in files if example or f.with_name(f.name.replace(".request.", ".reply.")).exists()):
            played = Example(file)
            yield from ((o, file) for o in played.meant(chosen) if _fits(o, played, named=bool(example)))


def _fits(operation: Operation, played: Example, *, named: bool) -> bool:
    """Whether the example may be sent: its body is allowed, and what the path needs is there."""
    wanted = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    return all(name in played.parameters for name in wanted) and (named or not operation.check_request(played.request))


def _offers(manifest: Path, service: str) -> bool:
    """A look at the manifest alone, so that only the adapter that is tried is compiled."""
    offered = yaml.load(manifest.read_bytes(), Loader=yaml.CSafeLoader)
    return any(each.get("code") == service for each in offered.get("services", ()))


def _trial(gateway: str, operation: Operation, file: Path, purpose: str) -> Trial:
    own = file.with_name(file.name.replace(".request.", ".headers."))
    headers = json.loads(own.read_text("utf-8")) if own.exists() else dict(PURPOSE)
    if purpose:
        headers["Lgsp-Purpose"] = purpose
    url = f"{gateway}/{operation.service}/{operation.major}{_located(operation.path, file)}"
    media = {"Content-Type": operation.media_types[0]} if operation.media_types else {}
    return Trial(operation.method, url, {**media, **headers}, file)


def _located(path: str, file: Path) -> str:
    """The path with what the example says of it, and its query."""
    own = file.with_name(file.name.replace(".request.", ".parameters."))
    values: dict[str, Any] = json.loads(own.read_text("utf-8")) if own.exists() else {}
    query = []
    for name, value in values.items():
        text = ",".join(map(str, value)) if isinstance(value, list) else json.dumps(value) if isinstance(value, bool) else str(value)
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", quote(text, safe=""))
        else:
            query.append(f"{quote(name, safe='')}={quote(text, safe=',')}")
    return f"{path}?{'&'.join(query)}" if query else path


def _token(run: Invocation, gateway: str, client_id: str, client_secret: str) -> str:
    if not (client_id and client_secret):
        kept = list(keep.recall(keep.CREDENTIALS, run.hub_url).values())
        if not kept:
            raise RefusedError({"title": run.say("no_credentials")})
        client_id, client_secret = kept[-1]["client_id"], kept[-1]["client_secret"]
    shown = base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()).decode()
    headers = {"Authorization": f"Basic {shown}", "Content-Type": FORM}
    answer = send("POST", f"{gateway}/token", headers, b"grant_type=client_credentials")
    value = answer.value()
    if answer.status >= REFUSALS or not isinstance(value, dict):
        told = value if isinstance(value, dict) else {}
        raise RefusedError({"title": f"/token: HTTP {answer.status}", "detail": told.get("error_description", told.get("detail", ""))})
    return str(value["access_token"])


def _show(run: Invocation, gateway: str, trial: Trial, answer: Answer, *, as_json: bool) -> None:
    request = json.loads(trial.file.read_text("utf-8"))
    headers = {name: answer.headers[name] for name in SHOWN if name in answer.headers}
    curl = trial.curl(gateway)
    if as_json:
        sent = {"method": trial.method, "url": trial.url, "headers": dict(trial.headers), "body": request}
        run.show_json({"request": sent, "answer": {"status": answer.status, "headers": headers, "body": answer.value()}, "curl": curl})
        return
    run.line(f"# {run.say('request')} ({trial.file.name})\n{trial.method} {trial.url}")
    _block(run, trial.headers, request)
    run.line(f"# {run.say('answer')}\n{answer.status}")
    _block(run, headers, answer.value())
    run.line(f"# {run.say('same_by_curl')}\n{curl}")


def _block(run: Invocation, headers: Mapping[str, str], body: Any) -> None:
    for name, value in headers.items():
        run.line(f"{name}: {value}")
    run.line("\n" + (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=2)) + "\n")
