"""What the codec vouches for by itself: never what libxml2 would refuse, and everything that contracts usually ask."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgsp.codec.soap.lexical import Doubt, Unwritable
from lgsp.codec.soap.side import Side
from lgsp.contract.wsdl.read import read_wsdl
from lgsp.contract.xsd.regex import translate
from tests.contracts.test_wsdl import SCHEMA, wsdl

if TYPE_CHECKING:
    from lgsp.model.agreed import Wire

TYPES = {
    "bounded": '<xs:restriction base="xs:string"><xs:minLength value="2"/><xs:maxLength value="4"/></xs:restriction>',
    "exact": '<xs:restriction base="xs:string"><xs:length value="3"/></xs:restriction>',
    "token": '<xs:restriction base="xs:token"><xs:minLength value="1"/><xs:maxLength value="5"/></xs:restriction>',
    "line": '<xs:restriction base="xs:normalizedString"/>',
    "collapsed": '<xs:restriction base="xs:string"><xs:whiteSpace value="collapse"/><xs:enumeration value="a b"/></xs:restriction>',
    "listed": '<xs:restriction base="xs:string">'
    '<xs:enumeration value="a"/><xs:enumeration value="b.c"/><xs:enumeration value=""/></xs:restriction>',
    "number": '<xs:restriction base="xs:string"><xs:pattern value="[0-9]{2,3}"/></xs:restriction>',
    "either": '<xs:restriction base="xs:string"><xs:pattern value="a|bb"/><xs:pattern value="[0-9]+-\\d"/></xs:restriction>',
    "odd": '<xs:restriction base="xs:string"><xs:pattern value="^a.b$[^x\\-&amp;]?\\.(c\\?){0,2}"/></xs:restriction>',
    "narrowed": '<xs:restriction base="t:number"><xs:pattern value=".*1.*"/><xs:maxLength value="2"/></xs:restriction>',
    "year": '<xs:restriction base="xs:int"><xs:minInclusive value="1900"/><xs:maxExclusive value="2100"/></xs:restriction>',
    "few": '<xs:restriction base="xs:integer"><xs:totalDigits value="3"/><xs:pattern value="-?[1-9].*"/></xs:restriction>',
    "byte": '<xs:restriction base="xs:unsignedByte"/>',
    "money": '<xs:restriction base="xs:decimal"><xs:totalDigits value="5"/>'
    '<xs:fractionDigits value="2"/><xs:minExclusive value="-1.5"/></xs:restriction>',
    "rate": '<xs:restriction base="xs:double"/>',
    "flag": '<xs:restriction base="xs:boolean"/>',
    "day": '<xs:restriction base="xs:date"/>',
    "moment": '<xs:restriction base="xs:dateTime"/>',
    "bytes": '<xs:restriction base="xs:base64Binary"/>',
    "address": '<xs:restriction base="xs:anyURI"/>',
    "pair": '<xs:list itemType="xs:int"/>',
    "mixed": '<xs:union memberTypes="xs:int xs:date"/>',
}
TEXT = st.text(st.sampled_from("ab1209xc.?-^$& <\t\n\rạΩ０٣\u00a0\U00020000") | st.characters(exclude_categories=("Cs",)), max_size=6)
DIGITS = st.text(st.sampled_from("0123456789-+:TZ."), max_size=14)
DAYS = st.dates().map(str) | st.datetimes().map(lambda at: at.isoformat()) | st.from_regex(r"\A[012][0-9]{3}-[01][0-9]-[0-3][0-9]Z?\Z")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "year": st.integers(1890, 2110),
    "few": st.integers(-1100, 1100),
    "byte": st.integers(-5, 260),
    "money": st.decimals(-3, 1200, places=3) | st.decimals(allow_nan=True) | st.integers(-3, 10**6),
    "rate": st.decimals(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20),
    "flag": st.booleans() | st.integers(0, 1),
    "day": DAYS | DIGITS,
    "moment": DAYS | DIGITS,
    "bytes": st.from_regex(r"\A[A-Za-z0-9+/]{0,8}={0,2}\Z"),
    "number": DIGITS | TEXT,
    "listed": TEXT | st.sampled_from(["", "a", "b.c", "bxc"]),
    "odd": st.from_regex(r"\A\^?a.b\$?.?\.(c\?){0,3}\Z") | TEXT,
}


@cache
def wire() -> Wire:
    """An operation whose request has a list of each type."""
    types = "".join(f'<xs:simpleType name="{name}">{content}</xs:simpleType>' for name, content in TYPES.items())
    fields = "".join(f'<xs:element name="{name}" type="t:{name}" minOccurs="0" maxOccurs="9"/>' for name in TYPES)
    pair = "".join(f'<xs:element name="{name}2" type="t:{name}" minOccurs="0"/>' for name in ("bounded", "number"))
    group = '<xs:choice><xs:element name="one" type="xs:int"/><xs:element name="two" type="t:number"/></xs:choice>'
    together = "".join(f'<xs:element name="{name}" type="t:{name}"/>' for name in RUN)
    run = f'<xs:complexType name="Run"><xs:sequence>{together}{group}</xs:sequence>'
    attributes = '<xs:attribute name="k" type="t:number" use="required"/><xs:attribute name="f" type="xs:string" fixed="x"/>'
    request = f'<xs:sequence>{fields}{pair}<xs:element name="run" type="t:Run" minOccurs="0"/></xs:sequence>'
    schema = f'{types}{run}{attributes}</xs:complexType><xs:element name="In"><xs:complexType>{request}</xs:complexType></xs:element>'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "main.wsdl"
        path.write_text(wsdl(SCHEMA.format(schema + '<xs:element name="Out" type="xs:string"/>')))
        return read_wsdl(path)["Do"]


GOOD = {"bounded": "abc", "number": "12", "listed": "", "token": "&", "year": 1999, "either": "a", "odd": "^axb$."}
RUN = ("bounded", "number", "listed", "token", "year", "either", "odd")


def side() -> Side:
    return wire().write.__self__.request


def is_vouched(native: Any) -> bool:
    """Whether the quick way writes this value without asking anybody."""
    try:
        side().vouched(native)
    except (Doubt, Unwritable, LookupError, TypeError):
        return False
    return True


def is_valid(native: Any) -> bool:
    """libxml2's verdict on what the careful way writes."""
    try:
        document = side().careful(native).encode()
    except Unwritable:
        return False
    return side().is_valid(document)


