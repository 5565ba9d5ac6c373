"""`lgsp demo`: a hub with its twins, a citizen looked up, twenty dossiers through an outage, a broken request; each expectation is checked.

Everything goes through the doors, as a provincial system would: a token, HTTP, JSON. The hub runs as a process of its own on SQLite.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from lgsp.cli.serve import twin_ports
from lgsp.config import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOSSIERS = 20
OUTAGE_S = 5
PATIENCE_S = 60.0
CALL_S = 15.0
DESK = "VN/GOV/H99/onestop"
PURPOSE = {
    "Lgsp-Purpose": "receive-dossier",
    "Lgsp-Official": "CB001",
    "Lgsp-Public-Service": "1.000001",
    "Lgsp-Dossier": "H99.1-261123-0001",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, headers, decoded JSON body."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Demo:
    """One run: where everything listens, and which expectations held."""

    console: Console
    data: str = ""
    admin: str = ""
    twins: dict[str, str] = field(default_factory=dict)
    checks: list[tuple[str, bool]] = field(default_factory=list)

    def expect(self, sentence: str, held: object) -> None:
        """Note one expectation and show it at once."""
        self.checks.append((sentence, bool(held)))
        self.console.print(f"  [{'green' if held else 'red'}]{'✓' if held else '✗'}[/] {sentence}")

    def title(self, text: str) -> None:
        """Show what comes next."""
        self.console.print(f"\n[bold]{text}[/]")


def demo(once: Annotated[bool, typer.Option("--once", help="end by itself; exit 0 only if every expectation held")] = False) -> None:  # noqa: FBT002  # typer
    """Show a hub at work, from the first token to the last receipt."""
    run = Demo(Console(highlight=False))
    with tempfile.TemporaryDirectory(prefix="lgsp-demo-") as folder, _hub(run, Path(folder)) as password:
        token = _register(run, password)
        _look_up_a_citizen(run, token)
        _send_dossiers_through_an_outage(run, token)
        _send_a_broken_request(run, token)
        _report(run, Path(folder))
        if not once:
            run.console.print("\nĐang chạy; Ctrl-C để dừng / Running; Ctrl-C stops it.")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
    if not all(held for _, held in run.checks):
        raise typer.Exit(1)


@contextlib.contextmanager
def _hub(run: Demo, folder: Path) -> Iterator[str]:
    """A hub with its twins, as a process; yields the password of its first person."""
    data_port, admin_port = _free_port(8080), _free_port(8090)
    password = secrets.token_urlsafe(16)
    run.data, run.admin = f"http://127.0.0.1:{data_port}", f"http://127.0.0.1:{admin_port}"
    run.twins = {name: f"http://127.0.0.1:{port}" for name, port in twin_ports(HOME / "adapters").items()}
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("LGSP_")},  # for the child process
        "LGSP_ENVIRONMENT": "development",
        "LGSP_DATABASE_URL": f"sqlite:///{folder / 'demo.db'}",
        "LGSP_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "LGSP_ADMIN_PASSWORD": password,
        "LGSP_DATA_PORT": str(data_port),
        "LGSP_ADMIN_PORT": str(admin_port),
    }
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "lgsp", "serve", "--twins"], env=environ, stdout=log, stderr=log)
        try:
            _wait_until_ready(run, process, folder / "hub.log")
            yield password
        finally:
            process.terminate()
            process.wait(timeout=40)


def _free_port(wanted: int) -> int:
    """The usual port where it is free, else any."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise typer.Exit(1)


def _wait_until_ready(run: Demo, process: subprocess.Popen[bytes], log: Path) -> None:
    run.title("Khởi động / Start")
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends and process.poll() is None:
        with contextlib.suppress(OSError):
            if _call("GET", f"{run.admin}/readyz").status == 200:  # noqa: PLR2004
                run.console.print(f"  hub {run.data}, quản trị / management {run.admin}")
                return
        time.sleep(0.1)  # a script at a terminal, no event loop
    run.console.print(log.read_text(errors="replace")[-4000:])
    raise typer.Exit(1)


def _register(run: Demo, password: str) -> str:
    """A consumer with its rights; its first access token."""
    run.title("Đăng ký hệ thống một cửa / Register the one-stop desk")
    session = _call("POST", f"{run.admin}/session", {"name": "admin", "password": password})
    author = {"Authorization": f"Bearer {session.body['token']}"}
    added = _call("POST", f"{run.admin}/consumers", {"code": DESK, "title": "Một cửa"}, author)
    run.expect(f"{DESK} có client_id và secret / has client id and secret", added.status == 201)  # noqa: PLR2004
    for service, operation in (("citizens", "citizenLookup"), ("dossiers", "syncDossier"), ("dossiers", "updateProgress")):
        right = {"consumer": DESK, "service": service, "operation": operation, "purposes": ["receive-dossier"]}
        granted = _call("POST", f"{run.admin}/rights", right, author)
        run.expect(f"quyền / right: {service}/{operation}", granted.status in {200, 201, 204})
    shown = base64.b64encode(f"{added.body['client_id']}:{added.body['client_secret']}".encode()).decode()
    form = {"Authorization": f"Basic {shown}", "Content-Type": "application/x-www-form-urlencoded"}
    token = _call("POST", f"{run.data}/token", b"grant_type=client_credentials", form)
    run.expect("mã truy cập / access token", token.status == 200)  # noqa: PLR2004
    return str(token.body["access_token"])


