"""A RabbitMQ node of the crash test's own, in a folder of its own, for faults that a shared broker must not suffer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lgsp.prove.nodes import ProveError, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDERS = ("/usr/lib/rabbitmq/bin", "/usr/local/sbin", "/opt/rabbitmq/sbin")
READY_S, COMMAND_S = 60.0, 60.0
HEADER = b"AMQP\x00\x00\x09\x01"


def tool(name: str) -> str | None:
    """Where a program of RabbitMQ lies; Debian's wrappers on the path change the account, so the folder of the originals goes first."""
    for folder in FOLDERS:
        if (Path(folder) / name).exists():
            return f"{folder}/{name}"
    return shutil.which(name)


@dataclass(slots=True)
class Rabbit:
    """Its folder, its ports, its Erlang name server (so that it disturbs no other node's), its process."""

    folder: Path
    port: int = field(default_factory=free_port)
    dist_port: int = field(default_factory=free_port)
    epmd_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    epmd: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its first vhost."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def make(self) -> None:
        """Its folder, its cookie and its name server."""
        self.folder.mkdir(parents=True)
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(10), encoding="ascii")
        cookie.chmod(0o400)
        (self.folder / "plugins").write_text("[].\n", encoding="ascii")
        program = shutil.which("epmd")
        if program is None or tool("rabbitmq-server") is None:
            raise ProveError("this row needs a RabbitMQ of its own, and rabbitmq-server is not installed")
        quiet = subprocess.DEVNULL
        command = [program, "-address", "127.0.0.1", "-port", str(self.epmd_port)]
        self.epmd = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)

    async def start(self) -> None:
        """Start it and wait until it speaks AMQP."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            if self.process is None or self.process.poll() is not None:
                self._launch()
            if await asyncio.to_thread(self.answers):
                return
            await asyncio.sleep(0.2)
        raise ProveError("the crash test's own RabbitMQ does not start")

    def _launch(self) -> None:
        with (self.folder / "printed.log").open("ab") as output:
            self.process = subprocess.Popen(
                [str(tool("rabbitmq-server"))],
                env=self._env(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def answers(self) -> bool:
        """Whether it greets: to a header it answers with connection.start."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(HEADER)
            return connection.recv(1) == b"\x01"
        return False

    async def control(self, *arguments: str) -> str:
        """What rabbitmqctl printed; raises ProveError if it failed."""
        pipe = asyncio.subprocess.PIPE
        program = str(tool("rabbitmqctl"))
        process = await asyncio.create_subprocess_exec(program, *arguments, env=self._env(), stdout=pipe, stderr=pipe)
        output, errors = await asyncio.wait_for(process.communicate(), COMMAND_S)
        if process.returncode:
            raise ProveError(f"rabbitmqctl {' '.join(arguments)} failed: {errors.decode()[-500:]}")
        return output.decode()

    def end(self) -> None:
        """SIGKILL to all of its processes, which are a session of their own."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(READY_S)

    def kill(self) -> None:
        """The node and its name server, for good."""
        self.end()
        if self.epmd is not None:
            self.epmd.kill()
            self.epmd.wait()

    def _env(self) -> Mapping[str, str]:
        """One scheduler: the machine has few cores, and they are the hub's."""
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "RABBITMQ_NODENAME": f"prove{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
        }
