"""Nodes of a hub as processes of their own, for the tests that start, stop and restart them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx  # the tests' client, not the hub's

from lgsp.config import HOME
from lgsp.twin.serve import load_twin
from tests.e2e.hub import DESK, example

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

READY_S = 40.0
STOP_S = 40.0


def environment(**settings: str) -> dict[str, str]:
    """What every node of a hub is told, without settings of another hub."""
    common = {
        "LGSP_ENVIRONMENT": "test",
        "LGSP_STOP_NOTICE_S": "0",
        "LGSP_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "LGSP_ADMIN_PASSWORD": secrets.token_urlsafe(16),
    }
    outside = {key: value for key, value in os.environ.items() if not key.startswith("LGSP_")}  # for child processes
    return outside | common | {f"LGSP_{name.upper()}": value for name, value in settings.items()}


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextlib.contextmanager
def process(roles: str, environ: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "lgsp", "serve", "--roles", roles], env=dict(environ), stdout=output, stderr=output
        )
        try:
            yield started
        finally:
            if started.poll() is None:
                started.send_signal(signal.SIGTERM)
                started.wait(timeout=40)


async def answered(client: httpx.AsyncClient, url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return (await client.get(url)).status_code < 500
    return False


async def until_listening(client: httpx.AsyncClient, *urls: str) -> None:
    ends = asyncio.get_running_loop().time() + READY_S
    while not all([await answered(client, url) for url in urls]):
        assert asyncio.get_running_loop().time() < ends, urls
        await asyncio.sleep(0.2)


async def token_for_desk(client: httpx.AsyncClient, admin: str, gateway: str, password: str) -> str:
    signed_in = (await client.post(f"{admin}/session", json={"name": "admin", "password": password})).json()
    author = {"Authorization": f"Bearer {signed_in['token']}"}
    made = (await client.post(f"{admin}/consumers", json={"code": DESK, "title": "Một cửa"}, headers=author)).json()
    for service, operation in (("citizens", "citizenLookup"), ("dossiers", "syncDossier")):
        right = {"consumer": DESK, "service": service, "operation": operation, "purposes": ["receive-dossier"]}
        (await client.post(f"{admin}/rights", json=right, headers=author)).raise_for_status()
    await asyncio.sleep(1.5)  # the gateways look each second
    form = {"grant_type": "client_credentials"}
    answer = await client.post(f"{gateway}/token", data=form, auth=(made["client_id"], made["client_secret"]))
    return str(answer.json()["access_token"])


def bindings(name: str, address: str) -> dict[str, str]:
    layer = load_twin(HOME / "adapters" / name)
    return {f"LGSP_BIND_{name}_{key}".upper(): value.format(address=address) for key, value in layer.bindings.items()}


async def settled(client: httpx.AsyncClient, gateway: str, headers: Mapping[str, str], number: int) -> Any:
    dossier = {**example("national_portal", "new_dossier"), "code": f"H99.129-261123-{7000 + number}"}
    place = (
        await client.post(
            f"{gateway}/dossiers/1/dossiers", content=json.dumps(dossier), headers={**headers, "Content-Type": "application/json"}
        )
    ).headers["location"]
    for _ in range(100):
        receipt = (await client.get(gateway + place, headers=headers)).json()
        if receipt["state"] not in {"accepted", "waiting", "delivering"}:
            break
        await asyncio.sleep(0.1)
    return receipt
