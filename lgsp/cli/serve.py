"""`lgsp serve`: run the hub, all roles in one process or some of them; with `--twins` the stand-ins of every adapter beside it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import sys
import warnings
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
import uvicorn
import uvloop

from lgsp.config import Settings, read_settings
from lgsp.drivers.doors.patience import PatientProtocol
from lgsp.errors import ContractError, SettingsError
from lgsp.twin.of_adapter import bindings_of, twin_folders, twin_of
from lgsp.twin.serve import bound, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from lgsp.bootstrap import Hub

FIRST_TWIN_PORT = 8200
GC_THRESHOLDS = (50_000, 20, 100)
MALLOPT = {-3: 1 << 20, -8: 2}
"""M_MMAP_THRESHOLD, M_ARENA_MAX of mallopt(3)."""
EXIT_UNUSABLE = 2
EXIT_BROKEN = 1


class PortTakenError(Exception):
    """A door or a twin cannot listen at its place; the text says where, why and what to do."""


class Role(StrEnum):
    """What a process of the hub does."""

    GATEWAY = "gateway"
    WORKER = "worker"
    ADMIN = "admin"


def serve(
    roles: Annotated[str, typer.Option(help="gateway, worker, admin; separated by commas")] = "gateway,worker,admin",
    twins: Annotated[bool, typer.Option("--twins", help="run the stand-ins of all adapters too (development)")] = False,  # noqa: FBT002  # typer
    twin_port: Annotated[int, typer.Option(min=1, max=65000, help="port of the first of them")] = FIRST_TWIN_PORT,
) -> None:
    """Run the hub until SIGTERM or Ctrl-C."""
    try:
        chosen = frozenset(Role(name.strip()) for name in roles.split(","))
        environ = {**twin_bindings(os.environ, twin_port), **os.environ} if twins else dict(os.environ)  # the one place that reads it
        settings = read_settings(environ)
        _refuse_contradictions(settings, chosen, twins=twins)
        if settings.metrics_dir:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = settings.metrics_dir  # before prometheus_client is imported
        _bound_heap()
        gc.set_threshold(*GC_THRESHOLDS)  # many contracts are read at start, and nearly all that is made of them stays
        is_sound = uvloop.run(run(settings, chosen, twin_ports(settings.adapters, twin_port) if twins else {}))
    except (SettingsError, ContractError, ValueError, PortTakenError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(EXIT_UNUSABLE) from error
    if not is_sound:
        raise typer.Exit(EXIT_BROKEN)


def _refuse_contradictions(settings: Settings, roles: frozenset[Role], *, twins: bool) -> None:
    if twins and settings.environment == "production":
        raise SettingsError("--twins: stand-ins do not run in production; set LGSP_ENVIRONMENT=development")
    if roles != frozenset(Role) and settings.database_url.startswith("sqlite"):
        raise SettingsError("--roles: SQLite serves one process; set LGSP_DATABASE_URL to a PostgreSQL database")


def twin_ports(settings_adapters: Any, first: int = FIRST_TWIN_PORT) -> dict[str, int]:
    """The port of each adapter's twin: from the first up, in the order of their names."""
    return {folder.name: first + place for place, folder in enumerate(twin_folders(settings_adapters))}


def twin_bindings(environ: Mapping[str, str], first: int = FIRST_TWIN_PORT) -> dict[str, str]:
    """LGSP_BIND_* variables that point every adapter at its twin."""
    from pathlib import Path  # noqa: PLC0415

    from lgsp.config import HOME  # noqa: PLC0415

    adapters = Path(environ.get("LGSP_ADAPTERS", HOME / "adapters"))
    contracts = Path(environ.get("LGSP_CONTRACTS", HOME / "contracts"))
    bindings = {}
    for name, port in twin_ports(adapters, first).items():
        for key, value in bindings_of(adapters / name, contracts).items():
            bindings[f"LGSP_BIND_{key}"] = value.format(address=f"http://127.0.0.1:{port}")
    return bindings


async def run(settings: Settings, roles: frozenset[Role], twins: Mapping[str, int]) -> bool:
    """Open the hub, serve its doors, and close everything when told to stop; False if it stopped because a part of it broke."""
    warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")  # connexion 3.3 imports it; nobody here calls it
    from lgsp.bootstrap import configure_log, open_hub  # noqa: PLC0415  # after PROMETHEUS_MULTIPROC_DIR is set

    configure_log(settings.log_level)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    _refuse_taken_ports(settings, roles)
    async with contextlib.AsyncExitStack() as stack:
        for name, port in twins.items():
            _refuse_taken(settings.host, port, f"the twin of {name}", "leave out --twins, or end what listens there")
            await stack.enter_async_context(serving(twin_of(settings.adapters / name, settings.contracts), settings.host, port))
        hub = await open_hub(settings)
        hub.agent.node = replace(hub.agent.node, roles=",".join(sorted(roles)))
        stack.push_async_callback(hub.close)
        return await _serve_roles(hub, roles, stop)