def _look_up_a_citizen(run: Demo, token: str) -> None:
    run.title("Tra cứu công dân, REST -> SOAP / Look up a citizen, REST -> SOAP")
    asked = {"citizen_id": "099090000001", "full_name": "Nguyễn Văn An", "birth_date": "1990-05-17"}
    answer = _call("POST", f"{run.data}/citizens/1/lookups", asked, _headers(token))
    found = answer.body.get("citizens", [])
    run.expect("tìm thấy một công dân / one citizen found", len(found) == 1)
    run.console.print_json(json.dumps({"citizens": [dict(list(c.items())[:6]) for c in found]}, ensure_ascii=False))


def _send_dossiers_through_an_outage(run: Demo, token: str) -> None:
    run.title(f"{DOSSIERS} hồ sơ khi cổng quốc gia ngừng {OUTAGE_S} s / {DOSSIERS} dossiers while the portal is down for {OUTAGE_S} s")
    portal = run.twins["national_portal"]
    _call("PUT", f"{portal}/_twin/faults", {"kind": "down", "seconds": OUTAGE_S})
    time.sleep(0.1)  # a script at a terminal, no event loop
    example = json.loads((HOME / "adapters/national_portal/examples/new_dossier.request.json").read_text())
    codes = [f"H99.1-261123-{number:04d}" for number in range(1, DOSSIERS + 1)]
    accepted = [
        _call("POST", f"{run.data}/dossiers/1/dossiers", {**example, "code": code}, {**_headers(token), "Idempotency-Key": f'"{code}"'})
        for code in codes
    ]
    run.expect(f"{DOSSIERS} biên nhận 202 / receipts", all(a.status == 202 for a in accepted))  # noqa: PLR2004
    states = _wait_for_receipts(run, token, [a.headers["location"] for a in accepted if a.status == 202])  # noqa: PLR2004
    run.expect(f"đã gửi / delivered: {states.count('delivered')} / {DOSSIERS}", states == ["delivered"] * DOSSIERS)
    effects = [row["key"] for row in _call("GET", f"{portal}/_twin/ledger").body["entries"]]
    run.expect("mỗi hồ sơ đúng một lần / each dossier exactly once", sorted(effects) == codes)


def _wait_for_receipts(run: Demo, token: str, places: list[str]) -> list[str]:
    ends = time.monotonic() + PATIENCE_S
    while True:
        states = [_call("GET", run.data + place, None, _headers(token)).body["state"] for place in places]
        if all(state == "delivered" for state in states) or time.monotonic() > ends:
            return states
        time.sleep(0.5)  # a script at a terminal, no event loop


def _send_a_broken_request(run: Demo, token: str) -> None:
    run.title("Một yêu cầu hỏng / One broken request")
    broken = {"citizen_id": "12", "full_name": "Nguyễn Văn An", "birth_date": "17/05/1990", "nickname": "An"}
    answer = _call("POST", f"{run.data}/citizens/1/lookups", broken, {**_headers(token), "Accept-Language": "vi"})
    run.expect("422, nêu từng chỗ sai / 422, each place named", answer.status == 422 and len(answer.body["errors"]) >= 3)  # noqa: PLR2004
    run.console.print_json(json.dumps(answer.body, ensure_ascii=False))


def _report(run: Demo, folder: Path) -> None:
    table = Table(title="lgsp demo", show_header=False)
    held = sum(ok for _, ok in run.checks)
    rows = {
        "Cổng dữ liệu / data plane": run.data,
        "Quản trị / management": run.admin,
        "Chỉ số / metrics": f"{run.admin}/metrics",
        **{f"twin {name}": address for name, address in run.twins.items()},
        "Nhật ký / log": str(folder / "hub.log"),
        "Kỳ vọng đạt / expectations held": f"{held} / {len(run.checks)}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    run.console.print()
    run.console.print(table)


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **PURPOSE}


def _call(method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    """One HTTP call on loopback; an error status is an answer too."""
    content = body if isinstance(body, bytes) or body is None else json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json", **(headers or {})}, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=CALL_S) as response:  # noqa: S310  # our own addresses
            return _answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return _answer(error.code, error.headers, error.read())


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    kind = headers.get("content-type", "")
    return Answer(status, {k.lower(): v for k, v in headers.items()}, json.loads(body) if "json" in kind and body else body)
