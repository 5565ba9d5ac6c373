"""X-Road: identifiers and headers as the protocol writes them, and the table of its faults."""

from __future__ import annotations

import pytest
import yaml

from lgsp.codec.soap.fragment import parse
from lgsp.codec.xroad import Passport, parts, repeated, rest_headers, rest_path, speaker, with_header
from lgsp.errors import CodecError, problems
from lgsp.policy.xroad import TABLE_FILE, fault_of

ENVELOPE = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a/></s:Body></s:Envelope>'
PASSPORT = Passport("VN/GOV/H99/truc", "VN/GOV/G14/dat-dai/traCuu/v1", "id-1", "VN-CB001", "H99.1-261123-0001", "GOV/H99.12")
INSTANCE, CLASS = "<id:xRoadInstance>VN</id:xRoadInstance>", "<id:memberClass>GOV</id:memberClass>"
BLOCKS = [
    "xrd:client", "xrd:service", "xrd:id", "xrd:userId", "xrd:issue", "xrd:protocolVersion", "repr:representedParty",
]  # fmt: skip


def test_a_header_says_what_its_reader_reads() -> None:
    envelope = parse(with_header(ENVELOPE, PASSPORT))

    assert speaker(envelope) == PASSPORT
    assert [f"{block.prefix}:{block.tag.rpartition('}')[2]}" for block in envelope[0]] == BLOCKS


def test_the_answer_repeats_the_header_to_the_letter_and_leaves_out_the_rest() -> None:
    head = (
        '<x:id xmlns:x="http://x-road.eu/xsd/xroad.xsd">  id 1\n</x:id>'
        '<o:other xmlns:o="urn:o"/><x:userId xmlns:x="http://x-road.eu/xsd/xroad.xsd">Nguyễn</x:userId>'
        '<x:requestHash xmlns:x="http://x-road.eu/xsd/xroad.xsd">x</x:requestHash>'
    )
    envelope = parse(ENVELOPE.replace(b"<s:Body>", f"<s:Header>{head}</s:Header><s:Body>".encode()))

    again = parse(b"<r>" + repeated(envelope) + b"</r>")

    assert [(block.tag.rpartition("}")[2], block.text) for block in again] == [("id", "  id 1\n"), ("userId", "Nguyễn")]


def test_each_part_of_a_rest_address_is_encoded_on_its_own() -> None:
    assert rest_path("VN/GOV/000.00.00.G14/đất đai/tra?cứu") == "/r1/VN/GOV/000.00.00.G14/%C4%91%E1%BA%A5t%20%C4%91ai/tra%3Fc%E1%BB%A9u"
    assert rest_headers(Passport("VN/GOV/H99/một", "VN/GOV/G14/x/y", "1", issue="Hồ\r\nsơ")) == {
        "X-Road-Client": "VN/GOV/H99/m%E1%BB%99t",
        "X-Road-Id": "1",
        "X-Road-Issue": "H%E1%BB%93%0D%0As%C6%A1",
    }


@pytest.mark.parametrize("identifier", ["", "VN", "VN/GOV", "VN//H99", "VN/GOV/H99/", "a/b/c/d/e/f/g", "VN/GOV/" + "x" * 300])
def test_what_is_no_identifier_is_refused(identifier: str) -> None:
    with pytest.raises(CodecError):
        parts(identifier)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (">4.0<", ">3.1<"),
        ("protocolVersion", "protocol"),
        (f"{INSTANCE}{CLASS}", f"{CLASS}{INSTANCE}"),
        ("<id:memberCode>H99</id:memberCode>", "<id:memberCode>H99/x</id:memberCode><id:memberCode>H</id:memberCode>"),
        ("<xrd:id ", "<xrd:userId "),
    ],
)  # fmt: skip
def test_a_broken_header_is_refused(old: str, new: str) -> None:
    document = with_header(ENVELOPE, PASSPORT).decode()
    assert old in document

    with pytest.raises(CodecError):
        speaker(parse(document.replace(old, new).replace(f"</{old[1:].strip()}>", f"</{new[1:].strip()}>").encode()))


def test_every_row_of_the_table_is_a_problem_of_ours() -> None:
    table = yaml.load(TABLE_FILE.read_bytes(), Loader=yaml.BaseLoader)  # noqa: S506  # texts only: `no` stays a word
    rows = [row for rows in table.values() for row in rows.values()]

    assert {row["slug"] for row in rows} <= problems().keys()
    assert {row["reached"] for row in rows} == {"no", "maybe", "yes"}


@pytest.mark.parametrize("code", ["Client", "Server", "soap:Server", "Client.Authentication", "Server.Overloaded", "", "urn:x"])
def test_a_code_that_is_not_x_roads_stays_the_providers(code: str) -> None:
    assert fault_of(code) is None


@pytest.mark.parametrize("code", ["Server.ServerProxy.ServiceFailed.MissingBody", "server.serverproxy.service_failed.missing_body"])
def test_a_code_is_read_in_both_spellings(code: str) -> None:
    fault = fault_of(code)

    assert fault is not None
    assert (fault.slug, fault.detail) == ("provider-not-understood", f"X-Road: {code}")