@pytest.mark.parametrize("name", TYPES)
@given(data=st.data())
@settings(max_examples=150)
def test_nothing_is_vouched_for_that_libxml2_refuses(name, data):
    native = {name: [data.draw(VALUES.get(name, TEXT))]}

    content, violations = wire().write(native)

    assert (not violations) == is_valid(native)
    assert violations or content == side().careful(native).encode()


@given(
    st.fixed_dictionaries(
        {name: VALUES.get(name, TEXT) for name in RUN} | {"@k": DIGITS},
        optional={"one": st.integers(0, 9), "two": DIGITS, "@f": st.sampled_from("xy"), "more": TEXT},
    ),
    st.sampled_from([*RUN, "@k", ""]),
)
@settings(max_examples=300)
def test_fields_that_are_judged_together_are_judged_as_each_by_itself(run, left_out):
    good = {**GOOD, "token": "x y", "@k": "77", "one": 1}
    several = [{"run": {key: value for key, value in run.items() if key != left_out}}]
    several += [{"run": {**good, key: value}} for key, value in run.items()]

    for native in several:
        content, violations = wire().write(native)
        assert (not violations) == is_valid(native)
        assert violations or content == side().careful(native).encode()


@pytest.mark.parametrize(
    "native",
    [
        {"bounded": ["ab", "Đặng"], "exact": ["abc"], "token": ["a b"], "line": ["một hai"]},
        {"collapsed": ["a b"], "listed": ["a", "b.c", ""], "number": ["12", "123"]},
        {"either": ["bb", "123-4"], "odd": ["^axb$.", "^axb$y.c?"]},
        {"year": [1900, 2099], "few": [999, -5], "byte": [0, 255], "money": [Decimal("123.45"), 7], "rate": [Decimal("1.5E+3")]},
        {"flag": [True, False], "day": ["1990-05-17", "2024-12-31Z"], "moment": ["2026-03-02T08:15:30+07:00"], "bytes": ["", "YQ=="]},
        {"bounded2": "a&b", "number2": "12"},
        {"run": {**GOOD, "@k": "12", "two": "99", "bounded": "a>b", "odd": "^a<b$."}},
    ],
)
def test_what_contracts_usually_ask_is_vouched_for_without_libxml2(native):
    assert is_valid(native)
    assert is_vouched(native)


@pytest.mark.parametrize(
    "native",
    [
        {"address": ["http://x.example/"]},
        {"pair": ["1 2"]},
        {"mixed": ["1"]},
        {"bounded": ["abc"] * 10},
        {"number": ["٣٣"]},
        {"token": [" a"]},
        {"byte": [True]},
        {"unknown": 1},
    ],
)
def test_what_is_not_sure_is_doubted(native):
    assert not is_vouched(native)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[0-9]{12}", r"(?:[0-9]{12,12})"),
        (r"\+?\d+", r"(?:\+{0,1}[0-9]{1,250})"),
        ("a|b", "(?:a|b)"),
        ("(a+)+", None),
        ("(a|ab)*c", None),
        (".*a.*b.*c", None),
        (r"\p{L}+", None),
        (r"[^\d]", None),
        ("[a-z-[aeiou]]", None),
        ("a**", None),
        ("a{2,1}", None),
        ("(a", None),
        ("a)", None),
        ("[]", None),
        ("[z-a]", None),
        ("a{", None),
        ("\\", None),
    ],
)
def test_expressions_are_translated_when_they_are_sure_and_quick(expression, expected):
    assert translate(expression) == expected
