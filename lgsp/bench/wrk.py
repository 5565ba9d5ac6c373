"""Runs wrk where it is installed, and reads what it saw; otherwise the bench's own client takes its place."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lgsp.bench.client import Load, Sample, send
from lgsp.bench.servers import BenchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.bench.servers import Target

SCRIPT = """
wrk.method = "POST"
wrk.body = io.open(%(body)s, "rb"):read("*a")
%(headers)s
function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format('\\n{"requests": %%d, "errors": %%d, "lost": %%d, "microseconds": %%d, "p50": %%f, "p99": %%f}\\n',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout, summary.duration,
    latency:percentile(50), latency:percentile(99)))
end
"""


def tool() -> str:
    """What makes the load on this machine."""
    return "wrk" if shutil.which("wrk") else "own client"


def drive(target: Target, body: bytes, load: Load) -> Sample:
    """Load a target as fast as it answers."""
    program = shutil.which("wrk")
    if program is None:
        return send(target.url, target.headers, body, load)
    with tempfile.TemporaryDirectory(prefix="lgsp-wrk-") as folder:
        content, script = Path(folder, "body"), Path(folder, "post.lua")
        content.write_bytes(body)
        script.write_text(script_text(str(content), target.headers), encoding="utf-8")
        command = [
            program,
            "-t1",
            f"-c{load.connections}",
            f"-d{max(1, round(load.seconds))}s",
            "--timeout",
            "10s",
            "-s",
            str(script),
            target.url,
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=load.seconds + 60)
    if ended.returncode:
        raise BenchError(f"wrk ended with {ended.returncode}: {ended.stderr[-500:]}")
    return read_sample(ended.stdout)


def script_text(body_file: str, headers: Mapping[str, str]) -> str:
    """The Lua script that makes wrk send the file's content by POST with these headers, and print what it saw as JSON."""
    fields = {"Content-Type": "application/json", **headers}
    lines = "\n".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in fields.items())
    return SCRIPT % {"body": json.dumps(body_file), "headers": lines}


def read_sample(output: str) -> Sample:
    """What the script printed in its last line."""
    seen = json.loads(output.strip().rpartition("\n")[2])
    answered = seen["requests"] - seen["errors"]
    return Sample(answered, seen["errors"] + seen["lost"], seen["microseconds"] / 1e6, seen["p50"] / 1000, seen["p99"] / 1000)
