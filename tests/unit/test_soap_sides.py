"""Both ends of an operation: what one side writes the other reads, with headers, faults, one-way calls, SOAP 1.1 and 1.2."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from lgsp.codec.soap.envelope import open_envelope
from lgsp.codec.soap.fault import write_fault
from lgsp.codec.soap.speech import Speech, decode, encode
from lgsp.codec.soap.tables import SOAP_11, SOAP_12
from lgsp.contract.wsdl.read import read_contract
from lgsp.errors import CodecError
from lgsp.model.agreed import SoapFault

SERVICE = Path(__file__).parent.parent / "contracts" / "data" / "service.wsdl"
PORTS = {SOAP_11: "Port11", SOAP_12: "Port12"}


@pytest.fixture(params=[SOAP_11, SOAP_12], ids=["1.1", "1.2"])
def version(request) -> str:
    return request.param


@pytest.fixture
def find(version) -> Speech:
    return read_contract(SERVICE).port(PORTS[version]).operations["Find"]


REQUEST = {"#header": {"Login": {"user": "Đặng Ánh", "@level": 2}}, "Id": "079", "Amount": Decimal("1.50")}
REPLY = {"#header": {"Quota": 7}, "Name": ["Nguyễn Văn An"], "Born": "1990-05-17"}


def test_the_provider_reads_what_the_consumer_writes_and_the_other_way_round(find):
    assert decode(find, encode(find, REQUEST)) == REQUEST
    assert decode(find, encode(find, REPLY, reply=True), reply=True) == REPLY


def test_an_envelope_is_opened_before_its_operation_is_known(find, version):
    envelope = open_envelope(encode(find, REQUEST))

    assert (envelope.version, envelope.child.tag) == (version, "{urn:lgsp:test:service}Find")
    assert [block.tag for block in envelope.blocks] == ["{urn:lgsp:test:service}Login"]


def test_header_blocks_that_no_contract_declares_are_carried_as_they_stand(find):
    content, violations = find.reply.write({"Name": []} | {"Name": ["a"]}, blocks=['<x:id xmlns:x="urn:x">1</x:id>'])
    envelope = open_envelope(content)

    assert violations == ()
    assert [(block.tag, block.text) for block in envelope.blocks] == [("{urn:x}id", "1")]
    assert find.reply.read(envelope) == ({"Name": ["a"]}, ())


def test_violations_name_header_and_body_with_pointer_and_line(find):
    data = encode(find, REQUEST).replace(b'level="2"', b'level="two"').replace(b"1.50", b"\n1,50")

    _, violations = find.request.read(find.request.open(data))

    assert [(each.pointer, each.code, each.line) for each in violations] == [
        ("/#header/Login/@level", "cvc-datatype-valid.1.2.1", 2),
        ("/Amount", "cvc-datatype-valid.1.2.1", 2),
    ]


@pytest.mark.parametrize(
    ("native", "pointer"),
    [
        ({"#header": {"Login": {"user": 1}}, "Id": "1"}, "/#header/Login/user"),
        ({"#header": {"Nobody": {}}, "Id": "1"}, "/#header/Nobody"),
        ({"#header": [], "Id": "1"}, "/#header"),
    ],
)
def test_a_header_that_cannot_be_written_names_its_place(find, native, pointer):
    content, [violation] = find.request.write(native)

    assert (content, violation.pointer) == (b"", pointer)


def test_a_declared_fault_comes_back_typed(find):
    fault = SoapFault("Client" if find.operation.version == SOAP_11 else "Sender", "không có", {"Number": 7}, name="Trouble")

    assert decode(find, encode(find, fault), reply=True) == fault


def test_the_code_of_a_fault_is_told_in_the_vocabulary_of_its_version(version):
    data = write_fault(version, SoapFault("Client", "no", subcode="Busy", actor="urn:hub"), {"vi": "không", "en": "no"})
    envelope = open_envelope(data, version)
    texts = [node.get("{http://www.w3.org/XML/1998/namespace}lang") for node in envelope.root.iter() if node.text in {"không", "no"}]

    assert envelope.is_fault
    assert texts == (["vi"] if version == SOAP_11 else ["vi", "en"])
    assert (b"soap:Client.Busy" in data) == (version == SOAP_11)
    assert (b"soap:Sender" in data) == (version == SOAP_12)


def test_a_fault_carries_any_detail_that_stands_for_itself(find, version):
    data = write_fault(version, SoapFault("Server", "no"), detail='<p:problem xmlns:p="urn:p"><slug>x</slug></p:problem>')

    assert decode(find, data, reply=True).detail == {"problem": {"slug": "x"}}


def test_a_fault_that_the_contract_does_not_declare_cannot_be_written_typed(find):
    with pytest.raises(CodecError, match="declares no fault"):
        encode(find, SoapFault("Client", "no", {}, name="Nobody"))


def test_a_one_way_operation_has_no_reply(version):
    notify = read_contract(SERVICE).port(PORTS[version]).operations["Notify"]

    assert decode(notify, encode(notify, "chào")) == "chào"
    assert notify.decode(b"") == {}
    assert notify.reply is None
    with pytest.raises(CodecError, match="one-way"):
        encode(notify, {}, reply=True)


def test_an_empty_body_is_an_empty_object(version):
    ping = read_contract(SERVICE).port(PORTS[version]).operations["Ping"]

    assert decode(ping, encode(ping, {})) == {}
    assert open_envelope(encode(ping, {})).child is None


def test_rpc_puts_the_parts_unqualified_into_an_element_named_after_the_operation():
    add = read_contract(SERVICE).port("RpcPort").operations["Add"]
    value = {"a": 2, "b": {"Number": 9007199254740993}}
    child = etree.fromstring(encode(add, value))[0][0]

    assert child.tag == "{urn:lgsp:test:rpc}Add"
    assert [node.tag for node in child] == ["a", "b"]
    assert decode(add, encode(add, value)) == value
    assert etree.fromstring(encode(add, {"sum": 3}, reply=True))[0][0].tag == "{urn:lgsp:test:rpc}AddResponse"


@pytest.mark.parametrize("other", [SOAP_11, SOAP_12])
def test_an_envelope_of_the_other_version_is_refused(find, version, other):
    if other == version:
        return
    data = encode(read_contract(SERVICE).port(PORTS[other]).operations["Find"], {"Id": "1"})

    with pytest.raises(CodecError, match="root element"):
        decode(find, data)
