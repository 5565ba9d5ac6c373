"""Reading WSDL files: what is sound speaks, what is not is refused with file, line and construct, and nothing is ever fetched."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from zeep.transports import Transport
from zeep.wsdl import Document

from lgsp.contract.wsdl.read import read_contract, read_wsdl
from lgsp.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.model.agreed import Wire

NESTED = '<xs:group name="g{0}"><xs:sequence><xs:group ref="t:g{1}"/><xs:group ref="t:g{1}"/></xs:sequence></xs:group>'
BOMB = "".join(NESTED.format(n, n + 1) for n in range(13)) + '<xs:group name="g13"><xs:sequence><xs:any/></xs:sequence></xs:group>'
PEOPLE = Path(__file__).parent / "data" / "people.wsdl"
SCHEMA = '<xs:schema targetNamespace="urn:t" elementFormDefault="qualified">{}</xs:schema>'
PLAIN = '<xs:element name="In" type="xs:string"/><xs:element name="Out" type="xs:string"/>'


def wsdl(types: str = SCHEMA.format(PLAIN), *, operation: str = "", style: str = "document", version: str = "soap", head: str = "") -> str:
    body = '<s:body use="literal"/>'
    return f"""<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/{version}/"
  xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t">{head}
<w:types>{types}</w:types>
<w:message name="in"><w:part name="p" element="t:In"/></w:message>
<w:message name="out"><w:part name="p" element="t:Out"/></w:message>
<w:portType name="P"><w:operation name="Do"><w:input message="t:in"/><w:output message="t:out"/></w:operation></w:portType>
<w:binding name="B" type="t:P"><s:binding style="{style}" transport="http://schemas.xmlsoap.org/soap/http"/>
<w:operation name="Do"><s:operation soapAction="urn:do"/>
{operation or f"<w:input>{body}</w:input><w:output>{body}</w:output>"}</w:operation>
</w:binding>
<w:service name="S"><w:port name="Port" binding="t:B"><s:address location="http://x.example/"/></w:port></w:service>
</w:definitions>"""


def read(folder: Path, text: str, **more: str) -> Mapping[str, Wire]:
    for name, content in more.items():
        (folder / name.replace("_", ".")).write_text(content)
    (folder / "main.wsdl").write_text(text)
    return read_wsdl(folder / "main.wsdl")


def rules(folder: Path, text: str, **more: str) -> list[tuple[str, str]]:
    with pytest.raises(ContractError) as caught:
        read(folder, text, **more)
    assert all(str(folder) not in str(finding) for finding in caught.value.findings)
    return [(finding.file, finding.rule) for finding in caught.value.findings]


def body(data: bytes) -> etree._Element:
    return etree.fromstring(data)[0][0]


def content(native_type: str) -> str:
    return SCHEMA.format(
        f'<xs:element name="In"><xs:complexType>{native_type}</xs:complexType></xs:element><xs:element name="Out" type="xs:string"/>'
    )


# ---- what speaks -----------------------------------------------------------------------------------------------------------------------


def test_operations_are_read_by_their_names_and_ports_by_theirs():
    assert list(read_wsdl(PEOPLE)) == ["Find"]
    assert list(read_wsdl(PEOPLE, "PeoplePort")) == ["Find"]


def test_an_unknown_port_is_refused_with_those_that_exist():
    with pytest.raises(ContractError, match="PeoplePort"):
        read_wsdl(PEOPLE, "Nobody")


def test_a_bare_simple_element_is_a_bare_value(tmp_path):
    wire = read(tmp_path, wsdl())["Do"]

    assert body(wire.write("a")[0]).text == "a"
    assert wire.write("a")[1] == ()


def test_soap_12_puts_its_action_into_the_media_type(tmp_path):
    wire = read(tmp_path, wsdl(version="soap12"))["Do"]

    assert wire.media_type == 'application/soap+xml; charset=utf-8; action="urn:do"'
    assert wire.headers == ()
    assert etree.fromstring(wire.write("a")[0]).tag == "{http://www.w3.org/2003/05/soap-envelope}Envelope"


def test_a_soap_12_fault_is_read(tmp_path):
    wire = read(tmp_path, wsdl(version="soap12"))["Do"]
    fault = (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code>'
        '<e:Reason><e:Text xml:lang="vi">sai</e:Text></e:Reason><e:Detail><why>x</why></e:Detail></e:Fault></e:Body></e:Envelope>'
    )

    answer = wire.decode(fault.encode())

    assert (answer.code, answer.reason, answer.detail) == ("Sender", "sai", {"why": "x"})


def test_schemas_come_from_files_through_imports_and_lent_namespaces(tmp_path):
    types = SCHEMA.format('<xs:include schemaLocation="lent.xsd"/><xs:import namespace="urn:o" schemaLocation="other.xsd"/>')
    lent = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:o="urn:o" elementFormDefault="qualified">'
        '<xs:element name="In"><xs:complexType><xs:sequence><xs:element name="a" type="Short"/><xs:element ref="o:b"/></xs:sequence>'
        '</xs:complexType></xs:element><xs:element name="Out" type="Short"/>'
        '<xs:simpleType name="Short"><xs:restriction base="xs:string"><xs:maxLength value="3"/></xs:restriction>'
        "</xs:simpleType></xs:schema>"
    )
    other = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o"><xs:element name="b" type="xs:int"/></xs:schema>'
    )

    wire = read(tmp_path, wsdl(types), lent_xsd=lent, other_xsd=other)["Do"]

    assert [node.tag for node in body(wire.write({"b": 1, "a": "x"})[0])] == ["{urn:t}a", "{urn:o}b"]
    assert [violation.code for violation in wire.write({"b": 1, "a": "long"})[1]] == ["cvc-maxLength"]


def test_names_that_clash_are_qualified(tmp_path):
    types = (
        content(
            '<xs:sequence><xs:element name="id" type="xs:int"/><xs:element ref="o:id" xmlns:o="urn:o"/></xs:sequence>',
        )
        + '<xs:schema targetNamespace="urn:o"><xs:element name="id" type="xs:int"/></xs:schema>'
    )

    wire = read(tmp_path, wsdl(types))["Do"]

    assert [node.text for node in body(wire.write({"{urn:o}id": 2, "{urn:t}id": 1})[0])] == ["1", "2"]


def test_extensions_groups_and_attributes_are_flattened_in_order(tmp_path):
    types = SCHEMA.format(
        '<xs:group name="G"><xs:sequence><xs:element name="g" type="xs:boolean" minOccurs="0"/></xs:sequence></xs:group>'
        '<xs:complexType name="First"><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence>'
        '<xs:attribute name="k"/></xs:complexType>'
        '<xs:element name="In"><xs:complexType><xs:complexContent><xs:extension base="t:First"><xs:sequence><xs:group ref="t:G"/>'
        '<xs:element name="z" type="xs:double"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:element>'
        '<xs:element name="Out" type="xs:string"/>',
    )
    wire = read(tmp_path, wsdl(types))["Do"]
    native = {"z": Decimal("1.5E+3"), "g": True, "a": 1, "@k": "v"}

    assert [etree.QName(node).localname for node in body(wire.write(native)[0])] == ["a", "g", "z"]
    assert wire.write(native)[1] == ()


ORDERED = (
    '<xs:complexType name="Row"><xs:sequence><xs:element name="a" type="xs:string"/><xs:element name="b" type="xs:int" nillable="true"/>'
    '<xs:sequence><xs:element name="c" type="xs:string"/></xs:sequence><xs:element name="d" type="xs:string" minOccurs="0"/>'
    '<xs:any namespace="##other" processContents="skip" minOccurs="0"/>'
    '<xs:element name="e" type="xs:boolean"/></xs:sequence></xs:complexType>'
    '<xs:complexType name="All"><xs:all><xs:element name="x" type="xs:int"/>'
    '<xs:element name="y" type="xs:string"/></xs:all></xs:complexType>'
    '<xs:element name="In" type="xs:string"/><xs:element name="Out"><xs:complexType><xs:sequence><xs:element name="all" type="t:All"/>'
    '<xs:element name="row" type="t:Row" maxOccurs="3"/></xs:sequence></xs:complexType></xs:element>'
)


@pytest.mark.parametrize("all_", ["<x>1</x><y>z</y>", "<y/><x>1</x>"])
@pytest.mark.parametrize(
    "row",
    [
        "<a/><b>1</b><c>&lt;c&gt;</c><e>1</e>",
        '<a>x<!-- y -->z</a><b i:nil="true"/> <c><![CDATA[<]]></c><d/><e>true</e>',
        '<a>x</a><b>2</b><c/><o:more xmlns:o="urn:o"><a/></o:more><e>0</e>',
        "<a>x</a><c/><b>2</b><e>0</e>",
        "<b>2</b><e>0</e><new/>",
    ],
)
def test_a_valid_answer_is_read_by_places_as_any_other_by_names(tmp_path, row, all_):
    wire = read(tmp_path, wsdl(SCHEMA.format(ORDERED)))["Do"]
    inside = f'<Out xmlns="urn:t" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><all>{all_}</all><row>{row}</row></Out>'
    data = f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{inside}</e:Body></e:Envelope>'.encode()

    value, violations = wire.read(data)

    assert value == wire.decode(data)
    assert violations == wire.check_reply(data)
    assert bool(violations) == ("<c/><b>" in row or "<new/>" in row)


# ---- zeep as oracle, where it is sound -------------------------------------------------------------------------------------------------

ORACLE = Document(str(PEOPLE), Transport()).bindings["{urn:test:question}PeopleSoap"].get("Find")
WORD = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12)
NODE = st.recursive(
    st.fixed_dictionaries({"Label": WORD, "Urgent": st.booleans()}),
    lambda inner: st.fixed_dictionaries({"Label": WORD, "Node": st.lists(inner, min_size=1, max_size=2)}),
    max_leaves=4,
)
SOUND = st.fixed_dictionaries(
    {"Id": WORD},
    optional={
        "Name": WORD,
        "Year": st.integers(1, 3000),  # zeep drops a 0 in a choice
        "Amount": st.decimals(0, 10**6, places=2),
        "Within": NODE,
    },
)


def plain(node: etree._Element) -> tuple:
    return node.tag, node.text if not len(node) else None, [plain(child) for child in node]


@given(SOUND)
def test_the_codec_writes_what_zeep_writes(native):
    theirs = ORACLE.create(**native).content.find("{http://schemas.xmlsoap.org/soap/envelope/}Body")[0]

    assert plain(body(find().write(native)[0])) == plain(theirs)


@cache
def find() -> Wire:
    return read_wsdl(PEOPLE)["Find"]


# ---- what is refused -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (wsdl().replace('binding="t:B"', 'binding="t:Nowhere"'), "port"),
        (wsdl().replace("soap/http", "soap/smtp"), "port"),
        (wsdl(SCHEMA.format('<xs:element name="In" type="t:Nowhere"/><xs:element name="Out" type="xs:string"/>')), "xsd"),
        (wsdl(SCHEMA.format(BOMB + PLAIN)), "xsd-too-large"),
        (wsdl()[:-9], "not-xml"),
        ("<html/>", "not-wsdl"),
        ("", "not-xml"),
        ('<!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + wsdl(), "dtd"),
        (wsdl(head='<w:import namespace="urn:x" location="http://127.0.0.1:9/x.wsdl"/>'), "remote-import"),
        (wsdl(head='<w:import namespace="urn:x" location="file:///etc/hostname"/>'), "remote-import"),
        (wsdl(head='<w:import namespace="urn:x" location="//127.0.0.1/x.wsdl"/>'), "remote-import"),
        (wsdl(head='<w:import namespace="urn:x" location="../x.wsdl"/>'), "path-escape"),
        (wsdl(head='<w:import namespace="urn:x" location="%2e%2e/x.wsdl"/>'), "path-escape"),
        (wsdl(head='<w:import namespace="urn:x" location="/etc/hostname"/>'), "path-escape"),
        (wsdl(head='<w:import namespace="urn:x" location="missing.wsdl"/>'), "missing-file"),
        (wsdl(SCHEMA.format('<xs:import namespace="urn:x" schemaLocation="http://127.0.0.1:9/x.xsd"/>' + PLAIN)), "remote-import"),
        (wsdl(SCHEMA.format('<xs:include schemaLocation="../x.xsd"/>' + PLAIN)), "path-escape"),
    ],
)
def test_a_faulty_wsdl_is_refused_with_file_and_rule(tmp_path, text, rule):
    assert rules(tmp_path, text) == [("main.wsdl", rule)]


def test_an_operation_whose_message_names_nothing_is_left_out_and_told_with_its_line(tmp_path):
    with pytest.raises(ContractError) as caught:
        read(tmp_path, wsdl().replace('element="t:Out"', 'element="t:Nowhere"'))

    told = [(finding.line, finding.rule) for finding in caught.value.findings]
    assert (5, "left-out") in told
    assert told[-1] == (0, "wsdl")


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        (wsdl(operation='<w:input><s:body use="encoded"/></w:input><w:output><s:body use="literal"/></w:output>'), "use=encoded"),
        (wsdl().replace('<w:part name="p" element="t:Out"/>', '<w:part name="p" type="xs:string"/>'), "message parts"),
        (wsdl().replace('element="t:In"/>', 'element="t:In"/><w:part name="q" element="t:Out"/>'), "message parts"),
    ],
)
def test_where_the_codec_cannot_follow_zeep_speaks_and_a_note_says_why(tmp_path, text, construct):
    (tmp_path / "main.wsdl").write_text(text)
    contract = read_contract(tmp_path / "main.wsdl")

    [note] = contract.notes
    assert (note.rule, note.line, note.reason.split(":")[0]) == ("zeep", 8, construct)
    assert list(contract.port().by_zeep) == ["Do"]
    assert "Do" in read_wsdl(tmp_path / "main.wsdl")


def test_zeep_writes_and_reads_soap_encoding(tmp_path):
    text = wsdl(
        operation="".join(f'<w:{side}><s:body use="encoded" namespace="urn:t"/></w:{side}>' for side in ("input", "output")), style="rpc"
    )
    text = text.replace('element="t:In"', 'type="xs:int"').replace('element="t:Out"', 'type="xs:date"')
    wire = read(tmp_path, text)["Do"]
    inside = '<e:Body><r:DoResponse xmlns:r="urn:t"><p>2026-11-26</p></r:DoResponse></e:Body>'
    answer = f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">{inside}</e:Envelope>'

    content, violations = wire.write({"p": 7})

    assert (body(content).tag, body(content)[0].text, violations) == ("{urn:t}Do", "7", ())
    assert wire.decode(answer.encode()) == "2026-11-26"
    assert wire.write({"q": "bí mật"})[1][0].code == "zeep"
    assert "bí mật" not in wire.write({"q": "bí mật"})[1][0].detail


def test_a_link_out_of_the_folder_is_refused_too(tmp_path):
    outside, folder = tmp_path / "outside.xsd", tmp_path / "folder"
    outside.write_text("<secret/>")
    folder.mkdir()
    (folder / "x.xsd").symlink_to(outside)

    assert rules(folder, wsdl(SCHEMA.format('<xs:include schemaLocation="x.xsd"/>' + PLAIN))) == [("main.wsdl", "path-escape")]


def test_a_circle_of_imports_ends(tmp_path):
    types = SCHEMA.format('<xs:include schemaLocation="a.xsd"/>')
    part = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t"><xs:include schemaLocation="{}.xsd"/>{}</xs:schema>'
    )

    wires = read(tmp_path, wsdl(types), a_xsd=part.format("b", ""), b_xsd=part.format("a", PLAIN))

    assert list(wires) == ["Do"]


WORDS = ["", "x", "t:In", "xs:int", "rpc", "encoded", "unbounded", "-1", "##any", "true", ":", "xml:lang", "{", "a b", "9" * 30]
CHANGES = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 4), st.integers(0, 10**6), st.sampled_from(WORDS)), min_size=1, max_size=3
)


def changed(root: etree._Element, at: int, how: int, other: int, word: str) -> None:
    nodes = list(root.iter("*"))
    node, second = nodes[at % len(nodes)], nodes[other % len(nodes)]
    names = list(node.attrib)
    if how == 0 and node is not root:
        node.getparent().remove(node)
    elif how == 1:
        node.tag = second.tag
    elif how == 2:
        node.append(etree.fromstring(etree.tostring(second)))
    elif how == 3 and names:
        del node.attrib[names[other % len(names)]]
    elif names:
        node.set(names[other % len(names)], word)


@given(changes=CHANGES, name=st.sampled_from(["service.wsdl", "people.wsdl"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_wsdl_with_any_part_changed_is_read_or_refused(tmp_path, changes, name):
    root = etree.parse(PEOPLE.with_name(name)).getroot()
    for change in changes:
        changed(root, *change)
    (tmp_path / "main.wsdl").write_bytes(etree.tostring(root))

    with contextlib.suppress(ContractError):
        contract = read_contract(tmp_path / "main.wsdl")
        assert all(speech.request for port in contract.ports for speech in port.operations.values())
