"""A hub split into processes, as a province runs it: two gateways, a worker and the management API on PostgreSQL and RabbitMQ."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx  # the tests' client, not the hub's

from lgsp.config import HOME
from lgsp.twin.serve import load_twin, serving
from tests.e2e.hub import DESK, PURPOSE, example

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

READY_S = 40.0


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextlib.contextmanager
def process(role: str, environ: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "lgsp", "serve", "--roles", role], env=dict(environ), stdout=output, stderr=output
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


async def test_a_token_of_one_gateway_works_at_the_other_and_the_metrics_add_up(
    postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    first, second, admin_port = free_ports(3)
    password = secrets.token_urlsafe(16)
    (tmp_path / "metrics").mkdir()
    async with (
        serving(load_twin(HOME / "adapters/population")) as population,
        serving(load_twin(HOME / "adapters/national_portal")) as portal,
    ):
        environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith("LGSP_")},  # for child processes
            "LGSP_ENVIRONMENT": "test",
            "LGSP_DATABASE_URL": postgresql_url,
            "LGSP_BROKER_URL": broker_url,
            "LGSP_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "LGSP_ADMIN_PASSWORD": password,
            "LGSP_ADMIN_PORT": str(admin_port),
            "LGSP_METRICS_DIR": str(tmp_path / "metrics"),
            **bindings("population", population),
            **bindings("national_portal", portal),
        }
        with contextlib.ExitStack() as stack:
            stack.enter_context(process("admin", environ, tmp_path / "admin.log"))
            stack.enter_context(process("worker", environ, tmp_path / "worker.log"))
            for port in (first, second):
                stack.enter_context(process("gateway", environ | {"LGSP_DATA_PORT": str(port)}, tmp_path / f"gateway-{port}.log"))
            client = httpx.AsyncClient(timeout=20)
            gateways, admin = [f"http://127.0.0.1:{port}" for port in (first, second)], f"http://127.0.0.1:{admin_port}"
            await until_listening(client, f"{admin}/readyz", *gateways)
            headers = {"Authorization": f"Bearer {await token_for_desk(client, admin, gateways[0], password)}", **PURPOSE}
            looked_up = [
                (await client.post(f"{gateway}/citizens/1/lookups", json=example("population", "found"), headers=headers)).status_code
                for gateway in gateways * 3
            ]
            receipts = [await settled(client, gateway, headers, number) for number, gateway in enumerate(gateways)]
            waited = await client.post(
                f"{gateways[0]}/dossiers/1/dossiers",
                json={**example("national_portal", "new_dossier"), "code": "H99.129-261123-7009"},
                headers={**headers, "Prefer": "wait=15"},
            )
            metrics = (await client.get(f"{admin}/metrics")).text
            await client.aclose()

    assert looked_up == [200] * 6
    assert [receipt["state"] for receipt in receipts] == ["delivered", "delivered"]
    assert count(metrics, 'lgsp_requests_total{blame="",operation="citizenLookup",outcome="delivered",service="citizens"}') == 6
    assert count(metrics, 'lgsp_attempts_total{provider="national_portal",state="delivered"}') == 3
    assert (waited.status_code, waited.json()["result"]) == (200, "created")  # settled by another process than the one that waits


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


def count(metrics: str, series: str) -> float:
    found = re.search(rf"^{re.escape(series)} (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0
