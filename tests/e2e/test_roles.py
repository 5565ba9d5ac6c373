"""A hub split into processes, as a province runs it: two gateways, a worker and the management API on PostgreSQL and RabbitMQ."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import httpx  # the tests' client, not the hub's

from lgsp.config import HOME
from lgsp.twin.serve import load_twin, serving
from tests.e2e.hub import PURPOSE, example
from tests.e2e.nodes import bindings, environment, free_ports, process, settled, token_for_desk, until_listening

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_token_of_one_gateway_works_at_the_other_and_the_metrics_add_up(
    postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    first, second, admin_port = free_ports(3)
    (tmp_path / "metrics").mkdir()
    async with (
        serving(load_twin(HOME / "adapters/population")) as population,
        serving(load_twin(HOME / "adapters/national_portal")) as portal,
    ):
        settings = {"database_url": postgresql_url, "broker_url": broker_url, "admin_port": str(admin_port)}
        environ = {
            **environment(**settings, metrics_dir=str(tmp_path / "metrics")),
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
            token = await token_for_desk(client, admin, gateways[0], environ["LGSP_ADMIN_PASSWORD"])
            headers = {"Authorization": f"Bearer {token}", **PURPOSE}
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


def count(metrics: str, series: str) -> float:
    found = re.search(rf"^{re.escape(series)} (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0
