"""A WSDL and an OpenAPI file without an adapter that anybody wrote: served in both tongues by the drafts that `lgsp bridge` makes."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from lxml import etree
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from lgsp.acts import register
from lgsp.contract.bridge.draft import Wish, draft_of
from lgsp.model.parties import Right, SubsystemId
from lgsp.twin.serve import serving
from tests.e2e.hub import running_hub
from tests.e2e.people import ASK, PEOPLE, TELL, people
from tests.e2e.soap import envelope, say

DOSSIERS = """
openapi: 3.0.3
info: {title: Kho hồ sơ, version: 2.1.0}
paths:
  /ho-so/{ma}:
    get:
      operationId: xem
      parameters:
        - {name: ma, in: path, required: true, schema: {type: string}}
        - {name: truong, in: query, schema: {type: array, items: {type: string}}}
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/HoSo'}}}}
        '404': {description: none, content: {application/json: {schema: {type: object, properties: {ma_loi: {type: integer}}}}}}
  /ho-so:
    post:
      operationId: luu
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/HoSo'}}}}
      responses: {'201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/HoSo'}}}}}
components:
  schemas:
    HoSo:
      type: object
      required: [ma, giay_to]
      properties:
        ma: {type: string}
        ten: {type: string, nullable: true}
        le_phi: {type: number}
        giay_to: {type: array, items: {$ref: '#/components/schemas/GiayTo'}}
        nhan: {type: object, additionalProperties: {type: string}}
    GiayTo: {type: object, required: [loai], properties: {loai: {type: string}, ngay: {type: string, format: date}}}
