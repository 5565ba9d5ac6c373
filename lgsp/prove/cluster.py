"""A PostgreSQL cluster of the crash test's own, in a folder of its own, for faults that a shared server must not suffer."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from lgsp.prove.nodes import ProveError, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "postgres"
FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
READY_S = 30.0


def tool(name: str) -> str | None:
    """Where a program of PostgreSQL lies: on the path, or where distributions keep it."""
    found = shutil.which(name)
    if found:
        return found
    places = sorted(place for pattern in FOLDERS for place in Path("/").glob(f"{pattern.lstrip('/')}/{name}"))
    return str(places[-1]) if places else None


@dataclass(slots=True)
class Cluster:
    """Its folder, its port, its postmaster; `fsync` stays on, for that is what is tested."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its first database."""
        return f"postgresql://{ACCOUNT}@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        """Initialise the folder; PostgreSQL refuses to run as root, so root hands it to the account `postgres`."""
        program = tool("initdb")
        if program is None:
            raise ProveError("this row needs a PostgreSQL of its own, and initdb is not installed")
        self.folder_on(self.folder)
        command = [program, "-D", str(self.folder), "-U", ACCOUNT, "-A", "trust", "-E", "UTF8", "--locale=C"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd="/", **_account())
        if ended.returncode:
            raise ProveError(f"initdb failed: {ended.stderr[-1000:]}")

    def folder_on(self, place: Path) -> Path:
        """A new folder that the server may write to."""
        place.mkdir(parents=True)
        if os.getuid() == 0:
            shutil.chown(place, ACCOUNT, ACCOUNT)
        return place

    async def start(self, settings: Mapping[str, str] | None = None) -> None:
        """Start it and wait until it answers; what an earlier one left in shared memory may need a moment to go."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            if self.process is None or self.process.poll() is not None:
                self._launch(settings or {})
            if await self._answers():
                return
            await asyncio.sleep(0.2)
        raise ProveError("the crash test's own PostgreSQL does not start")

    def _launch(self, settings: Mapping[str, str]) -> None:
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder), "max_connections": "60"}
        options |= {"deadlock_timeout": "200ms", **settings}
        command = [str(tool("postgres")), "-D", str(self.folder), "-p", str(self.port)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, cwd="/", start_new_session=True, stdin=quiet, stdout=quiet, stderr=quiet, **_account())

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    def kill(self) -> None:
        """SIGQUIT, so that its backends end with it; then it is gone for good."""
        self.end(signal.SIGQUIT)

    def end(self, number: signal.Signals) -> None:
        """SIGINT: fast; SIGQUIT: immediate, without a checkpoint (PostgreSQL, "Shutting Down the Server")."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(READY_S)


def _account() -> dict[str, Any]:
    """Whom to run as."""
    return {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []} if os.getuid() == 0 else {}
