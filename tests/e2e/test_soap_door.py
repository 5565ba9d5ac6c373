"""Citizens looked up by SOAP consumers: the exchange of REST, in both versions of SOAP, with typed faults and a WSDL to begin with."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import zeep
from lxml import etree

from tests.e2e.hub import Running, example
from tests.e2e.soap import ADDRESS, CITIZENS, LOOKUP, OURS, SOAP_11, SOAP_12, WSA, envelope, heard, say

pytestmark = pytest.mark.asyncio(loop_scope="module")

PURPOSE_BLOCK = (
    "<l:Lgsp><l:Purpose>receive-dossier</l:Purpose><l:Official>CB001</l:Official>"
    "<l:PublicService>1.000001</l:PublicService><l:Dossier>H99.1-261123-0001</l:Dossier></l:Lgsp>"
)
NO_HEADERS = {"Lgsp_Purpose": "", "Lgsp_Official": "", "Lgsp_Public_Service": "", "Lgsp_Dossier": ""}
ACTION = "urn:lgsp:citizens:1/citizenLookup"
BOTH = pytest.mark.parametrize("version", [SOAP_11, SOAP_12])


def without_namespaces(node: Any) -> Any:
    return {child.tag.rpartition("}")[2]: without_namespaces(child) if len(child) else child.text for child in node}


@BOTH
async def test_a_citizen_is_found_as_in_rest(hub: Running, version: str) -> None:
    rest = (await hub.post("/citizens/1/lookups", example("population", "found"))).json()

    answer = await say(hub, envelope(version=version), version)

    assert answer.status == 200
    assert answer.root[0][0].tag == f"{{{CITIZENS}}}citizenLookupResponse"
    assert without_namespaces(answer.root[0][0][0]) == rest["citizens"][0]


@BOTH
async def test_a_body_that_breaks_the_contract_is_told_by_line_and_path(hub: Running, version: str) -> None:
    body = LOOKUP.replace("1990-05-17", "17/05/1990").replace("<c:birth", "\n\n<c:birth")

    answer = await say(hub, envelope(body, version=version), version)

    assert (answer.slug, answer.text("path"), answer.text("line")) == ("body-invalid", "/birth_date", "3")
    assert (answer.status, answer.code) == ((500, "Client") if version == SOAP_11 else (400, "Sender"))
    assert b"17/05/1990" not in answer.content


@BOTH
async def test_a_faults_reason_is_in_both_languages(hub: Running, version: str) -> None:
    answer = await say(hub, envelope("<x/>", version=version), version)

    text = answer.content.decode()
    assert "Nội dung gửi không đọc được" in text
    assert "The body cannot be read" in text


@BOTH
async def test_the_providers_refusals_and_failures_are_faults_of_the_receiver(hub: Running, version: str) -> None:
    await hub.fault("population", kind="drop", count=1)

    answer = await say(hub, envelope(version=version), version)

    assert (answer.status, answer.code, answer.slug) == (500, "Server" if version == SOAP_11 else "Receiver", "provider-cut")
    assert answer.text("blame") == "network"


async def test_a_fault_keeps_its_declared_type(hub: Running) -> None:
    schema = etree.XMLSchema(etree.fromstring((await hub.client.get(f"{hub.data}{ADDRESS}?xsd=lgsp.xsd")).content))

    answers = [await say(hub, envelope(LOOKUP.replace("1990-", "90-"))), await say(hub, envelope(), Authorization="")]

    for answer in answers:
        problem = answer.root.find(f".//{{{OURS}}}problem")
        schema.assertValid(etree.fromstring(etree.tostring(problem)))


async def test_the_purpose_may_stand_in_the_header_block(hub: Running) -> None:
    missing = await say(hub, envelope(), **NO_HEADERS)
    told = await say(hub, envelope(blocks=PURPOSE_BLOCK), **NO_HEADERS)
    both = await say(hub, envelope(blocks=PURPOSE_BLOCK))

    assert (missing.slug, missing.status) == ("purpose-missing", 500)
    assert (told.status, both.status) == (200, 200)


@pytest.mark.parametrize(
    "block",
    [
        "<l:Lgsp><l:Purpose>curiosity</l:Purpose></l:Lgsp>",
        PURPOSE_BLOCK + PURPOSE_BLOCK,
        "<l:Lgsp><l:Purpose>receive-dossier</l:Purpose><l:Purpose>receive-dossier</l:Purpose></l:Lgsp>",
        "<l:Lgsp><l:Reason>receive-dossier</l:Reason></l:Lgsp>",
        f"<l:Lgsp><l:Dossier>{'9' * 2000}</l:Dossier></l:Lgsp>",
    ],
)
async def test_a_header_block_that_could_be_read_in_two_ways_is_refused(hub: Running, block: str) -> None:
    answer = await say(hub, envelope(blocks=block))

    assert (answer.status, answer.slug) == (400, "malformed-request")


@BOTH
async def test_a_block_that_must_be_understood_and_is_not_is_refused(hub: Running, version: str) -> None:
    must = '<x:Unknown xmlns:x="urn:x" s:mustUnderstand="1"/>'
    elsewhere = "actor" if version == SOAP_11 else "role"

    refused = await say(hub, envelope(blocks=must, version=version), version)
    optional = await say(hub, envelope(blocks='<x:Unknown xmlns:x="urn:x"/>', version=version), version)
    others = await say(hub, envelope(blocks=must.replace("/>", f' s:{elsewhere}="urn:somebody"/>'), version=version), version)

    assert (refused.status, refused.code) == (500, "MustUnderstand")
    assert (optional.status, others.status) == (200, 200)


async def test_an_envelope_of_no_version_is_a_version_mismatch(hub: Running) -> None:
    answer = await say(hub, envelope(version="http://www.w3.org/2001/12/soap-envelope"))

    assert answer.code == "VersionMismatch"
    assert b"SupportedEnvelope" in answer.content


@BOTH
async def test_ws_addressing_is_echoed_on_the_connection_that_asked(hub: Running, version: str) -> None:
    blocks = (
        f'<w:Action s:mustUnderstand="1">{ACTION}</w:Action><w:MessageID>urn:uuid:42</w:MessageID>'
        f"<w:To>https://hub.example{ADDRESS}</w:To><w:ReplyTo><w:Address>{WSA}/anonymous</w:Address></w:ReplyTo>"
    )

    answer = await say(hub, envelope(blocks=blocks, version=version), version)
    fault = await say(hub, envelope(LOOKUP.replace("1990", "x"), blocks, version), version)

    assert (answer.status, answer.text("RelatesTo")) == (200, "urn:uuid:42")
    assert answer.text("Action") == "urn:lgsp:citizens:1:Citizens:citizenLookupResponse"
    assert (fault.text("RelatesTo"), fault.text("Action")) == ("urn:uuid:42", f"{WSA}/soap/fault")


async def test_nobody_waits_for_an_answer_to_the_none_address(hub: Running) -> None:
    blocks = f"<w:MessageID>urn:uuid:43</w:MessageID><w:ReplyTo><w:Address>{WSA}/none</w:Address></w:ReplyTo>"

    answer = await say(hub, envelope(blocks=blocks))

    assert (answer.status, answer.content) == (202, b"")


async def test_an_idempotency_key_works_as_in_rest(hub: Running) -> None:
    key = {"Idempotency_Key": '"soap-1"'}

    first = await say(hub, envelope(), **key)
    again = await say(hub, envelope(), SOAP_11, **key)
    other = await say(hub, envelope(LOOKUP.replace("1990-05-17", "1990")), **key)

    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert other.slug == "idempotency-key-reused"


async def test_without_a_right_the_operation_is_not_there(hub: Running) -> None:
    answers = [
        await say(hub, envelope(), Authorization=""),
        await say(hub, envelope(), path="/nobody/1/soap"),
        await say(hub, envelope(), path="/citizens/01/soap"),
        await say(hub, envelope(), path="/citizens/soap"),
    ]

    assert [(answer.status, answer.slug) for answer in answers] == [(401, "token-missing"), *[(404, "not-found")] * 3]


async def test_the_wsdl_is_served_with_everything_that_it_imports(hub: Running) -> None:
    at = hub.data + ADDRESS
    wsdl = (await hub.client.get(f"{at}?wsdl")).text
    imported = [part.partition('"')[0] for part in wsdl.split('schemaLocation="')[1:]]

    statuses = [(await hub.client.get(location)).status_code for location in imported]

    assert (await hub.client.get(f"{at}?WSDL")).text == wsdl
    assert [location.removeprefix(at) for location in imported] == ["?xsd=citizens.xsd", "?xsd=lgsp.xsd"]
    assert statuses == [200, 200]
    for query in ("?xsd=", "?xsd=../../population/v1/request.xsd", "?xsd=/etc/passwd", "?wsdl=citizens.xsd2", "?all", ""):
        assert heard(await hub.client.get(at + query)).status in {404, 405}


async def test_the_single_wsdl_needs_no_other_document(hub: Running) -> None:
    answer = await hub.client.get(f"{hub.data}{ADDRESS}?singleWsdl")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert "schemaLocation" not in answer.text
    assert f'location="{hub.data}{ADDRESS}"' in answer.text
    assert heard(await hub.client.get(f"{hub.data}{ADDRESS}?singleWsdl=x")).status == 404


@pytest.mark.parametrize("question", ["wsdl", "singleWsdl"])
async def test_a_foreign_client_needs_nothing_but_the_wsdl(hub: Running, question: str) -> None:
    def ask(port: str) -> Any:
        client = zeep.Client(f"{hub.data}{ADDRESS}?{question}")
        client.transport.session.headers["Authorization"] = hub.headers["Authorization"]
        words = {"Purpose": "receive-dossier", "Official": "CB001", "PublicService": "1.000001", "Dossier": "H99.1-261123-0001"}
        service = client.bind("citizens", port)
        return service.citizenLookup(
            citizen_id="099090000001", full_name="Nguyễn Văn An", birth_date="1990-05-17", _soapheaders={"Lgsp": words}
        )

    for port in ("CitizensSoap11", "CitizensSoap12"):
        answer = await asyncio.to_thread(ask, port)
        assert answer["citizens"][0]["name"]["family"] == "Nguyễn"
