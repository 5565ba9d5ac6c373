"""`lgsp mock` on real sockets: a stand-in from a contract alone, and the guard before a provider."""

from __future__ import annotations

import asyncio
import sys

import httpx
import pytest

from lgsp.contract.openapi.read import read_openapi
from lgsp.twin.proxy import ContractProxy
from lgsp.twin.rest import RestTwin
from lgsp.twin.serve import serving

PETS = """
openapi: 3.0.3
info: {title: Sổ, version: 1.0.0}
paths:
  /pages/{number}:
    get:
      operationId: page
      parameters: [{name: number, in: path, required: true, schema: {type: integer}}]
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: object, required: [text], properties: {text: {type: string}}}}}
"""


@pytest.fixture
def contract(tmp_path):
    path = tmp_path / "so.yaml"
    path.write_text(PETS, encoding="utf-8")
    return path


async def test_the_command_serves_until_it_is_told_to_stop(contract):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lgsp", "mock", str(contract), "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    address = line.split(" at ")[1].split(";")[0]
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/pages/1")
        await client.put(f"{address}/_twin/faults", json={"kind": "status", "status": 503})
        faulty = await client.get(f"{address}/pages/1")
        ledger = (await client.get(f"{address}/_twin/ledger")).json()
    process.terminate()
    await process.wait()

    assert (answer.status_code, set(answer.json()), faulty.status_code) == (200, {"text"}, 503)
    assert ledger["counts"] == {"GET /pages/1": {"page": 1}}


async def test_the_proxy_lets_nothing_wrong_through_on_either_side(contract, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(PETS.replace("text: {type: string}", "text: {type: integer}"), encoding="utf-8")
    guarded = read_openapi(contract)
    async with (
        serving(RestTwin(guarded)) as right,
        serving(RestTwin(read_openapi(other))) as wrong,
        serving(ContractProxy(guarded, right)) as good,
        serving(ContractProxy(guarded, wrong)) as bad,
        httpx.AsyncClient() as client,
    ):
        answers = [await client.get(f"{address}/pages/{page}") for address, page in ((good, 1), (good, "một"), (bad, 1))]
        reached = (await client.get(f"{right}/_twin/ledger")).json()["entries"]

    assert [(each.status_code, each.json().get("code")) for each in answers] == [
        (200, None),
        (400, "parameter-invalid"),
        (502, "provider-reply-invalid"),
    ]
    assert answers[2].json()["errors"][0]["pointer"] == "/text"
    assert len(reached) == 1
