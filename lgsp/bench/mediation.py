"""`lgsp bench mediation`: a dossier in as REST, to the provider as SOAP, back as REST; the hub beside three others, in one run.

Beside each other: (a) the hub with everything on, on SQLite and, where there is one, PostgreSQL; (b) the naive way with the same packages;
(c) Starlette and aiohttp passing bytes through; (d) nginx passing bytes through, where installed.
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import string
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lgsp.bench import process
from lgsp.bench.client import Load, send
from lgsp.bench.codec import cost_s
from lgsp.bench.databases import scratch_database
from lgsp.bench.dossier import body
from lgsp.bench.hub import OPERATIONS, Hub, hub
from lgsp.bench.report import MEGABYTE, Report
from lgsp.bench.rounds import Plan, interleaved
from lgsp.bench.servers import Cores, Target, cores, free_port, on_core, peer, running
from lgsp.bench.wrk import drive, tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SQLITE, POSTGRESQL, NAIVE, PASS_THROUGH, NGINX = "hub sqlite", "hub postgresql", "naive", "pass-through", "nginx"
SOAP_SOAP, SOAP_REST = "SOAP in, SOAP out", "SOAP in, REST out"
HALF = 0.5
SOAP_SHARE, XSD_SHARE = 0.8, 0.05
LONGEST_BLOCK_S = 0.01
SOAK_WARM_UP = 10_000


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was told; `soak` is a number of requests, 0 for none.

    judged, unjudged: write the SOAP request and read the SOAP answer of one exchange at 2 kB, with the XSD's verdict on both and without.
    """

    seconds: float
    rounds: int
    connections: int
    soak: int
    say: Callable[[str], None]
    judged: Callable[[], Any]
    unjudged: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """All servers of the bench, running."""

    hub: Hub
    targets: tuple[Target, ...]

    def target(self, name: str) -> Target:
        """The server of this name."""
        return next(target for target in self.targets if target.name == name)


def run(options: Options) -> Report:
    """Measure everything and say what was found."""
    places = cores()
    plan = Plan(options.seconds, options.rounds, options.connections, places.load, options.say)
    report = Report("mediation", {"load": tool(), "seconds": options.seconds, "rounds": options.rounds, "connections": options.connections})
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgsp-bench-")))
        field = stack.enter_context(servers(folder, places))
        report.rows = interleaved(field.targets, {size: body(size) for size in ("2kB", "50kB")}, plan)
        report.extra["half_load"] = half_load(field, report, plan)
        report.extra["loop"] = loop_blocks(field, plan)
        if options.soak:
            report.extra["soak"] = soak(field.target(SQLITE), options.soak, plan)
    report.extra["xsd"] = xsd_cost(options, report)
    conclude(report)
    return report


def xsd_cost(options: Options, report: Report) -> dict[str, float | None]:
    """What the XSD's verdict on request and answer adds, as processor time and as a share of a whole exchange at 2 kB."""
    times = [[cost_s(each, options.seconds / 4) * 1_000_000 for each in (options.judged, options.unjudged)] for _ in range(options.rounds)]
    judged, unjudged = (statistics.median(each) for each in zip(*times, strict=True))
    main = report.row(SQLITE, "2kB")
    share = max(0.0, judged - unjudged) / main.cpu_us if main else None
    return {"judged_us": round(judged, 1), "unjudged_us": round(unjudged, 1), "share": None if share is None else round(share, 4)}


@contextlib.contextmanager
def servers(folder: Path, places: Cores) -> Iterator[Field]:
    """Start the provider, the hubs and those they are compared with."""
    with contextlib.ExitStack() as stack:
        ports = {name: free_port() for name in ("provider", NAIVE, PASS_THROUGH, NGINX)}
        provider = f"http://127.0.0.1:{ports['provider']}/"
        stack.enter_context(running(peer("provider", str(ports["provider"])), ports["provider"], places.load, folder / "provider.log"))

        def started(name: str, command: list[str]) -> Target:
            pid = stack.enter_context(running(command, ports[name], places.server, folder / f"{name}.log"))
            return Target(name, f"http://127.0.0.1:{ports[name]}{OPERATIONS['submitDossier']}", pid)

        main = stack.enter_context(hub(SQLITE, provider, places.server, folder, {"LGSP_DATABASE_URL": f"sqlite:///{folder}/hub.db"}))
        targets = [
            main.target("submitDossier"),
            main.soap_target("submitDossier", SOAP_SOAP),
            main.soap_target("registerDossier", SOAP_REST),
        ]
        database = stack.enter_context(scratch_database())
        if database is not None:
            other = stack.enter_context(hub(POSTGRESQL, provider, places.server, folder, {"LGSP_DATABASE_URL": database}))
            targets.append(other.target("submitDossier"))
        for name, module in ((NAIVE, "naive"), (PASS_THROUGH, "pass_through")):
            targets.append(started(name, peer(module, str(ports[name]), provider)))
        nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
        if nginx is not None:
            conf = nginx_conf(folder, ports[NGINX], ports["provider"])
            targets.append(started(NGINX, [nginx, "-p", str(folder), "-c", str(conf)]))
        yield Field(main, tuple(targets))


