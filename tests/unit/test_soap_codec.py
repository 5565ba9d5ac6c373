"""The SOAP codec: what goes out is valid and in order, what comes in is read as it is meant, and hostile XML is refused."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from lgsp.contract.wsdl.read import read_wsdl
from lgsp.errors import CodecError
from lgsp.model.agreed import SoapFault

FIND = read_wsdl(Path(__file__).parent.parent / "contracts" / "data" / "people.wsdl")["Find"]
SCHEMA = FIND.write.__self__._verdict._schema  # libxml2's own, which the codec asks where it doubts

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff") | st.sampled_from("\r\n\t &<>]\"'"),
    max_size=20,
)
NODE = st.recursive(
    st.fixed_dictionaries({"Label": TEXT}, optional={"Urgent": st.booleans()}),
    lambda inner: st.fixed_dictionaries({"Label": TEXT}, optional={"Node": st.lists(inner, min_size=1, max_size=3)}),
    max_leaves=6,
)
TAG = st.fixed_dictionaries({"@kind": st.integers(-(2**31), 2**31 - 1), "#text": TEXT})
AMOUNT = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**14), max_value=10**14, places=4)
REQUEST = st.fixed_dictionaries(
    {"Id": TEXT.map(lambda text: text[:12])},
    optional={
        "Name": TEXT,
        "Year": st.integers(-(2**31), 2**31 - 1),
        "Amount": AMOUNT,
        "Tag": st.lists(TAG, min_size=1, max_size=3),
        "Note": TEXT | st.none(),
        "Within": NODE,
        "@version": TEXT,
    },
)


def envelope(body: str, before: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'{before}<s:Envelope xmlns:s="{soap}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def found(inside: str, total: str = "1") -> bytes:
    return envelope(f'<a:Found xmlns:a="urn:test:answer">{inside}<Total>{total}</Total></a:Found>')


def person(name: str) -> bytes:
    return found(f"<Person><Id>1</Id><Name>{name}</Name></Person>")


def sent(native) -> etree._Element:
    return etree.fromstring(FIND.write(native)[0])[0][0]


def locals_of(node: etree._Element) -> list[str]:
    return [etree.QName(child).localname for child in node]


# ---- out -------------------------------------------------------------------------------------------------------------------------------


@given(REQUEST)
def test_whatever_is_written_passes_the_providers_schema(native):
    content, violations = FIND.write(native)

    assert violations == ()
    assert SCHEMA.validate(etree.fromstring(content)), SCHEMA.error_log


@given(REQUEST)
def test_whatever_is_written_can_be_read_back_by_any_parser(native):
    root = sent(native)

    ns = "{urn:test:question}"
    assert root.findtext(f"{ns}Id") == native["Id"]
    assert root.get("version") == native.get("@version")
    assert [(int(tag.get("kind")), tag.text or "") for tag in root.findall(f"{ns}Tag")] == [
        (tag["@kind"], tag["#text"]) for tag in native.get("Tag", [])
    ]
    if "Amount" in native:
        assert Decimal(root.findtext(f"{ns}Amount")) == native["Amount"]


@given(REQUEST, st.randoms(use_true_random=False))
def test_the_order_of_elements_is_the_contracts_whatever_the_order_of_keys(native, order):
    keys = list(native)
    order.shuffle(keys)

    assert FIND.write({key: native[key] for key in keys})[0] == FIND.write(native)[0]


def test_elements_are_qualified_as_their_schema_says():
    root = sent({"Within": {"Node": [{"Label": "b"}], "Label": "a"}, "Year": 1990, "Id": "1"})

    assert locals_of(root) == ["Id", "Year", "Within"]
    assert {etree.QName(node).namespace for node in root.iter()} == {"urn:test:question"}


def test_a_document_says_its_encoding_and_its_headers_say_the_action():
    assert FIND.write({"Id": "1"})[0].startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert (FIND.method, FIND.path, FIND.media_type) == ("POST", "", "text/xml; charset=utf-8")
    assert FIND.headers == (("SOAPAction", '"urn:find"'),)


@pytest.mark.parametrize("text", ["a\r\nb\rc", "]]>", "  leading", "trailing \n", "<x>&amp;</x>", "Đặng Thị Ngọc Ánh", "𠀋 한 \uffc0"])
def test_text_arrives_unchanged(text):
    assert sent({"Id": "1", "Name": text, "@version": text}).findtext("{urn:test:question}Name") == text
    assert sent({"Id": "1", "@version": text}).get("version") == text


def test_null_is_written_where_the_contract_has_a_null_and_absent_stays_absent():
    root = sent({"Id": "1", "Note": None})

    assert root.find("{urn:test:question}Note").get("{http://www.w3.org/2001/XMLSchema-instance}nil") == "true"
    assert locals_of(sent({"Id": "1"})) == ["Id"]
    assert sent({"Id": "", "Note": ""}).findtext("{urn:test:question}Note") == ""


def test_decimals_and_long_integers_keep_every_digit():
    root = sent({"Id": "1", "Amount": Decimal("12345678901234567890.10")})

    assert root.findtext("{urn:test:question}Amount") == "12345678901234567890.10"
    assert sent({"Id": "1", "Amount": Decimal("1E+3")}).findtext("{urn:test:question}Amount") == "1000"


@pytest.mark.parametrize(
    ("native", "pointer"),
    [
        ({}, "/Id"),
        ({"Id": "1", "Nmae": "x"}, "/Nmae"),
        ({"Id": "1", "a/b": "x"}, "/a~1b"),
        ({"Id": 1}, "/Id"),
        ({"Id": None}, "/Id"),
        ({"Id": "1", "Year": "1990"}, "/Year"),
        ({"Id": "1", "Year": True}, "/Year"),
        ({"Id": "1", "Year": 10**5000}, "/Year"),
        ({"Id": "1", "Amount": 1.5}, "/Amount"),
        ({"Id": "1", "Amount": Decimal("NaN")}, "/Amount"),
        ({"Id": "1", "Amount": Decimal("1E+999999")}, "/Amount"),
        ({"Id": "1", "Name": "a\x00"}, "/Name"),
        ({"Id": "1", "Name": "\ud800"}, "/Name"),
        ({"Id": "1", "Name": "\uffff"}, "/Name"),
        ({"Id": "1", "@version": "\x1b"}, "/@version"),
        ({"Id": "1", "Tag": {"#text": "x"}}, "/Tag"),
        ({"Id": "1", "Tag": [{"@kind": 1, "#text": "x"}, {"#text": "x"}]}, "/Tag/1/@kind"),
        ({"Id": "1", "Tag": [{"@kind": 1}]}, "/Tag/0/#text"),
        ({"Id": "1", "Within": "x"}, "/Within"),
        ({"Id": "1", "Within": {"Label": "a", "Node": [{"Label": "b"}, {"Label": "b\x0c"}]}}, "/Within/Node/1/Label"),
        ({"Id": "1", "Within": {"Label": "a", "Node": [{"Label": "b", "Urgent": 1}]}}, "/Within/Node/0/Urgent"),
        ("1", ""),
        (None, ""),
    ],
)
def test_a_value_that_cannot_be_written_names_its_path_and_not_itself(native, pointer):
    content, violations = FIND.write(native)

    assert content == b""
    assert [(violation.pointer, violation.code) for violation in violations] == [(pointer, "codec")]


def test_endless_nesting_is_refused():
    node = {"Label": "x"}
    for _ in range(5000):
        node = {"Label": "x", "Node": [node]}

    content, [violation] = FIND.write({"Id": "1", "Within": node})

    assert content == b""
    assert "nested too deeply" in violation.detail


@pytest.mark.parametrize(
    ("native", "pointer", "code", "detail"),
    [
        ({"Id": "1234567890123"}, "/Id", "cvc-maxLength", "is too long; the limit is 12"),
        ({"Id": "1", "Year": 1990, "Day": "1990-01-01"}, "/Day", "cvc-complex-type.2.4", None),
        ({"Id": "1", "Day": "1990-02-30"}, "/Day", "cvc-datatype-valid.1.2.1", "is not in the lexical space of its type"),
        ({"Id": "1", "Year": 2**31}, "/Year", "cvc-datatype-valid.1.2.1", None),
        ({"Id": "1", "Tag": [{"@kind": 1, "#text": ""}, {"@kind": 2**40, "#text": ""}]}, "/Tag/1/@kind", "cvc-datatype-valid.1.2.1", None),
    ],
)
def test_the_providers_limits_are_told_at_the_native_path(native, pointer, code, detail):
    [violation] = FIND.write(native)[1]

    assert (violation.pointer, violation.code) == (pointer, code)
    assert detail is None or violation.detail == detail


@given(st.text(min_size=13).filter(lambda text: FIND.write({"Id": text})[1][0].code != "codec"))
def test_no_violation_repeats_the_value(text):
    [violation] = FIND.write({"Id": "@@" + text + "@@"})[1]

    assert "@@" not in violation.detail


# ---- in --------------------------------------------------------------------------------------------------------------------------------


def test_an_answer_becomes_values_by_their_types():
    data = found(
        "<Person><Id>012</Id><Name/><Gender>1</Gender><Died>2020-01-01+07:00</Died></Person>"
        '<Person><Id>2</Id><Name> b </Name><Died xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/></Person>',
        "9007199254740993",
    )

    value, violations = FIND.read(data)

    assert value == {
        "Person": [
            {"Id": "012", "Name": "", "Gender": 1, "Died": "2020-01-01+07:00"},
            {"Id": "2", "Name": " b ", "Died": None},
        ],
        "Total": 9007199254740993,
    }
    assert violations == FIND.check_reply(data) == ()
    assert FIND.decode(data) == value


def test_one_of_many_is_a_list_and_none_is_absent():
    assert FIND.decode(person("a"))["Person"] == [{"Id": "1", "Name": "a"}]
    assert FIND.decode(found("")) == {"Total": 1}


def test_what_is_unknown_is_skipped_and_told():
    value, violations = FIND.read(found("<Person><Id>1</Id><Name>a</Name><New>1</New></Person><Newer/>"))

    assert value == {"Person": [{"Id": "1", "Name": "a"}], "Total": 1}
    assert [violation.pointer for violation in violations] == ["/Person/0/New", "/Newer"]


def test_what_is_missing_or_wrong_is_told_and_kept_as_it_came():
    value, violations = FIND.read(
        found("<Person><Id>1</Id><Name>a</Name></Person><Person><Id>1</Id><Name>x</Name><Gender>m</Gender></Person>", "1_0")
    )

    assert value["Person"][1]["Gender"] == "m"
    assert value["Total"] == "1_0"
    assert [violation.pointer for violation in violations] == ["/Person/1/Gender", "/Total"]


def test_a_missing_element_is_told_at_its_own_path():
    violations = FIND.check_reply(found("<Person><Id>1</Id></Person>"))

    assert ("/Person/0/Name", "is missing") in [(violation.pointer, violation.detail) for violation in violations]


def test_a_default_namespace_on_the_body_does_not_hide_the_places():
    inside = '<Person xmlns=""><Id>1</Id><Name>a</Name><Gender>x</Gender></Person><Total xmlns="">1</Total>'
    data = envelope(f'<Found xmlns="urn:test:answer">{inside}</Found>')

    assert [violation.pointer for violation in FIND.check_reply(data)] == ["/Person/0/Gender"]


@pytest.mark.parametrize("inside", ["user@a<!---->.evil", "user@a<?pi?>.evil", "user@a<![CDATA[.evil]]>", "user@a<b>x</b>.evil"])
def test_nothing_cuts_a_text_off(inside):
    assert FIND.decode(person(inside))["Person"][0]["Name"] == "user@a.evil"


def test_a_comment_before_the_body_does_not_empty_it():
    data = found("").replace(b"<s:Body>", b"<!-- a --><s:Header/><!-- b --><s:Body><!-- c -->")

    assert FIND.decode(data) == {"Total": 1}
    assert FIND.check_reply(data) == ()


def test_other_encodings_are_read():
    text = person("NGUYỄN").decode().replace("UTF-8", "UTF-16")

    assert FIND.decode(text.encode("utf-16"))["Person"][0]["Name"] == "NGUYỄN"


def test_answers_are_judged_in_many_threads_at_once():
    good, bad = person("a"), found("<Person/>")

    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(FIND.check_reply, [good, bad] * 100))

    assert all(not verdict for verdict in verdicts[::2])
    assert {verdict[0].pointer for verdict in verdicts[1::2]} == {"/Person/0/Id"}


# ---- faults ----------------------------------------------------------------------------------------------------------------------------


def test_a_fault_is_an_answer_with_its_typed_detail():
    detail = '<detail><a:Trouble xmlns:a="urn:test:answer"><Number>7</Number></a:Trouble></detail>'
    data = envelope(f"<s:Fault><faultcode>s:Server.Busy</faultcode><faultstring> bận </faultstring>{detail}</s:Fault>")

    value, violations = FIND.read(data)

    assert value == SoapFault("Server.Busy", "bận", {"Number": 7}, name="Trouble")
    assert violations == ()


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("", None),
        ("<detail/>", None),
        ("<detail>text</detail>", "text"),
        ("<detail><x><y>1</y><y>2</y></x></detail>", {"x": {"y": ["1", "2"]}}),
        ("<detail><m:E xmlns:m='urn:m'>x</m:E><n>2</n></detail>", {"E": "x", "n": "2"}),
    ],
)
def test_a_fault_detail_that_no_contract_describes_is_read_as_it_stands(detail, expected):
    data = envelope(f"<s:Fault><faultcode>Client</faultcode><faultstring>no</faultstring>{detail}</s:Fault>")

    assert FIND.decode(data) == SoapFault("Client", "no", expected)


# ---- hostile ---------------------------------------------------------------------------------------------------------------------------

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"<html><body>502 Bad Gateway</body></html>", "HTML"),
        (b"<!DOCTYPE html><html><body><br></body></html>", "HTML"),
        (b"{}", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (found("")[:-3], "not well-formed"),
        (found("<Person>&unknown;</Person>"), "not well-formed|DOCTYPE"),
        (found("<Person>\x01</Person>"), "not well-formed"),
        (envelope("", "").replace(b"Body", b"Head"), "0 bodies"),
        (b"<Envelope/>", "the root element is not"),
        (found("").replace(b"soap/envelope", b"soap/other"), "the root element is not"),
        (envelope(""), "0 children"),
        (envelope('<a:Found xmlns:a="urn:test:answer"/><x/>'), "2 children"),
        (envelope("<Found/>"), "does not hold"),
        (envelope("<a/>") + b"<b/>", "not well-formed"),
        (envelope("<a/>", "<!DOCTYPE x>"), "DOCTYPE"),
        (envelope("<a/>", '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'), "DOCTYPE"),
        (envelope("<a>&x;</a>", '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>'), "DOCTYPE"),
        (envelope("<a/>", '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>'), "DOCTYPE|not well-formed"),
        (envelope("<a>&l11;</a>", f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'), "DOCTYPE|not well-formed"),
        (envelope("<a b='&l11;'/>", f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'), "DOCTYPE|not well-formed"),
        (envelope("<a>" * 100_000 + "</a>" * 100_000), "not well-formed"),
        (envelope("<a/>", "<!DOCTYPE x>").decode().encode("utf-16"), "DOCTYPE"),
    ],
    ids=lambda value: re.sub(r"[^a-z0-9]+", "-", str(value)[:40].lower()),
)
def test_what_is_no_envelope_is_refused_at_once_and_says_why(data, reason):
    began = time.monotonic()

    with pytest.raises(CodecError, match=reason):
        FIND.read(data)

    assert time.monotonic() - began < 1


def test_a_doctype_in_a_text_is_only_text():
    assert FIND.decode(person("<![CDATA[<!DOCTYPE x>]]>"))["Person"][0]["Name"] == "<!DOCTYPE x>"


def test_an_instance_cannot_bring_its_own_schema():
    data = person("a").replace(
        b"<a:Found ",
        b'<a:Found xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:test:answer http://127.0.0.1:9/own.xsd" ',
    )

    assert FIND.check_reply(data) == ()


@given(st.binary(max_size=200) | st.text(max_size=200).map(found))
@settings(max_examples=200)
def test_any_bytes_are_read_or_refused_in_our_own_words(data):
    try:
        answer = FIND.read(data)
    except CodecError:
        return

    assert answer
