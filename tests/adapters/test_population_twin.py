"""The population twin answers as public integration code says the database does, over real sockets."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import time
import unicodedata
from pathlib import Path

import aiohttp
import pytest
from lxml import etree

from lgsp.twin.serve import load_twin, serving

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "adapters" / "population"
WSDL = ROOT / "contracts" / "wsdl" / "population" / "v1"
TELL = "{http://www.mic.gov.vn/dancu/1.0}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"


@pytest.fixture
async def address():
    async with serving(load_twin(FOLDER)) as base:
        yield f"{base}/TraCuuCongDan"


def stamp(skew_s=0):
    return str(int((time.time() + skew_s) * 1000))


def headers(address, at=None, **changed):
    at = at or stamp()
    digest = hashlib.sha256(f"{address}twin{at}twin-only".encode()).hexdigest()
    basic = base64.b64encode(f"twin:{digest}".encode()).decode()
    usual = {"Timestamp": at, "ApiKey": "twin-only", "Authorization": f"Basic {basic}", "SOAPAction": '""'}
    return usual | {"Content-Type": "application/xml"} | changed


def question(number, name, birth, operation="TraCuuThongTinCongDan"):
    by, born = ("SoDinhDanh" if len(number) == 12 else "SoCMND"), ("Nam" if len(birth) == 4 else "NgayThangNam")
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<{operation} xmlns="http://dancuquocgia.bca"><MaYeuCau>m-1</MaYeuCau><MaDVC>1.004873</MaDVC><MaTichHop>037</MaTichHop>'
        f"<MaCanBo>CB-0042</MaCanBo><{by}>{number}</{by}><HoVaTen>{name}</HoVaTen>"
        f"<NgayThangNamSinh><{born}>{birth}</{born}></NgayThangNamSinh></{operation}></s:Body></s:Envelope>"
    )


async def ask(address, body, sent=None):
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as client,
        client.post(address, data=body.encode(), headers=sent or headers(address)) as answer,
    ):
        return answer.status, await answer.read()


def citizens(body):
    return [person.findtext(f"{TELL}SoDinhDanh") for person in etree.fromstring(body).iter(f"{TELL}CongDan")]


def fault_code(body):
    return etree.fromstring(body).findtext(f".//{TELL}MaLoi")


@pytest.mark.parametrize(
    ("number", "name", "birth", "found"),
    [
        ("099090000001", "NGUYỄN VĂN AN", "19900517", ["099090000001"]),
        ("099090000001", "NGUYỄN VĂN AN", "1990", ["099090000001"]),
        ("990000001", "NGUYỄN VĂN AN", "1990", ["099090000001"]),
        ("990000003", "TRẦN ĐỨC HÙNG", "1975", ["099075000003", "099075000004"]),
        ("990000003", "TRẦN ĐỨC HÙNG", "19751120", ["099075000004"]),
        ("099145000002", "GIÀNG MÁY", "19450101", ["099145000002"]),
        ("099090000001", "NGUYỄN VĂN AN", "1991", []),
        ("099090000001", "Nguyễn Văn An", "1990", []),
        ("099090000001", unicodedata.normalize("NFD", "NGUYỄN VĂN AN"), "1990", []),
        ("099090999999", "NGUYỄN VĂN AN", "1990", []),
    ],
)
async def test_people_are_found_by_number_exact_name_and_birth(address, number, name, birth, found):
    status, body = await ask(address, question(number, name, birth))

    assert (status, citizens(body)) == (200, found)


async def test_every_golden_question_gets_its_golden_answer(address):
    for asked in sorted((FOLDER / "examples").glob("*.native.xml")):
        told = asked.with_name(asked.name.replace(".native.", ".native_reply."))
        if not told.exists():
            continue

        _, body = await ask(address, asked.read_text())

        assert _flat(body) == _flat(told.read_bytes()), asked.name


def _flat(xml):
    tree = etree.fromstring(xml, etree.XMLParser(remove_blank_text=True))
    return etree.tostring(tree, method="c14n")


def test_all_people_but_the_two_who_should_not_fit_the_contract():
    schema = etree.XMLSchema(etree.parse(WSDL / "reply.xsd"))
    load_twin(FOLDER)
    twin = sys.modules["lgsp_twin_of_population"]
    people = list(twin.people())

    verdicts = [(answer, schema.validate(_told(twin, person, answer))) for person, answer in people]

    assert len(people) > 300
    assert {answer for answer, fits in verdicts if not fits} == {"invalid", "extended"}


def _told(twin, person, answer):
    return etree.fromstring(twin.reply([twin.person_xml(person, answer)]).encode())[0][0]


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("SOAPACTION", {"SOAPAction": '"urn:x"'}),
        ("APIKEY", {"ApiKey": "wrong"}),
        ("TIMESTAMP", {"Timestamp": "yesterday"}),
        ("TIMESTAMP", {"Timestamp": "0"}),
        ("AUTHORIZATION", {"Authorization": "Basic dHdpbjp0d2luLW9ubHk="}),
    ],
)
async def test_a_wrong_header_is_a_client_fault(address, code, changed):
    status, body = await ask(address, question("099090000001", "NGUYỄN VĂN AN", "1990"), headers(address, **changed))

    assert (status, fault_code(body)) == (500, code)
    assert etree.fromstring(body).findtext(".//faultcode") == "soap:Client"


async def test_a_signature_of_six_minutes_ago_is_refused(address):
    status, body = await ask(address, question("099090000001", "NGUYỄN VĂN AN", "1990"), headers(address, stamp(-360)))

    assert (status, fault_code(body)) == (500, "TIMESTAMP")


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("XML", "not xml"),
        ("XML", "<a/>"),
        ("XML", '<!DOCTYPE a [<!ENTITY x "y">]><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>'),
        ("SCHEMA", question("09909000001", "NGUYỄN VĂN AN", "1990")),
        ("SCHEMA", question("099090000001", "NGUYỄN VĂN AN", "19901350")),
        ("SCHEMA", question("099090000001", "NGUYỄN VĂN AN", "1990", "XoaCongDan")),
    ],
)
async def test_a_body_that_breaks_the_contract_is_a_client_fault(address, code, body):
    status, answer = await ask(address, body)

    assert (status, fault_code(answer)) == (500, code)


@pytest.mark.parametrize(("number", "verdict"), [("099090000001", "true"), ("099090999999", "false")])
async def test_verification_says_yes_or_no(address, number, verdict):
    _, body = await ask(address, question(number, "NGUYỄN VĂN AN", "1990", "XacThucThongTinCongDan"))

    assert etree.fromstring(body).findtext(f".//{TELL}TonTai") == verdict


@pytest.mark.parametrize(
    ("number", "name", "status", "start"),
    [
        ("099090000091", "LỖI TRANG", 502, b"<html>"),
        ("099090000095", "LỖI RỖNG", 200, b""),
        ("099090000092", "LỖI NGẦM", 200, b"<?xml"),
    ],
)
async def test_scenario_people_make_it_misbehave(address, number, name, status, start):
    got, body = await ask(address, question(number, name, "1990"))

    assert got == status
    assert body.startswith(start) if start else body == b""


async def test_the_ledger_stays_empty_because_look_ups_have_no_effect(address):
    await ask(address, question("099090000001", "NGUYỄN VĂN AN", "1990"))
    async with aiohttp.ClientSession() as client, client.get(address.replace("/TraCuuCongDan", "/_twin/ledger")) as answer:
        told = json.loads(await answer.read())

    assert told == {"entries": [], "counts": {}}