def nginx_conf(folder: Path, port: int, provider: int) -> Path:
    """The configuration of nginx, its folder and ports filled in."""
    template = (Path(__file__).parent / "peers" / "nginx.conf").read_text(encoding="utf-8")
    conf = folder / "nginx.conf"
    conf.write_text(string.Template(template).substitute(folder=folder, port=port, provider=provider), encoding="utf-8")
    return conf


def half_load(field: Field, report: Report, plan: Plan) -> dict[str, float]:
    """The p99 that the hub adds to a pass-through, both at half the rate that the hub can do."""
    main = report.row(SQLITE, "2kB")
    rate = main.requests_s * HALF if main else 0.0
    load = Load(plan.seconds, plan.connections, rate)
    seen: dict[str, list[float]] = {SQLITE: [], PASS_THROUGH: []}
    for _ in range(plan.rounds):
        for name, latencies in seen.items():
            target = field.target(name)
            with on_core(plan.load_core):
                sample = send(target.url, target.headers, body("2kB"), load)
            latencies.append(sample.p99_ms)
            plan.say(f"half load: {name} at {rate:,.0f}/s: p99 {sample.p99_ms:.2f} ms, {sample.errors} errors")
    hub_ms, other_ms = statistics.median(seen[SQLITE]), statistics.median(seen[PASS_THROUGH])
    return {
        "requests_s": round(rate, 1),
        "hub_p99_ms": round(hub_ms, 2),
        "pass_through_p99_ms": round(other_ms, 2),
        "added_p99_ms": round(hub_ms - other_ms, 2),
    }


def loop_blocks(field: Field, plan: Plan) -> dict[str, Any]:
    """How long one 50 kB dossier at a time keeps the hub's event loop; one at a time, so that a block is one request's own."""
    before = field.hub.loop_lag()
    with on_core(plan.load_core):
        drive(field.target(SQLITE), body("50kB"), Load(plan.seconds, 1))
    after = field.hub.loop_lag()
    grown = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
    timers = max(grown.values(), default=0)
    return {
        "timers": timers,
        "over_10_ms": timers - grown.get(LONGEST_BLOCK_S, 0),
        "longest_at_most_ms": next((bound * 1000 for bound, count in grown.items() if count == timers), 0.0) if timers else None,
    }


def soak(target: Target, requests: int, plan: Plan) -> dict[str, float]:
    """The hub's memory over many requests."""
    sent, errors, start_mb, samples_mb = 0, 0, 0.0, []
    with on_core(plan.load_core):
        while sent < requests:
            sample = drive(target, body("2kB"), Load(10.0, plan.connections))
            sent, errors = sent + sample.requests, errors + sample.errors
            samples_mb.append(process.resident_bytes(target.pid) / MEGABYTE)
            start_mb = start_mb or (samples_mb[-1] if sent >= SOAK_WARM_UP else 0.0)
            plan.say(f"soak: {sent:,} requests, {samples_mb[-1]:.1f} MB, {errors} errors")
            if not sample.requests:
                break
    return {
        "requests": sent,
        "errors": errors,
        "start_mb": round(start_mb, 1),
        "end_mb": round(samples_mb[-1], 1),
        "peak_mb": round(process.peak_bytes(target.pid) / MEGABYTE, 1),
    }


def conclude(report: Report) -> None:
    """Ratios, and what was promised held against what was measured."""
    for name, other in (("hub/naive", NAIVE), ("hub/pass_through", PASS_THROUGH), ("hub/nginx", NGINX)):
        for body_name, key in (("2kB", name), ("50kB", f"{name} at 50 kB")):
            ratio = report.ratio(SQLITE, other, body_name)
            if ratio is not None:
                report.ratios[key] = ratio
    for name in (SOAP_SOAP, SOAP_REST):
        ratio = report.ratio(name, SQLITE, "2kB")
        if ratio is not None:
            report.ratios[f"{name} / REST in"] = ratio
        report.floor(f"{name} / REST in, SOAP out at 2 kB", SOAP_SHARE, ratio)
    main = report.row(SQLITE, "2kB")
    report.floor("hub/naive at 2 kB", 10, report.ratios.get("hub/naive"))
    report.floor("hub/pass_through at 2 kB", 0.33, report.ratios.get("hub/pass_through"))
    report.floor("hub/naive at 50 kB", 15, report.ratios.get("hub/naive at 50 kB"))
    report.floor("CPU us a request at 2 kB", 450, main.cpu_us if main else None, at_least=False)
    report.floor("XSD validation, share of an exchange at 2 kB", XSD_SHARE, report.extra["xsd"]["share"], at_least=False)
    report.floor("p99 added at half load, ms", 10, report.extra["half_load"]["added_p99_ms"], at_least=False)
    report.floor("event loop blocks over 10 ms at 50 kB", 0, report.extra["loop"]["over_10_ms"], at_least=False)
    report.floor("peak memory of the hub, MB", 200, main.peak_mb if main else None, at_least=False)
    if "soak" in report.extra:
        grown = report.extra["soak"]["end_mb"] - report.extra["soak"]["start_mb"]
        report.floor(f"memory grown over {report.extra['soak']['requests']:,} requests, MB", 10, grown, at_least=False)
