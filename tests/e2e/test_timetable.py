"""What `lgsp serve` does by the clock: exchanges whose process died are ended, dead letters of a replay run are delivered, each once."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import TYPE_CHECKING, Any

import httpx  # the tests' client, not the hub's
from typer.testing import CliRunner

from lgsp.cli import app
from lgsp.config import HOME
from lgsp.drivers.cipher import Cipher
from lgsp.drivers.store import migrate, open_store
from lgsp.model.happening import Closed, Opened, Outcome, Reply, Settlement, State, Stored
from lgsp.model.parties import Purpose
from lgsp.twin.serve import load_twin, serving
from tests.e2e.hub import DESK, PURPOSE, example
from tests.e2e.nodes import bindings, environment, free_ports, process, token_for_desk, until_listening

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEAD = 5
LOST = "01890000-0000-7000-8000-0000000000ff"
WHO = Purpose("receive-dossier", "CB001", "1.000001", "H99.1-261123-0001")


def ids() -> list[str]:
    return [f"01890000-0000-7000-8000-{number:012d}" for number in range(DEAD)]


async def left_behind(url: str, master_key: bytes) -> None:
    """A record as a crash and an outage leave it: one exchange that nobody ended, some dead letters."""
    await migrate(url)
    now = time.time()
    store = await open_store(url, Cipher(master_key), time.time)
    ended = {"consumer": DESK, "service": "dossiers", "operation": "syncDossier", "trace_id": "0" * 32}
    looked_up = {**ended, "service": "citizens", "operation": "citizenLookup"}
    facts = {"provider": "population", "purpose": WHO, "request_digest": b""}
    await store.opened(Opened(message_id=LOST, attempt=0, at=now - 7200, **looked_up, **facts))
    for number, message_id in enumerate(ids()):
        body = {**example("national_portal", "new_dossier"), "code": f"H99.129-261126-{number:04d}"}
        content = json.dumps(body, ensure_ascii=False).encode()
        where = (message_id, DESK, "dossiers", 1, "syncDossier", "national_portal", WHO, {}, content, "sha256:old")
        await store.accept(Stored(*where, body["code"], body["code"], now - 60, now + 3600, "0" * 32), None, Reply(202, b"{}"))
    for due in await store.claim("national_portal", DEAD, now, 30.0):
        closed = Closed(
            message_id=due.stored.message_id,
            attempt=1,
            at=now,
            outcome=Outcome.FAILED,
            status=502,
            blame="provider",
            cause="provider-failed",
            reply_digest=b"",
            duration_us=1,
            stages=(),
            **ended,
        )
        await store.settle(due, Settlement(State.DEAD, now, None, "provider", "provider-failed"), closed)
    await store.close()


async def test_the_clock_ends_lost_exchanges_and_works_replay_runs_off(tmp_path: Path) -> None:
    data, admin = free_ports(2)
    async with (
        serving(load_twin(HOME / "adapters/population")) as population,
        serving(load_twin(HOME / "adapters/national_portal")) as portal,
        httpx.AsyncClient(timeout=20) as client,
    ):
        url = f"sqlite:///{tmp_path / 'hub.db'}"
        environ = {
            **environment(database_url=url, data_port=str(data), admin_port=str(admin)),
            **bindings("population", population),
            **bindings("national_portal", portal),
        }
        await left_behind(url, base64.b64decode(environ["LGSP_MASTER_KEY"]))
        with process("gateway,worker,admin", environ, tmp_path / "hub.log"):
            gateway, management = f"http://127.0.0.1:{data}", f"http://127.0.0.1:{admin}"
            await until_listening(client, f"{management}/readyz")
            token = await token_for_desk(client, management, gateway, environ["LGSP_ADMIN_PASSWORD"])
            headers = {"Authorization": f"Bearer {token}", **PURPOSE}
            lost = await receipt(client, f"{gateway}/receipts/{LOST}", headers)
            replayed = await replay(management, environ["LGSP_ADMIN_PASSWORD"], tmp_path)
            found = [await receipt(client, f"{gateway}/receipts/{message_id}", headers) for message_id in ids()]
            ledger = (await client.get(f"{portal}/_twin/ledger")).json()["entries"]

    assert (lost["state"], lost["problem"]["type"].rpartition("/")[2]) == ("unknown", "exchange-lost")
    assert (replayed.exit_code, f"{'█' * 20} {DEAD}/{DEAD} done" in replayed.stdout) == (0, True), replayed.stdout
    assert [each["state"] for each in found] == ["delivered"] * DEAD
    assert sorted(entry["key"] for entry in ledger) == [f"H99.129-261126-{number:04d}" for number in range(DEAD)]


async def receipt(client: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> Any:
    """Once it stands still."""
    for _ in range(150):
        found = (await client.get(url, headers=headers)).json()
        if found.get("state") not in {None, "accepted", "waiting", "delivering"}:
            break
        await asyncio.sleep(0.1)
    return found


async def replay(hub: str, password: str, home: Path) -> Any:
    """By command, watched to its end."""
    env = {"XDG_CONFIG_HOME": str(home), "LGSP_HUB": hub, "LGSP_USER": "admin", "LGSP_PASSWORD": password}
    words = ["replay", "--provider", "national_portal", "--cause", "provider-failed", "--rate", "20/s", "--watch"]
    return await asyncio.to_thread(CliRunner().invoke, app, words, env=env)