def _refuse_taken_ports(settings: Settings, roles: frozenset[Role]) -> None:
    """Where somebody listens already, say so before anything is opened; uvicorn would end the process with a traceback."""
    fix = "set {} to a free one, or end what listens there"
    if Role.GATEWAY in roles:
        _refuse_taken(settings.host, settings.data_port, "the data door", fix.format("LGSP_DATA_PORT"))
    if Role.ADMIN in roles:
        _refuse_taken(settings.host, settings.admin_port, "the management door", fix.format("LGSP_ADMIN_PORT"))


def _refuse_taken(host: str, port: int, door: str, fix: str) -> None:
    try:
        bound(host, port).close()
    except OSError as error:
        raise PortTakenError(f"{door}: {error.strerror} ({fix})") from error


async def _serve_roles(hub: Hub, roles: frozenset[Role], stop: asyncio.Event) -> bool:
    settings, ports = hub.settings, hub.ports
    servers = []
    if Role.GATEWAY in roles:
        servers.append(Server(_config(hub.gateway(), settings, settings.data_port)))
    if Role.ADMIN in roles:
        servers.append(Server(_config(hub.management(), settings, settings.admin_port)))
    background = _by_the_clock(hub, roles)
    workers = [asyncio.create_task(hub.worker.run(), name="worker")] if Role.WORKER in roles else []
    serving_tasks = [asyncio.create_task(server.serve()) for server in servers]
    _settle_garbage()
    is_sound = await until_stopped(stop, serving_tasks, [*workers, *background])
    hub.worker.stop()
    await hub.agent.leave()
    ports.watchers.release()
    await _notice(stop, servers, settings.stop_notice_s)
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving_tasks, return_exceptions=True)
    if is_sound:
        await asyncio.gather(*workers)
    for task in (*workers, *background):
        task.cancel()
    return is_sound


async def until_stopped(stop: asyncio.Event, doors: Sequence[asyncio.Task[None]], beside: Sequence[asyncio.Task[None]]) -> bool:
    """Until `stop`, or until a door ends; False as soon as what works `beside` them breaks: a hub without it must not look alive.

    Some of it is done early (the bell once it listens); an error only is a break.
    """
    stopped = asyncio.create_task(stop.wait())
    pending = {stopped, *doors, *beside}
    while not stopped.done() and not any(door.done() for door in doors):
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done.intersection(beside):
            error = None if task.cancelled() else task.exception()
            if task.cancelled() or error is not None:
                structlog.get_logger().bind(logger="lgsp.serve").critical("task_broke", task=task.get_name(), exc_info=error)
                stopped.cancel()
                return False
    stopped.cancel()
    return True


def _by_the_clock(hub: Hub, roles: frozenset[Role]) -> list[asyncio.Task[None]]:
    """What runs beside the doors; most of it where the worker is."""
    from lgsp.drivers import timetable  # noqa: PLC0415  # after PROMETHEUS_MULTIPROC_DIR is set

    ports = hub.ports
    jobs = [
        timetable.watch_loop(ports.telemetry, ports.tick, hub.places.looked),
        timetable.watch_circuits(hub.guard.publish),
        timetable.watch_drains(ports),
        hub.agent.run(),
        timetable.watch_sealing(hub.store.look_behind, hub.store.behind_s, ports.telemetry),
        timetable.write_conformity(hub.conformity.flush, ports.now),
        timetable.write_usage(hub.usage.flush, ports.now),
        timetable.live_tables(hub.tables.wake, hub.worker.wake),
    ]
    if Role.WORKER in roles:
        jobs += [
            hub.agent.hear(partial(hub.bell.listen, on_ring=hub.worker.wake)),
            timetable.watch_backlog(hub.office.inspection, ports.telemetry, ports.now),
            timetable.sweep_lost(ports),
            timetable.seal(hub.seal_due),
            timetable.send_heads(hub.send_heads),
            timetable.reconcile(ports),
            timetable.tell_callbacks(ports),
            timetable.forget_shown(ports),
            timetable.expire_mailboxes(ports),
            timetable.close_publications(ports),
            timetable.send_corrections(hub.office),
            timetable.work_replays(hub.office.runs, hub.worker.wake, ports.now),
            timetable.sweep_files(hub.vault.sweep, ports.now, hub.settings.file_keep_s),
        ]
    return [asyncio.create_task(job, name=getattr(job, "__name__", "")) for job in jobs]


async def _notice(stop: asyncio.Event, servers: Sequence[Server], notice_s: float) -> None:
    """Serve on for a while though not ready, so that a proxy hears of it first; a second signal cuts it short."""
    if not stop.is_set() or not servers:
        return
    stop.clear()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(notice_s):
            await stop.wait()


def _settle_garbage() -> None:
    """What start-up made stays for ever: no collection looks at it again; and what one exchange makes dies without a collector's help."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _bound_heap() -> None:
    """Glibc would keep the 19 MB that a password's check takes, and a heap for each thread; other C libraries have no such settings."""
    with contextlib.suppress(AttributeError, OSError):
        for name, value in MALLOPT.items():
            ctypes.CDLL(None).mallopt(name, value)


class Server(uvicorn.Server):
    """uvicorn without hands on the process's signals: the hub stops its doors itself, in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def _config(app: Any, settings: Settings, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=port,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=round(settings.stop_drain_s),
    )
