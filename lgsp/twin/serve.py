"""Runs twins on real ports, so that a hub meets real sockets, real cuts and really closed doors."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import socket
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lgsp.twin.faults import TRANSPORT, FaultLayer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

log = logging.getLogger(__name__)


def load_twin(folder: Path) -> FaultLayer:
    """The stand-in of the adapter in `folder`: `twin()` of its twin.py behind the fault layer, with its BINDINGS."""
    path = folder / "twin.py"
    spec = importlib.util.spec_from_file_location(f"lgsp_twin_of_{folder.name}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"{path}: no twin here")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their own module up
    spec.loader.exec_module(module)
    return FaultLayer(cast("ASGIApp", module.twin()), module.BINDINGS)


async def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve until cancelled."""
    async with serving(app, host, port):
        await asyncio.Event().wait()


@asynccontextmanager
async def serving(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve while the block runs; yields the address, `http://host:port`. Port 0 takes a free one. Raises OSError if the port is taken."""
    layer = app if isinstance(app, FaultLayer) else FaultLayer(app)
    door = bound(host, port)
    server = TwinServer(layer, host, door.getsockname()[1])
    task = asyncio.create_task(server.serve(sockets=[door]))
    try:
        await server.listening.wait()
        yield f"http://{host}:{server.port}"
    finally:
        server.stopped.set()
        await asyncio.gather(task, return_exceptions=True)


class TwinServer(uvicorn.Server):
    """uvicorn, with a door that can be shut and opened again, and without hands on the process's signals."""

    def __init__(self, layer: FaultLayer, host: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                layer,
                host=host,
                port=port,
                http=_protocol(layer),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
            ),
        )
        self.port = port
        self.listening, self.stopped = asyncio.Event(), asyncio.Event()
        self._shut: asyncio.Task[None] | None = None
        layer.go_down = self.go_down

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process that runs the twin."""
        yield

    async def main_loop(self) -> None:
        """Until told to stop; uvicorn's own looks ten times a second and keeps the Date header, which no twin needs."""
        await self.stopped.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port, and say so."""
        await super().startup(sockets)
        self.listening.set()

    def go_down(self, wait_s: float) -> None:
        """Shut the door for so many seconds; the answer that is being written still leaves."""
        if self._shut is not None:
            self._shut.cancel()
        self._shut = asyncio.create_task(self._close_and_open(wait_s))

    def cut_connections(self) -> None:
        """Reset every open connection."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 uvicorn calls it so
        """Shut the door at once and for good, and cut whoever is inside; a twin owes nobody a farewell."""
        if self._shut is not None:
            self._shut.cancel()
        for listener in self.servers:
            listener.close()
        self.cut_connections()
        for task in self.server_state.tasks:
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    async def _close_and_open(self, wait_s: float) -> None:
        await asyncio.sleep(0.02)
        for listener in self.servers:
            listener.close()
        self.cut_connections()
        log.info("twin down", extra={"port": self.port, "wait_s": wait_s})
        await asyncio.sleep(wait_s)
        door = bound(self.config.host, self.port)
        self.servers = [await asyncio.get_running_loop().create_server(self._connection, sock=door)]

    def _connection(self) -> asyncio.Protocol:
        connect = cast("type[HttpToolsProtocol]", self.config.http_protocol_class)
        return connect(config=self.config, server_state=self.server_state, app_state={})


def bound(host: str, port: int) -> socket.socket:
    """A bound socket; its own step, because uvicorn ends the whole process where a port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY only where it sees the protocol
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise OSError(error.errno, f"{host}:{port}: {error.strerror}") from error
    return door


def _protocol(layer: FaultLayer) -> type[HttpToolsProtocol]:
    """An HTTP connection of uvicorn that lets the fault layer cut it."""

    class Connection(HttpToolsProtocol):
        def data_received(self, data: bytes) -> None:
            if layer.refuses(data):
                self.transport.abort()
            else:
                super().data_received(data)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]

    return Connection
