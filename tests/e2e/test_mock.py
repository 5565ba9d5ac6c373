"""`lgsp mock` on real sockets: a stand-in from a contract alone, and the guard before a provider."""

from __future__ import annotations

import asyncio
import sys

import httpx
import pytest
from lxml import etree
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from lgsp.contract.openapi.read import read_openapi
from lgsp.contract.wsdl.files import read_documents
from lgsp.contract.wsdl.read import contract_of
from lgsp.contract.wsdl.source import open_source
from lgsp.twin.proxy import ContractProxy
from lgsp.twin.rest import RestTwin
from lgsp.twin.serve import serving
from lgsp.twin.soap_proxy import SoapProxy
from tests.e2e.people import ASK, PEOPLE, TELL, people
from tests.e2e.soap import envelope

FIND = f'<q:Find xmlns:q="{ASK}"><q:Id>{{}}</q:Id></q:Find>'

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


async def test_a_wsdl_is_served_by_the_same_command():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lgsp", "mock", str(PEOPLE), "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    listed = (await process.stdout.readline()).decode().split()
    address = line.split(" at ")[1].split(";")[0]
    async with httpx.AsyncClient(headers={"Content-Type": "text/xml"}) as client:
        answer = await client.post(f"{address}/soap", content=envelope(FIND.format("7")).encode())
        await client.put(f"{address}/_twin/faults", json={"kind": "html502"})
        faulty = await client.post(f"{address}/soap", content=envelope(FIND.format("7")).encode())
        ledger = (await client.get(f"{address}/_twin/ledger")).json()
    process.terminate()
    await process.wait()

    assert listed == ["POST", "/soap", "Find"]
    assert (answer.status_code, "<n0:Found" in answer.text, faulty.status_code) == (200, True, 502)
    assert ledger["counts"] == {"POST /soap": {"Find": 1}}


def wrong_provider():
    """Its answers break the WSDL in one way or another, as the number asks."""
    found = f'<a:Found xmlns:a="{TELL}"><Total>{{}}</Total></a:Found>'
    trouble = f'<t:Trouble xmlns:t="{TELL}"><Number>x</Number></t:Trouble>'
    fault = f"<s:Fault><faultcode>s:Client</faultcode><faultstring>x</faultstring><detail>{trouble}</detail></s:Fault>"
    answers = {
        "1": (200, "text/xml", envelope(found.format("nhiều"))),
        "2": (200, "text/html", "<html/>"),
        "3": (500, "text/xml", envelope(fault)),
        "4": (418, "text/xml", envelope(found.format("1"))),
        "5": (500, "text/xml", envelope(found.format("1"))),
    }

    async def answer(request):
        number = (await request.body()).decode().partition("Id>")[2][:1]
        status, media_type, text = answers[number]
        return Response(text, status, media_type=media_type)

    return Starlette(routes=[Route("/elsewhere", answer, methods=["POST"])])


async def test_the_proxy_before_a_soap_provider_lets_nothing_wrong_through_on_either_side():
    documents = read_documents(*open_source(PEOPLE))
    contract = contract_of(documents)
    async with (
        serving(people()) as right,
        serving(wrong_provider()) as wrong,
        serving(SoapProxy(contract, documents, f"{right}/people")) as good,
        serving(SoapProxy(contract, documents, f"{wrong}/elsewhere")) as bad,
        httpx.AsyncClient(headers={"Content-Type": "text/xml"}) as client,
    ):

        async def ask(address, number):
            answer = await client.post(f"{address}/soap", content=envelope(FIND.format(number)).encode())
            root = etree.fromstring(answer.content)
            return answer.status_code, root.findtext(".//{*}slug"), root.findtext(".//{*}error/{*}code"), root.findtext(".//{*}Number")

        answers = [await ask(good, number) for number in ("7", "404", "1234567890123")]
        broken = [await ask(bad, number) for number in "12345"]

    assert answers == [(200, None, None, None), (500, None, None, "404"), (500, "body-invalid", "cvc-maxLength", None)]
    assert {each[:2] for each in broken} == {(500, "provider-reply-invalid")}
    assert [each[2] for each in broken] == ["cvc-datatype-valid.1.2.1", "media-type", "fault", "status", "status"]


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
