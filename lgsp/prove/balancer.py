"""A HAProxy of the crash test's own before the gateways, as a province runs it: it asks each node whether it is ready."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lgsp.prove.nodes import Node, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

CONFIG = """
global
  maxconn 500
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 75s
  option redispatch
  retry-on conn-failure
frontend hub
  bind 127.0.0.1:{port}
  default_backend nodes
backend nodes
  balance roundrobin
  option httpchk GET /readyz
  http-check expect status 200
  default-server check inter 300ms fastinter 150ms fall 1 rise 1
"""


def program() -> str:
    """Where HAProxy lies; empty if nowhere."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin") or ""


@contextlib.asynccontextmanager
async def balanced(gateways: Sequence[str], folder: Path) -> AsyncIterator[str]:
    """The one address before all of them, while the block runs."""
    port, file = free_port(), folder / "haproxy.cfg"
    servers = "".join(f"  server node{place} {urlsplit(gateway).netloc}\n" for place, gateway in enumerate(gateways))
    file.write_text(CONFIG.format(port=port) + servers, encoding="ascii")
    node = Node("haproxy", [program(), "-db", "-f", str(file)], {}, port, folder / "haproxy.out")
    node.start()
    try:
        await node.listening()
        yield f"http://127.0.0.1:{port}"
    finally:
        await node.stop(5)
        with contextlib.suppress(subprocess.SubprocessError):
            node.kill()
