"""A WSDL alone makes a stand-in: it judges requests by the XSD, in SOAP's own faults, and its answers keep the WSDL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree
from starlette.testclient import TestClient

from lgsp.contract.wsdl.files import read_documents
from lgsp.contract.wsdl.read import contract_of
from lgsp.contract.wsdl.source import open_source
from lgsp.errors import ContractError
from lgsp.twin.soap import SoapTwin
from lgsp.twin.soap_examples import read_examples
from tests.e2e.people import ASK, PEOPLE, TELL
from tests.e2e.soap import CONTENT_TYPES, SOAP_11, SOAP_12, envelope

if TYPE_CHECKING:
    from pathlib import Path

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
FIND = f'<q:Find xmlns:q="{ASK}"><q:Id>7</q:Id></q:Find>'
AT = "/soap"
SECRET = "<w:Password>x</w:Password>"
POLICY = """<wsp:Policy xmlns:wsp="http://www.w3.org/ns/ws-policy" xmlns:sp="http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"
  xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" wsu:Id="named">
  <sp:SupportingTokens><wsp:Policy><sp:UsernameToken/></wsp:Policy></sp:SupportingTokens></wsp:Policy>"""
REFERENCE = '<wsp:PolicyReference xmlns:wsp="http://www.w3.org/ns/ws-policy" URI="#named"/>'


def twin_of(path: Path, seed: int = 0, examples: Path | None = None) -> SoapTwin:
    documents = read_documents(*open_source(path))
    contract = contract_of(documents)
    return SoapTwin(contract, documents, seed, read_examples(examples, contract) if examples else None)


def both_versions(folder: Path) -> Path:
    """The WSDL of people with a second port, of SOAP 1.2."""
    text = PEOPLE.read_text("utf-8")
    start, end = text.index("  <wsdl:binding"), text.index("  <wsdl:service")
    binding = text[start:end].replace("soap:", "s12:").replace('"PeopleSoap"', '"PeopleSoap12"')
    port = '<wsdl:port name="Port12" binding="q:PeopleSoap12"><s12:address location="http://people.example/soap12"/></wsdl:port></wsdl:service>'
    text = text[:end] + binding + text[end:].replace("</wsdl:service>", port)
    spaces = 'xmlns:s12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:xs='
    (folder / "both.wsdl").write_text(text.replace("xmlns:xs=", spaces, 1), "utf-8")
    return folder / "both.wsdl"


@pytest.fixture
def twin(tmp_path: Path) -> TestClient:
    return TestClient(twin_of(both_versions(tmp_path)))


def post(twin: TestClient, body: str = FIND, version: str = SOAP_11, blocks: str = "", at: str = "", **headers: str) -> tuple[Any, Any]:
    path = at or (AT if version == SOAP_11 else "/soap12")
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = twin.post(path, content=envelope(body, blocks, version).encode(), headers={"Content-Type": CONTENT_TYPES[version], **more})
    return answer, etree.fromstring(answer.content) if answer.content else None


def local(root: Any, name: str) -> str | None:
    return next((node.text for node in root.iter(f"{{*}}{name}")), None)


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_an_answer_is_invented_valid_and_the_same_for_the_same_seed(tmp_path, version):
    texts = [[post(TestClient(twin_of(both_versions(tmp_path), seed)), version=version)[0] for _ in range(2)] for seed in (1, 1, 2)]
    speech = twin_of(both_versions(tmp_path)).contract.ports[0 if version == SOAP_11 else 1].operations["Find"]

    assert [answer.status_code for answers in texts for answer in answers] == [200] * 6
    assert {answer.headers["content-type"] for answers in texts for answer in answers} == {CONTENT_TYPES[version]}
    assert [answer.content for answer in texts[0]] == [answer.content for answer in texts[1]]
    assert texts[0][0].content != texts[2][0].content
    assert not speech.check_reply(texts[0][0].content)


@pytest.mark.parametrize(
    ("sent", "status", "slug"),
    [
        ({"body": FIND.replace("7</q:Id>", "1234567890123</q:Id>")}, 500, "body-invalid"),
        ({"body": "<x/>"}, 400, "malformed-body"),
        ({"at": "/nowhere"}, 404, "not-found"),
        ({"SOAPAction": '"urn:other"'}, 500, "action-mismatch"),
        ({"Content_Type": "application/json"}, 415, "media-type-unsupported"),
        ({"blocks": '<x:Road xmlns:x="urn:x" s:mustUnderstand="1"/>'}, 500, "header-not-understood"),
        ({"version": SOAP_12, "at": AT}, 500, "soap-version"),
        ({"Prefer": "code=404"}, 400, "malformed-request"),
    ],
)
def test_a_request_that_breaks_the_wsdl_gets_its_fault(twin, sent, status, slug):
    answer, root = post(twin, **sent)

    assert (answer.status_code, local(root, "slug")) == (status, slug)


def test_a_fault_names_line_and_path_of_what_breaks_the_wsdl(twin):
    body = FIND.replace("<q:Id>7</q:Id>", "<q:Id>7</q:Id>\n<q:Year>năm nay</q:Year>")

    _, root = post(twin, body)

    assert (local(root, "faultcode"), local(root, "path"), local(root, "line")) == ("soap:Client", "/Year", "2")


def test_other_methods_are_refused_and_the_wsdl_is_served(twin):
    refused = [twin.put(AT), twin.get(AT)]
    shown = [twin.get(f"{AT}?{question}") for question in ("wsdl", "singleWsdl")]

    assert [(each.status_code, each.headers["allow"]) for each in refused] == [(405, "GET, POST"), (405, "POST")]
    assert [each.text.count('location="http://testserver/soap"') for each in shown] == [1, 1]
    assert shown[0].text.count('location="http://testserver/soap12"') == 1


@pytest.mark.parametrize(
    ("version", "code", "status", "said"),
    [(SOAP_11, "500", 500, "Server"), (SOAP_11, "400", 500, "Client"), (SOAP_12, "400", 400, "Sender")],
)
def test_prefer_orders_a_fault_with_its_declared_detail(twin, version, code, status, said):
    answer, root = post(twin, version=version, Prefer=f"code={code}, example=Trouble")

    assert (answer.status_code, answer.headers["preference-applied"]) == (status, f"code={code}, example=Trouble")
    assert (local(root, "faultcode") or local(root, "Value")).rpartition(":")[2] == said
    assert root.find(f".//{{{TELL}}}Trouble") is not None


def test_examples_come_first_and_prefer_chooses_among_them(tmp_path):
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "Find.json").write_text('{"Total": 1}')
    trouble = f'<t:Trouble xmlns:t="{TELL}"><Number>404</Number></t:Trouble>'
    fault = f"<s:Fault><faultcode>s:Client</faultcode><faultstring>không có</faultstring><detail>{trouble}</detail></s:Fault>"
    (folder / "Find.nobody.xml").write_text(envelope(fault), "utf-8")
    twin = TestClient(twin_of(both_versions(tmp_path), examples=folder))

    (first, found), (second, nobody) = post(twin), post(twin, version=SOAP_12, Prefer="example=nobody")

    assert (first.status_code, local(found, "Total")) == (200, "1")
    assert (second.status_code, local(nobody, "Text"), local(nobody, "Number")) == (400, "không có", "404")


def test_an_example_that_breaks_the_wsdl_is_refused_with_its_place(tmp_path):
    (tmp_path / "Find.json").write_text('{"Total": "nhiều"}')
    (tmp_path / "Nothing.xml").write_text("<x/>")

    with pytest.raises(ContractError) as caught:
        twin_of(PEOPLE, examples=tmp_path)

    assert [(each.file, each.pointer) for each in caught.value.findings] == [("Find.json", "/Total"), ("Nothing.xml", "")]


def test_a_username_token_must_be_shown_where_a_policy_asks_for_it(tmp_path):
    text = (
        PEOPLE.read_text("utf-8")
        .replace("<wsdl:types>", POLICY + "<wsdl:types>")
        .replace('type="q:People">', f'type="q:People">{REFERENCE}')
    )
    (tmp_path / "guarded.wsdl").write_text(text, "utf-8")
    twin = TestClient(twin_of(tmp_path / "guarded.wsdl"))
    token = "<w:UsernameToken><w:Username>an</w:Username>{}</w:UsernameToken>"
    blocks = [f'<w:Security xmlns:w="{WSSE}" s:mustUnderstand="1">{token.format(each)}</w:Security>' for each in ("", SECRET)]

    answers = [post(twin, blocks=each) for each in ("", *blocks)]

    told = [(answer.status_code, local(root, "slug")) for answer, root in answers]
    assert told == [(401, "wss-invalid"), (401, "wss-invalid"), (200, None)]