"""
ASKED = '<k:xem xmlns:k="urn:lgsp:kho:2"><k:ma>H99.1-0001</k:ma></k:xem>'
KEPT = {
    "ma": "H99.1-0001",
    "ten": None,
    "le_phi": 15000.5,
    "giay_to": [{"loai": "CCCD", "ngay": "2021-03-04"}, {"loai": "Đơn đề nghị"}],
    "nhan": {"ưu tiên": "cao"},
}


def dossiers():
    """Keeps dossiers as JSON."""
    kept = {}

    async def save(request):
        body = await request.json()
        kept[body["ma"]] = body
        return JSONResponse(body, 201)

    async def show(request):
        found = kept.get(request.path_params["ma"])
        if found is None:
            return JSONResponse({"ma_loi": 7}, 404)
        wanted = request.query_params.getlist("truong")
        return JSONResponse({name: found[name] for name in found if not wanted or name in {"ma", "giay_to", *wanted}})

    return Starlette(routes=[Route("/ho-so", save, methods=["POST"]), Route("/ho-so/{ma}", show)])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory):
    """A hub whose only adapters are two drafts, each as it was made."""
    folder = tmp_path_factory.mktemp("bridges")
    (folder / "kho.yaml").write_text(DOSSIERS)
    for file, name in ((PEOPLE, "nguoi_dan"), (folder / "kho.yaml", "kho")):
        draft_of(file, Wish(name=name, data_class="internal")).write(folder)
    places = {"adapters": folder / "adapters", "contracts": folder / "contracts"}
    async with serving(people()) as first, serving(dossiers()) as second:
        bound = {"NGUOI_DAN_URL": f"{first}/people", "KHO_URL": second}
        async with running_hub(folder, more_bindings=bound, **places) as running:
            await running.register()
            yield running


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_wsdl_is_a_rest_service(hub):
    body = {"Id": "001", "Year": 1990, "Tag": [{"@kind": 1, "#text": "mới"}, {"@kind": 2, "#text": ""}], "Note": None}

    answer = await hub.post("/nguoi-dan/1/Find", body)

    assert answer.status_code == 200
    assert answer.json() == {"Person": [{"Id": "001", "Name": "Nguyễn Văn An 1,2"}], "Total": 9007199254740993}


async def test_a_wsdls_typed_fault_is_a_problem_with_its_detail(hub):
    answer = await hub.post("/nguoi-dan/1/Find", {"Id": "404"})

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "provider-refused")
    assert answer.json()["providerFault"] == {"code": "Client", "reason": "không có", "name": "Trouble", "detail": {"Number": 404}}


async def test_a_wsdls_typed_fault_reaches_soap_consumers_as_the_wsdl_declares_it(hub):
    ask = f'<q:Find xmlns:q="{ASK}"><q:Id>404</q:Id></q:Find>'

    heard = await say(hub, envelope(ask), path="/nguoi-dan/1/soap")

    detail = heard.root.find(".//detail")
    assert (heard.status, heard.code, heard.slug) == (500, "Client", "provider-refused")
    assert [node.tag for node in detail] == [f"{{{TELL}}}Trouble", "{urn:lgsp:soap:1}problem"]
    assert detail[0].findtext("Number") == "404"


async def test_a_right_to_some_fields_shows_nothing_of_a_typed_fault(hub):
    office, other = hub.hub.office, SubsystemId("VN/GOV/H99/part")
    credential = await register.add_consumer(office, other, "Một phần", "test")
    await office.rights.grant(Right(other, "nguoi-dan", "Find", frozenset({"receive-dossier"}), frozenset({"Total"})), "test", office.now())
    await hub.hub.store.refresh()
    form = {"grant_type": "client_credentials"}
    token = (await hub.client.post(f"{hub.data}/token", data=form, auth=(credential.client_id, credential.secret))).json()["access_token"]

    heard = await say(
        hub, envelope(f'<q:Find xmlns:q="{ASK}"><q:Id>404</q:Id></q:Find>'), path="/nguoi-dan/1/soap", Authorization=f"Bearer {token}"
    )

    assert [node.tag for node in heard.root.find(".//detail")] == ["{urn:lgsp:soap:1}problem"]


async def test_what_the_wsdl_does_not_allow_is_told_at_its_place(hub):
    answer = await hub.post("/nguoi-dan/1/Find", {"Id": "1", "Year": 1990, "Day": "1990-05-17", "Tag": []})

    assert answer.status_code == 422
    assert "/Tag" in {error["pointer"] for error in answer.json()["errors"]}


async def test_the_same_wsdl_is_a_soap_service_too(hub):
    heard = await say(hub, envelope(f'<q:Find xmlns:q="{ASK}"><q:Id>7</q:Id></q:Find>'), path="/nguoi-dan/1/soap")

    assert heard.status == 200
    assert (heard.text("Id"), heard.text("Total")) == ("7", "9007199254740993")


async def test_an_openapi_file_is_a_rest_service(hub):
    saved = await hub.post("/kho/2/ho-so", KEPT)
    shown = await hub.client.get(f"{hub.data}/kho/2/ho-so/H99.1-0001?truong=le_phi,nhan", headers=hub.headers)
    missing = await hub.client.get(f"{hub.data}/kho/2/ho-so/kh%C3%B4ng", headers=hub.headers)

    assert (saved.status_code, saved.json()) == (200, KEPT)
    assert shown.json() == {name: KEPT[name] for name in ("ma", "le_phi", "giay_to", "nhan")}
    assert (missing.status_code, missing.json()["providerFault"]) == (422, {"status": 404, "detail": {"ma_loi": 7}})


async def test_a_stranger_makes_the_hub_compile_nothing(hub):
    refused = await say(hub, envelope(ASKED), path="/kho/2/soap", Authorization="Bearer nobody")

    assert (refused.code, refused.slug) == ("Client", "token-invalid")
    assert hub.hub.ports.catalogue.current().services["kho", 2].soap.made is None


async def test_first_calls_by_soap_are_answered_while_others_call_rest(hub):
    calls = [say(hub, envelope(ASKED), path="/kho/2/soap") for _ in range(8)]
    others = [hub.post("/kho/2/ho-so", KEPT) for _ in range(8)]

    answers = await asyncio.gather(*calls, *others)

    assert {(answer.status, answer.text("loai")) for answer in answers[:8]} == {(200, "CCCD")}
    assert [answer.status_code for answer in answers[8:]] == [200] * 8


async def test_an_openapi_file_is_a_soap_service(hub):
    entry = '<k:nhan><k:entry key="ưu tiên"><k:value>cao</k:value></k:entry></k:nhan>'
    papers = "<k:giay_to><k:item><k:loai>CCCD</k:loai><k:ngay>2021-03-04</k:ngay></k:item></k:giay_to>"
    nil = '<k:ten xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
    body = f'<k:luu xmlns:k="urn:lgsp:kho:2"><k:ma>S1</k:ma>{nil}<k:le_phi>15000.50</k:le_phi>{papers}{entry}</k:luu>'

    saved = await say(hub, envelope(body), path="/kho/2/soap")
    shown = await say(hub, envelope('<k:xem xmlns:k="urn:lgsp:kho:2"><k:ma>S1</k:ma></k:xem>'), path="/kho/2/soap")

    assert saved.status == shown.status == 200
    assert [etree.QName(node).localname for node in shown.root[-1][0]] == ["ma", "ten", "le_phi", "giay_to", "nhan"]
    assert (shown.text("loai"), shown.text("le_phi"), shown.text("value")) == ("CCCD", "15000.5", "cao")


async def test_a_refusal_of_the_rest_provider_is_a_soap_fault(hub):
    heard = await say(hub, envelope('<k:xem xmlns:k="urn:lgsp:kho:2"><k:ma>0</k:ma></k:xem>'), path="/kho/2/soap")

    assert (heard.status, heard.code, heard.slug) == (500, "Client", "provider-refused")


async def test_the_wsdl_that_was_made_is_published_and_loads(hub):
    answer = await hub.client.get(f"{hub.data}/kho/2/soap?wsdl", headers=hub.headers)

    root = etree.fromstring(answer.content)
    assert {node.get("location") for node in root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")} == {f"{hub.data}/kho/2/soap"}


async def test_a_contract_is_published_as_far_as_its_reader_may_use_it(hub):
    office, other = hub.hub.office, SubsystemId("VN/GOV/H99/reader")
    credential = await register.add_consumer(office, other, "Người đọc", "test")
    await office.rights.grant(Right(other, "kho", "xem", frozenset({"doc"})), "test", office.now())
    await hub.hub.store.refresh()
    form = {"grant_type": "client_credentials"}
    token = (await hub.client.post(f"{hub.data}/token", data=form, auth=(credential.client_id, credential.secret))).json()["access_token"]
    reader = {"Authorization": f"Bearer {token}"}

    seen = await hub.client.get(f"{hub.data}/kho/2/openapi.json", headers=reader)
    hidden = await hub.client.get(f"{hub.data}/nguoi-dan/1/openapi.json", headers=reader)
    nameless = await hub.client.get(f"{hub.data}/kho/2/openapi.json")

    assert (hidden.status_code, nameless.status_code) == (404, 401)
    assert [method for item in seen.json()["paths"].values() for method in item] == ["get"]
    assert seen.json()["servers"] == [{"url": "/kho/2"}]
    assert {each["name"] for each in seen.json()["paths"]["/ho-so/{ma}"]["get"]["parameters"]} >= {"ma", "truong", "Lgsp-Purpose"}


@pytest.mark.parametrize("path", ["/kho/3/openapi.json", "/kho/02/openapi.json", "/nobody/1/openapi.json", "/openapi.json"])
async def test_a_contract_that_is_not_there_is_not_found(hub, path):
    answer = await hub.client.get(hub.data + path, headers=hub.headers)

    assert answer.status_code == 404
