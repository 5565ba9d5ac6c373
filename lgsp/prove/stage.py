"""Sets the stage for one row: folder, database, broker, lines, small volume, providers and hub; and takes it down again."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import random
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from lgsp.prove import balancer, cluster, rabbit, record
from lgsp.prove.nodes import Plot, ProveError, make_hub
from lgsp.prove.proxy import Proxy
from lgsp.prove.rows.row import POSTGRESQL, SQLITE
from lgsp.prove.scene import Around, Scene, can_trace, make_provider
from lgsp.prove.sender import Desk
from lgsp.prove.watch import watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from lgsp.prove.rows.row import Row
    from lgsp.prove.sender import Load

VOLUME_MB = 24


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked: how many messages at which rate, kills of a row, where (server of a database, broker), the seed of chance."""

    messages: int = 1000
    rate: float = 100.0
    kills: int = 5
    database: str = ""
    broker: str = ""
    seed: int = 0
    say: Callable[[str], None] = print


def backend(row: Row, options: Options) -> str:
    """Which database the hub of a row stands on: PostgreSQL where there is one and the row takes it."""
    has_postgresql = options.database or "cluster" in row.needs
    return POSTGRESQL if POSTGRESQL in row.databases and has_postgresql else SQLITE


def missing(row: Row, options: Options) -> str:
    """Why a row cannot run here, or nothing."""
    if backend(row, options) not in row.databases:
        return "needs --database"
    lacks = {
        "strace": lambda: "" if can_trace() else "needs strace, and the right to attach it",
        "cluster": lambda: "" if cluster.tool("initdb") else "needs PostgreSQL's own programs",
        "rabbit": lambda: "" if rabbit.tool("rabbitmq-server") and shutil.which("epmd") else "needs RabbitMQ's own programs",
        "broker": lambda: "" if options.broker else "needs --broker",
        "broker_line": lambda: "" if options.broker or "rabbit" in row.needs else "needs --broker",
        "mount": lambda: "" if can_mount() else "needs the right to mount a small file system",
        "prlimit": lambda: "" if shutil.which("prlimit") else "needs prlimit",
        "haproxy": lambda: "" if balancer.program() else "needs haproxy",
    }
    return next((reason for need in sorted(row.needs) if need in lacks and (reason := lacks[need]())), "")


@contextlib.asynccontextmanager
async def staged(row: Row, load: Load, options: Options) -> AsyncIterator[Scene]:
    """The scene of a row, with everything running while the block does."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgsp-prove-", ignore_cleanup_errors=True)))
        folder.chmod(0o711)  # a cluster of its own runs under another account and must get through
        around = Around(volume=stack.enter_context(small_volume(folder / "volume")) if "mount" in row.needs else None)
        seen = await _database(row, options, folder, (stack, around))
        broker = await _broker(row, options, folder, (stack, around))
        database = seen
        if "database_line" in row.needs:
            around.database_line, database = await _line(stack, seen, 5432)
        if "broker_line" in row.needs:
            around.broker_line, broker = await _line(stack, broker, 5672)
        provider, neighbour = make_provider(folder), make_provider(folder, "neighbour")
        around.neighbour = neighbour if load.has_neighbour else None
        addresses = {each.name.replace("provider", "prove"): f"http://127.0.0.1:{each.port}" for each in (provider, neighbour)}
        hub = make_hub(Plot(folder, database, broker, addresses, around.volume or folder, {**row.env, **clock_env(row, folder)}))
        scene = Scene(
            folder, provider, hub, Desk(hub.gateways, hub.headers), load, seen, random.Random(options.seed), options.kills, around
        )
        yield await stack.enter_async_context(_running(scene))


def clock_env(row: Row, folder: Path) -> dict[str, str]:
    """Settings of a false clock, where the row wants one."""
    from lgsp.prove.clock import false_clock  # noqa: PLC0415

    return false_clock(folder, row.moment) if "false_clock" in row.needs else {}


async def _database(row: Row, options: Options, folder: Path, into: tuple[contextlib.AsyncExitStack, Around]) -> str:
    """The address of an empty database."""
    stack, around = into
    if backend(row, options) == SQLITE:
        return f"sqlite:///{(around.volume or folder) / 'hub.db'}"
    if "cluster" not in row.needs:
        return str(await stack.enter_async_context(record.scratch_database(options.database, f"lgsp_prove_{secrets.token_hex(4)}")))
    around.cluster = cluster.Cluster(folder / "cluster")
    await asyncio.to_thread(around.cluster.make)
    stack.callback(around.cluster.kill)
    await around.cluster.start()
    return around.cluster.url


async def _broker(row: Row, options: Options, folder: Path, into: tuple[contextlib.AsyncExitStack, Around]) -> str:
    """The address of a broker, empty for none; on SQLite a hub rings within its process."""
    stack, around = into
    if "rabbit" not in row.needs:
        return options.broker if backend(row, options) == POSTGRESQL else ""
    around.rabbit = rabbit.Rabbit(folder / "rabbit")
    around.rabbit.make()
    stack.callback(around.rabbit.kill)
    await around.rabbit.start()
    return around.rabbit.url


async def _line(stack: contextlib.AsyncExitStack, url: str, standard_port: int) -> tuple[Proxy, str]:
    """A proxy before an address, and the address to use instead."""
    place = urlsplit(url)
    proxy = Proxy(place.hostname or "127.0.0.1", place.port or standard_port)
    port = await stack.enter_async_context(proxy.serving())
    account = f"{place.netloc.rpartition('@')[0]}@" if "@" in place.netloc else ""
    return proxy, urlunsplit(place._replace(netloc=f"{account}127.0.0.1:{port}"))


@contextlib.asynccontextmanager
async def _running(scene: Scene) -> AsyncIterator[Scene]:
    """Providers and hub run while the block does."""
    providers = [scene.provider, *([scene.around.neighbour] if scene.around.neighbour else [])]
    watching = None
    try:
        for provider in providers:
            provider.start()
        await asyncio.gather(*(provider.listening() for provider in providers))
        await scene.hub.start()
        await scene.hub.admit()
        scene.desk.headers = scene.hub.headers
        watching = asyncio.create_task(watch(scene.hub.nodes, scene.most))
        yield scene
    finally:
        if watching is not None:
            watching.cancel()
        for line in (scene.around.database_line, scene.around.broker_line):
            if line is not None:
                line.set("pass")
        await scene.hub.stop()
        for provider in providers:
            provider.kill()


@contextlib.contextmanager
def small_volume(place: Path) -> Iterator[Path]:
    """A file system of its own of VOLUME_MB, in memory, mounted while the block runs; anybody may write to it."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={VOLUME_MB}m,mode=1777", "tmpfs", str(place)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise ProveError(f"no small file system: {ended.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)  # noqa: S607  # util-linux


@functools.cache
def can_mount() -> bool:
    """Whether this account may mount."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(ProveError, OSError), small_volume(Path(folder) / "volume"):
        return True
    return False
