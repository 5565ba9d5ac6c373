"""`lgsp bench services`: what many services cost: start, memory, publishing one of them, and a request beside a hub with few."""

from __future__ import annotations

import contextlib
import json
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lgsp.bench import process
from lgsp.bench.crowd import OPERATIONS, write_crowd, write_service
from lgsp.bench.deliver import signed_in
from lgsp.bench.dossier import body
from lgsp.bench.hub import COMMAND, SERVICES, Hub, commanded, environment, outside, serving
from lgsp.bench.report import MEGABYTE, Report
from lgsp.bench.rounds import Plan, interleaved
from lgsp.bench.servers import BenchError, cores, free_port, peer, running
from lgsp.bench.wrk import tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

START_S, PUBLISH_S, MEMORY_MB, COST_RATIO = 15, 2, 400, 1.1
PUBLISHED = 3
READY_S = 180


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was told."""

    services: int
    seconds: float
    rounds: int
    say: Callable[[str], None]


def run(options: Options) -> Report:
    """Start a hub with few services and one with many, load them in turns, publish at the large one."""
    places = cores()
    facts = {"load": tool(), "services": options.services, "operations": options.services * OPERATIONS, "rounds": options.rounds}
    report = Report("services", facts)
    plan = Plan(options.seconds, options.rounds, 8, places.load, options.say)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgsp-bench-")))
        write_crowd(folder / "many", options.services)
        port = free_port()
        provider = f"http://127.0.0.1:{port}/"
        stack.enter_context(running(peer("provider", str(port)), port, places.load, folder / "provider.log"))
        few = environment(provider, {"LGSP_DATABASE_URL": f"sqlite:///{folder}/few.db", "LGSP_LOG_LEVEL": "warning"})
        many = {
            **environment(provider, {"LGSP_DATABASE_URL": f"sqlite:///{folder}/many.db", "LGSP_LOG_LEVEL": "warning"}),
            **_places(folder),
        }
        starts = [_start_s(many, folder) for _ in range(options.rounds)]
        start_s, start_cpu_s = (statistics.median(seconds) for seconds in zip(*starts, strict=True))
        options.say(f"ready after {start_s:.1f} s, {start_cpu_s:.1f} s of them on a core")
        facts["start, s on a core"] = round(start_cpu_s, 1)
        hubs = [stack.enter_context(serving(name, env, places.server, folder)) for name, env in (("few", few), ("many", many))]
        targets = [replace(hub.target("submitDossier"), name=f"hub {hub.name}") for hub in hubs]
        report.rows = interleaved(targets, {"2kB": body("2kB")}, plan)
        token = signed_in(hubs[1], many["LGSP_ADMIN_PASSWORD"])
        published_s = [_publish_s(hubs[1], token, folder / "many", number) for number in range(PUBLISHED)]
        options.say(f"published in {published_s} s")
        memory_mb = process.resident_bytes(hubs[1].pid) / MEGABYTE
    ratio = _cost(report, "hub many") / _cost(report, "hub few")
    report.ratios[f"cpu a request, {len(SERVICES) + options.services} services / {len(SERVICES)}"] = round(ratio, 3)
    report.floor("start, s", START_S, start_s, at_least=False)
    report.floor("publish of one, s", PUBLISH_S, statistics.median(published_s), at_least=False)
    report.floor("memory, MB", MEMORY_MB, memory_mb, at_least=False)
    report.floor("cpu a request, many / few", COST_RATIO, ratio, at_least=False)
    return report


def _places(folder: Path) -> dict[str, str]:
    return {"LGSP_ADAPTERS": str(folder / "many" / "adapters"), "LGSP_CONTRACTS": str(folder / "many" / "contracts")}


def _start_s(env: Mapping[str, str], folder: Path) -> tuple[float, float]:
    """From the command until the hub says that it is ready: on the clock, and of processor time."""
    began = time.monotonic()
    with running([*COMMAND, "serve"], int(env["LGSP_DATA_PORT"]), None, folder / "start.log", env) as pid:
        while time.monotonic() < began + READY_S:
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{env['LGSP_ADMIN_PORT']}/readyz", timeout=READY_S).close()
                return time.monotonic() - began, process.cpu_s(pid)
            time.sleep(0.05)
    raise BenchError(f"the hub is not ready after {READY_S} s")


def _publish_s(hub: Hub, token: str, root: Path, number: int) -> float:
    """One changed adapter, from its first byte at the management door until every node serves it."""
    name = write_service(root, number, f"b{number}")
    commanded(outside() | _places(root.parent), "publish", name, "--out", str(root / "bundles"))
    content = (root / "bundles" / f"{name}.tar").read_bytes()
    began = time.monotonic()
    kept = _told(hub, token, "/bundles", "application/x-tar", content)
    _told(hub, token, "/editions", "application/json", json.dumps({"digest": kept["digest"]}).encode())
    return round(time.monotonic() - began, 2)


def _told(hub: Hub, token: str, path: str, media_type: str, content: bytes) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": media_type}
    request = urllib.request.Request(hub.management + path, content, headers)
    with urllib.request.urlopen(request, timeout=READY_S) as reply:
        found: dict[str, Any] = json.load(reply)
        return found


def _cost(report: Report, server: str) -> float:
    row = report.row(server, "2kB")
    if row is None:
        raise BenchError(f"{server} was not measured")
    return row.cpu_us
