"""Judges a bundle in a child process, as `lgsp check` does: whatever it does to its judge, the hub goes on. The port Judge."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections import deque
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lgsp.contract.adapter.bundle import laid_out
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.ports.publishing import Bundle

HOME = Path(__file__).parents[2]
PATIENCE_S, CPU_S = 30.0, 25
MEMORY_BYTES = 2 << 30
MOST_TOLD = 100
REMEMBERED = 100


class ChildJudge:
    """`shipped`: the adapters of this release, for their hooks. The child sees nothing of the hub's environment."""

    def __init__(self, shipped: Path) -> None:
        self._shipped = shipped
        self._sound: deque[str] = deque(maxlen=REMEMBERED)

    async def findings(self, bundle: Bundle) -> Sequence[Finding]:
        """Judge; what this release found sound once is sound."""
        if bundle.digest in self._sound:
            return []
        with ExitStack() as stack:
            try:
                layout = laid_out(bundle.content, self._shipped)
                folder, contracts = await asyncio.to_thread(stack.enter_context, layout)
            except ContractError as error:
                return error.findings
            told, code = await self._ask(folder, contracts)
        with suppress(ValueError, TypeError):
            if code == 0:
                found = [Finding(**each) for each in json.loads(told)[:MOST_TOLD]]
                self._sound.extend([] if found else [bundle.digest])
                return found
        reason = "its check did not come to an end: it is too large, or made to break whoever reads it"
        return [Finding(bundle.adapter, 0, "", "check", reason)]

    async def _ask(self, folder: Path, contracts: Path) -> tuple[bytes, int | None]:
        command = (sys.executable, "-m", "lgsp.contract.adapter", str(folder), str(contracts))
        process = await asyncio.create_subprocess_exec(
            *command, cwd=HOME, env={}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        with suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (CPU_S, CPU_S))
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        try:
            async with asyncio.timeout(PATIENCE_S):
                told, _ = await process.communicate()
        except TimeoutError:
            return b"", None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return told, process.returncode
