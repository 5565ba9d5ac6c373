"""Whatever a schema can say of a value, the codec writes as libxml2 demands it, and reads back as it was."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from zeep.transports import Transport
from zeep.wsdl import Document

from contracts.constructs import CONSTRUCTS, REDEFINED
from contracts.test_wsdl import PLAIN, SCHEMA, wsdl
from lgsp.codec.soap.speech import decode, encode
from lgsp.contract.wsdl.read import read_contract
from lgsp.errors import CodecError, ContractError

if TYPE_CHECKING:
    from lgsp.codec.soap.speech import Speech

README = Path(__file__).parent.parent.parent / "lgsp" / "codec" / "README.md"
FOLDER = tempfile.TemporaryDirectory()


def path_of(name: str) -> Path:
    path = Path(FOLDER.name) / f"{list(CONSTRUCTS).index(name)}.wsdl"
    if not path.exists():
        path.with_name("redefined.xsd").write_text(REDEFINED)
        path.write_text(wsdl(CONSTRUCTS[name].types))
    return path


@cache
def speech(name: str) -> Speech:
    return read_contract(path_of(name)).port().operations["Do"]


@pytest.mark.parametrize("name", CONSTRUCTS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_value_becomes_a_valid_document_and_the_same_value_again(name, data):
    value = data.draw(CONSTRUCTS[name].values)
    side = speech(name).request

    content, violations = side.write(value)
    again = decode(speech(name), content)

    assert violations == ()
    assert side.is_valid(content)
    assert again == value
    assert encode(speech(name), again) == content


SOUND_IN_ZEEP = ("xs:sequence", "xs:all", "xs:group", "occurrence", "xs:extension", "several namespaces", "recursive type")
NOT_IN_ZEEP = {"several namespaces"}  # two elements of one local name


def plain(node: etree._Element) -> Any:
    return node.tag, node.text or "", sorted(node.attrib.items()), [plain(child) for child in node]


@cache
def zeeps(name: str) -> Any:
    return next(iter(Document(str(path_of(name)), Transport()).bindings.values())).get("Do")


def for_zeep(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.removeprefix("@"): for_zeep(item) for key, item in value.items()}
    return [for_zeep(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [name for name in SOUND_IN_ZEEP if name not in NOT_IN_ZEEP])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_zeep_writes_the_same_where_it_is_sound(name, data):
    value = data.draw(CONSTRUCTS[name].values)
    body = "{http://schemas.xmlsoap.org/soap/envelope/}Body"

    theirs = zeeps(name).create(**for_zeep(value)).content.find(body)[0]

    assert plain(etree.fromstring(encode(speech(name), value)).find(body)[0]) == plain(theirs)


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("xs:choice", {"a": "x", "b": 1}, "/b"),
        ("xs:choice", {}, ""),
        ("repeated xs:choice", {"#content": [{"a": "x"}, {"c": 1}]}, "/#content/1/c"),
        ("repeated xs:choice", {"#content": [{"a": "x", "b": 1}]}, "/#content/0"),
        ("repeated xs:choice", {"#content": ["text"]}, "/#content/0"),
        ("repeated xs:choice", {"#content": [{"a": "x"}, {"b": 2**40}]}, "/#content/1/b"),
        ("repeated xs:sequence", {"#content": [{"a": "x"}]}, ""),
        ("repeated xs:choice", {"#content": {}}, "/#content"),
        ("repeated xs:choice", {"a": "x"}, "/a"),
        ("mixed content", {"#content": ["x", {"b": "y"}]}, "/#content/1/b"),
        ("xsi:type", {"pet": {"@xsi:type": "Cat", "name": "x"}}, "/pet/@xsi:type"),
        ("xsi:type", {"pet": {"@xsi:type": "Dog", "name": "x"}}, "/pet/bark"),
        ("abstract type", {"pet": [{"height": 1}]}, "/pet/0/@xsi:type"),
        ("xs:any", {"a": "", "b": 1, "#any": ["<x>"]}, "/#any/0"),
        ("xs:any", {"a": "", "b": 1, "#any": ["<!DOCTYPE x><x/>"]}, "/#any/0"),
        ("xs:any", {"a": "", "b": 1, "#any": [{}]}, "/#any/0"),
        ("xs:anyAttribute", {"a": "", "@{urn:free}x": 1}, "/@{urn:free}x"),
        ("xs:anyAttribute", {"a": "", "@x y": ""}, "/@x y"),
        ("xs:list", {"a": "1 2"}, "/a"),
        ("xs:list", {"a": [1, "x"]}, "/a/1"),
        ("xs:list", {"a": [], "@w": ["a b"]}, "/@w/0"),
        ("default and fixed", {"v": 7, "a": ""}, "/a"),
        ("default and fixed", {"v": 8}, "/v"),
        ("xs:QName", {"a": ["no name"]}, "/a/0"),
        ("xsi:nil", {"a": None, "p": [{"@xsi:nil": False}]}, "/p/0/@xsi:nil"),
        ("xsi:nil", {"a": None, "p": [{"@xsi:nil": True, "name": "x"}]}, "/p/0/name"),
    ],
)
def test_what_the_contract_cannot_carry_is_told_at_its_place(name, value, pointer):
    with pytest.raises(CodecError) as caught:
        encode(speech(name), value)

    assert caught.value.pointer == pointer


def request(name: str, inside: str) -> Any:
    spaces = 'xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
    return decode(speech(name), f"<e:Envelope {spaces}><e:Body>{inside}</e:Body></e:Envelope>".encode())


@pytest.mark.parametrize(
    ("name", "inside", "value"),
    [
        ("xs:all", '<In xmlns="urn:t"><b>1</b><a/></In>', {"a": "", "b": 1}),
        ("xsi:type", '<t:In xmlns:t="urn:t"><t:pet i:type="t:Animal"><t:name/></t:pet></t:In>', {"pet": {"name": ""}}),
        (
            "xsi:type",
            '<In xmlns="urn:t"><pet i:type="Dog"><name/><bark>0</bark></pet></In>',
            {"pet": {"@xsi:type": "Dog", "name": "", "bark": False}},
        ),
        ("xsi:nil", '<In xmlns="urn:t"><a i:nil="1"/><p i:nil="true"/></In>', {"a": None, "p": [None]}),
        ("xsi:nil", '<In xmlns="urn:t"><a i:nil="false"/></In>', {"a": ""}),
        ("default and fixed", '<In xmlns="urn:t" f="F"><a/><v/></In>', {"a": "x", "v": 7, "@d": 5, "@f": "F"}),
        ("xs:list", '<In xmlns="urn:t" w=" x  y "><a>\n1 2\t3 </a></In>', {"a": [1, 2, 3], "@w": ["x", "y"]}),
        ("xs:QName", '<p:In xmlns:p="urn:t" k="p:x"><p:a xmlns="urn:d">y</p:a></p:In>', {"a": ["{urn:d}y"], "@k": "{urn:t}x"}),
        ("xs:union", '<In xmlns="urn:t"><a>07</a><n>07</n></In>', {"a": "07", "n": 7}),
        ("mixed content", '<In xmlns="urn:t"> x <b>1</b></In>', {"#content": [" x ", {"b": 1}]}),
        ("repeated xs:choice", '<In xmlns="urn:t"><b>1</b>\n<a/></In>', {"#content": [{"b": 1}, {"a": ""}]}),
    ],
)
def test_documents_of_others_are_read_as_their_schema_means_them(name, inside, value):
    assert request(name, inside) == value


def test_what_is_required_and_fixed_need_not_be_given():
    content = encode(speech("default and fixed"), {"@d": 1})

    assert decode(speech("default and fixed"), content) == {"v": 7, "@d": 1, "@f": "F"}


KEYS = st.sampled_from(
    ["a", "b", "p", "pet", "red", "node", "label", "#content", "#text", "#any", "@k", "@w", "@xsi:type", "@xsi:nil", "@{urn:free}x"]
)
ODD = st.sampled_from([None, True, 1, "x", "", Decimal("1.5"), 1.5, "Dog", "xs:int", "<x/>", "{urn:t}a", "\x00", "\r", [], {}])
VALUES = st.recursive(ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8)


@pytest.mark.parametrize("name", CONSTRUCTS)
@given(value=VALUES)
@settings(max_examples=40, deadline=None)
def test_any_value_is_written_validly_or_refused_with_a_reason(name, value):
    content, violations = speech(name).request.write(value)

    assert violations or speech(name).request.is_valid(content)
    assert all(violation.detail for violation in violations)


XML = st.recursive(
    st.sampled_from(["", "x", "1", "<a/>", "<a>1</a>", "<b>2</b>", '<p i:type="Dog"/>', '<a i:nil="true"/>', "<o:x/>"]),
    lambda inner: st.tuples(st.sampled_from(["a", "b", "p", "pet", "node", "o:y"]), st.lists(inner, max_size=3)).map(
        lambda made: f'<{made[0]} k="1" i:type="{made[0]}">{"".join(made[1])}</{made[0]}>'
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("name", CONSTRUCTS)
@given(inside=st.lists(XML, max_size=4).map("".join))
@settings(max_examples=20, deadline=None)
def test_any_document_is_read_and_judged_alike_on_every_way(name, inside):
    side = speech(name).request
    spaces = 'xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
    data = f'<e:Envelope {spaces}><e:Body><In xmlns="urn:t" xmlns:o="urn:o">{inside}</In></e:Body></e:Envelope>'.encode()

    value, violations = side.read_once(data)

    assert (value, violations) == side.read(side.open(data))
    if not violations:
        assert side.read_once(side.write(value)[0]) == (value, ())


# ---- the tables of lgsp/codec/README.md ------------------------------------------------------------------------------------------------

ENCODED = '<w:input><s:body use="encoded" namespace="urn:t"/></w:input><w:output><s:body use="encoded" namespace="urn:t"/></w:output>'
HEADED = '<w:input><s:header message="t:in" part="h" use="literal">{}</s:header><s:body use="literal"/></w:input><w:output/>'
TYPED = wsdl().replace('element="t:In"', 'type="xs:int"').replace('element="t:Out"', 'type="xs:int"')
HEADER = '<w:part name="h" element="t:Out"/><w:part name="p" element="t:In"/>'
AGAIN = '<w:operation name="Do"><w:input><s:body use="literal"/></w:input></w:operation>'
BINDINGS = {
    "document/literal, wrapped": wsdl(SCHEMA.format(PLAIN.replace('name="In"', 'name="Do"'))).replace("t:In", "t:Do"),
    "document/literal, bare": wsdl(),
    "document/literal, empty body": wsdl().replace('<w:part name="p" element="t:In"/>', ""),
    "document/literal, several parts": wsdl().replace('element="t:In"/>', 'element="t:In"/><w:part name="q" element="t:Out"/>'),
    "document/literal, part with a type": TYPED,
    "document/encoded": wsdl(operation=ENCODED),
    "rpc/literal": TYPED.replace('style="document"', 'style="rpc"'),
    "rpc/encoded": TYPED.replace('style="document"', 'style="rpc"').replace('use="literal"', 'use="encoded"'),
    "SOAP 1.1": wsdl(),
    "SOAP 1.2": wsdl(version="soap12"),
    "soap:header": wsdl(operation=HEADED.format("")).replace('<w:part name="p" element="t:In"/>', HEADER),
    "soap:headerfault": wsdl(operation=HEADED.format('<s:headerfault message="t:out" part="p" use="literal"/>')).replace(
        '<w:part name="p" element="t:In"/>', HEADER
    ),
    "soap:fault": wsdl().replace('<w:output message="t:out"/>', '<w:output message="t:out"/><w:fault name="f" message="t:out"/>'),
    "one-way": wsdl().replace('<w:output message="t:out"/>', ""),
    "notification": wsdl().replace('<w:input message="t:in"/>', ""),
    "overloaded operation": wsdl().replace("</w:binding>", f"{AGAIN}</w:binding>"),
    "mime:multipartRelated": wsdl(
        operation='<w:input><m:multipartRelated xmlns:m="http://schemas.xmlsoap.org/wsdl/mime/"><m:part><s:body use="literal"/></m:part>'
        '<m:part><m:content part="f" type="image/png"/></m:part></m:multipartRelated></w:input><w:output/>',
    ).replace('element="t:In"/>', 'element="t:In"/><w:part name="f" type="xs:base64Binary"/>'),
    "wsdl:import": wsdl(head='<w:import namespace="urn:m" location="more.wsdl"/>'),
    "HTTP binding": wsdl(version="http"),
    "other transports": wsdl().replace("soap/http", "soap/smtp"),
    "WSDL 2.0": '<description xmlns="http://www.w3.org/ns/wsdl"/>',
}


def told(heading: str) -> dict[str, str]:
    """Construct to who speaks it, as the README has it."""
    text = README.read_text(encoding="utf-8").split(f"| {heading} | by | |\n| --- | --- | --- |\n")[1]
    rows = (line.split("|") for line in text.split("\n\n")[0].splitlines())
    return {row[1].strip(): row[2].strip() for row in rows}


def speaker(text: str) -> str:
    path = Path(FOLDER.name) / "binding.wsdl"
    path.with_name("more.wsdl").write_text('<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:m"/>')
    path.write_text(text)
    try:
        port = read_contract(path).port()
    except ContractError:
        return "refused"
    return "codec" if "Do" in port.operations else "zeep" if "Do" in port.by_zeep else "refused"


def test_the_readme_lists_each_construct_of_wsdl_with_who_speaks_it():
    assert told("WSDL 1.1") == {name: speaker(text) for name, text in BINDINGS.items()}


def test_the_readme_lists_each_construct_of_xsd_that_is_tested_here():
    assert told("XSD 1.0") == dict.fromkeys(CONSTRUCTS, "codec")
