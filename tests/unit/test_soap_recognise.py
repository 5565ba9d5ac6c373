"""What is recognised at once is valid and read as libxml2 reads it; whatever is unusual or wrong is left to libxml2."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgsp.bench.dossier import dossier
from lgsp.bench.hub import BUNDLE
from lgsp.bench.peers.words import native_dossier
from lgsp.codec.soap.lexical import Doubt
from lgsp.contract.wsdl.read import read_wsdl
from lgsp.errors import CodecError

OPERATION = read_wsdl(BUNDLE / "contracts/wsdl/bench_dossier/v1/dossier.wsdl")["NopHoSo"]
SPEECH = OPERATION.write.__self__
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SPACE = "http://bench.lgsp.example/hoso/1.0"
USUAL = SPEECH.reply.write({"MaTiepNhan": "TN-1", "TrangThai": "DANG_CHO", "HoSo": native_dossier(dossier(1, 3, "Ghi chú"))})[0].decode()
ENVELOPE = f'<soap:Envelope xmlns:soap="{SOAP}" xmlns:n0="{SPACE}"><soap:Body><n0:NopHoSoResponse>'


def own_default(text: str) -> str:
    """As .NET writes: the namespace is the default one of the body's element."""
    text = text.replace(f' xmlns:n0="{SPACE}"', "").replace("n0:", "")
    return text.replace("<NopHoSoResponse>", f'<NopHoSoResponse xmlns="{SPACE}">')


def indented(text: str) -> str:
    return re.sub("><", ">\n  <", text)


def two_prefixes(text: str) -> str:
    """As the bench's provider answers: what it cuts out of the request keeps its prefix."""
    head = f'<n0:NopHoSoResponse xmlns:z="{SPACE}">'
    return re.sub(r"n0:(?=HoSo|TaiLieu|MaGiayTo)", "z:", text.replace("<n0:NopHoSoResponse>", head))


FORMS = [str, own_default, indented, two_prefixes, lambda text: two_prefixes(indented(text))]


def recognised(text: str):
    try:
        return SPEECH.reply.recognised(text.encode("utf-8", "surrogatepass"))
    except (Doubt, ValueError):
        return None


def parsed(text: str):
    """What libxml2 reads; None if it refuses anything."""
    try:
        value, violations = SPEECH.reply.read(SPEECH.reply.open(text.encode("utf-8", "surrogatepass")))
    except CodecError:
        return None
    return None if violations else value


@pytest.mark.parametrize("form", FORMS)
def test_the_usual_forms_are_recognised_and_mean_the_same(form):
    value = recognised(form(USUAL))

    assert value is not None
    assert repr(value) == repr(parsed(form(USUAL)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Ghi chú", "a &amp; b"),
        ("Ghi chú", "a<!-- -->b"),
        ("Ghi chú", "<![CDATA[x]]>"),
        ("Ghi chú", "x]]>"),
        ("Ghi chú", "x\ry"),
        ("Ghi chú", "\ufffe"),
        ("Ghi chú", "\x01"),
        ("<n0:NopHoSoResponse>", '<n0:NopHoSoResponse id="1">'),
        ("<n0:NopHoSoResponse>", '<n0:NopHoSoResponse xmlns:n0="urn:other">'),
        ("<n0:NopHoSoResponse>", '<n0:NopHoSoResponse xmlns:a="urn:a" xmlns:a="urn:a">'),
        ("<soap:Body>", "<soap:Header/><soap:Body>"),
        ("<soap:Body>", '<soap:Body xmlns:soap="urn:other">'),
        (SOAP, "http://www.w3.org/2003/05/soap-envelope"),
        ("<?xml", "<!DOCTYPE a><?xml"),
        ('encoding="UTF-8"', 'encoding="UTF-16"'),
        ("<n0:MaTiepNhan>TN-1</n0:MaTiepNhan>", ""),
        ("DANG_CHO", "DANG"),
        ("<n0:DaThanhToan>true", "<n0:DaThanhToan>yes"),
        ("</soap:Envelope>", "</soap:Envelope>x"),
    ],
)
def test_whatever_is_unusual_or_wrong_is_left_to_libxml2(old, new):
    assert old in USUAL

    assert recognised(USUAL.replace(old, new)) is None


TEXTS = st.text(st.characters(exclude_categories=()), max_size=3)
PIECES = st.sampled_from(
    [
        "<",
        ">",
        "/",
        "]]>",
        "&amp;",
        "\n ",
        "\r",
        "<!---->",
        "<?a?>",
        "<n0:MaTiepNhan>",
        "</n0:HoSo>",
        ' xmlns:n0="u"',
        ' xmlns="u"',
        "n0:",
        "-0",
    ]
)
TAGS = st.sampled_from(sorted(set(re.findall(r"<[^>]*>", USUAL))))


@st.composite
def documents(draw):
    """Usual documents with a few accidents."""
    text = draw(st.sampled_from(FORMS))(USUAL)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 2, 12, 40])))
        text = text[:start] + draw(TEXTS | PIECES | TAGS) + text[end:]
    return text


@given(documents())
@settings(max_examples=600)
def test_no_accident_is_recognised_that_libxml2_would_refuse_or_read_otherwise(text):
    value = recognised(text)

    if value is not None:
        assert repr(value) == repr(parsed(text))


VALUES = st.from_regex(r"\A-?[0-9]{0,12}\.?[0-9]{0,3}\Z") | st.sampled_from(
    ["true", "false", "1", " 1", "+5", "1e3", "007", "-0", "2147483648", ""]
)


@given(st.sampled_from(["MucDoUuTien", "LePhi", "DaThanhToan", "SoTrang", "KichThuoc", "MaHoSo", "NgayNop"]), VALUES)
@settings(max_examples=400)
def test_numbers_are_recognised_only_where_the_schema_takes_them(name, written):
    text = re.sub(rf"(<n0:{name}>)[^<]*", lambda match: match[1] + written, USUAL)

    value = recognised(text)

    if value is not None:
        assert repr(value) == repr(parsed(text))


def test_a_document_that_begins_anew_each_time_costs_no_more_than_a_few_expressions():
    for number in range(100):
        recognised(USUAL.replace("<n0:NopHoSoResponse>", f'<n0:NopHoSoResponse xmlns:a{number}="urn:a">'))

    assert len(SPEECH.reply._recogniser._known) <= 32  # what it keeps shows nowhere else
