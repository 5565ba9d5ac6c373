"""Every construct of XSD that the codec speaks: a schema for the element `In`, and a strategy of values in the codec's JSON form."""

# ruff: noqa: E501  # a schema on one line is read faster than one in pieces

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff") | st.sampled_from("\n\t &<>]\"'"), max_size=12
)
FILLED = TEXT.filter(bool)
WORD = st.text("abcđêáẽ19_-", min_size=1, max_size=8)
INT = st.integers(-(2**31), 2**31 - 1)
LONG = st.integers(-(10**30), 10**30)
DECIMAL = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6)
FLOAT = st.sampled_from([Decimal("1.5"), Decimal("-1E+30"), Decimal("1e-7"), "INF", "-INF", "NaN"])
DATE = st.sampled_from(["1990-05-17", "1990-05-17Z", "1990-05-17+07:00", "2000-02-29-03:00", "-0044-03-15", "12026-01-01"])
MOMENT = st.sampled_from(["2026-11-26T14:10:00", "2026-11-26T14:10:00.123456789Z", "2026-11-26T24:00:00+07:00"])
NAME = st.sampled_from(["{urn:other}x", "{urn:t}In", "plain"])
XML = st.sampled_from(
    [
        '<x xmlns="urn:other"></x>',
        '<o:y xmlns:o="urn:other" a="1"><o:z>chữ &amp; số</o:z></o:y>',
        '<x xmlns="urn:other" xmlns:q="urn:q" type="q:T">q:v</x>',
    ],
)


def fields(required: Mapping[str, st.SearchStrategy], optional: Mapping[str, st.SearchStrategy] | None = None) -> st.SearchStrategy:
    return st.fixed_dictionaries(dict(required), optional=dict(optional or {}))


def many(item: st.SearchStrategy, least: int = 1, most: int = 3) -> st.SearchStrategy:
    return st.lists(item, min_size=least, max_size=most)


def loose(*items: st.SearchStrategy, least: int = 1) -> st.SearchStrategy:
    return st.lists(st.one_of(*items), min_size=least, max_size=6).map(lambda found: {"#content": found})


def one(key: str, value: st.SearchStrategy) -> st.SearchStrategy:
    return value.map(lambda found: {key: found})


@dataclass(frozen=True)
class Construct:
    """`inside`: what the type of In holds; `around`: other declarations; `values`: what In may be; `by`: more schemas."""

    inside: str
    values: st.SearchStrategy
    around: str = ""
    by: str = ""
    form: str = "qualified"
    is_type: bool = field(default=False)

    @property
    def types(self) -> str:
        """The schemas as they stand in wsdl:types."""
        element = f'<xs:element name="In" {self.inside}/>' if self.is_type else self.element
        head = f'<xs:schema targetNamespace="urn:t" elementFormDefault="{self.form}" xmlns:o="urn:other">'
        return f'{head}{self.around}{element}<xs:element name="Out" type="xs:string"/></xs:schema>{self.by}'

    @property
    def element(self) -> str:
        """In, with a type of its own."""
        return f'<xs:element name="In"><xs:complexType>{self.inside}</xs:complexType></xs:element>'


A, B = '<xs:element name="a" type="xs:string"/>', '<xs:element name="b" type="xs:int"/>'
ANIMALS = (
    '<xs:complexType name="Animal"><xs:sequence><xs:element name="name" type="xs:string"/></xs:sequence><xs:attribute name="k" type="xs:int"/>'
    '</xs:complexType><xs:complexType name="Dog"><xs:complexContent><xs:extension base="t:Animal"><xs:sequence>'
    '<xs:element name="bark" type="xs:boolean"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>'
    '<xs:complexType name="Puppy"><xs:complexContent><xs:extension base="t:Dog"><xs:sequence/><xs:attribute name="w" type="xs:int" '
    'use="required"/></xs:extension></xs:complexContent></xs:complexType>'
)
ANIMAL = fields({"name": TEXT}, {"@k": INT})
DOG = fields({"@xsi:type": st.just("Dog"), "name": TEXT, "bark": st.booleans()}, {"@k": INT})
PUPPY = fields({"@xsi:type": st.just("Puppy"), "name": TEXT, "bark": st.booleans(), "@w": INT})
HEADS = (
    '<xs:element name="head" type="xs:anyType" abstract="true"/><xs:element name="red" type="xs:string" substitutionGroup="t:head"/>'
    '<xs:element name="blue" type="xs:int" substitutionGroup="t:head"/>'
)
OTHER = (
    '<xs:schema targetNamespace="urn:other" elementFormDefault="unqualified"><xs:element name="a" type="xs:int"/>'
    '<xs:complexType name="T"><xs:sequence><xs:element name="inner" type="xs:string"/></xs:sequence><xs:attribute name="u" type="xs:string"/>'
    '</xs:complexType><xs:attribute name="mark" type="xs:string"/></xs:schema>'
)
NODE = st.recursive(fields({"label": TEXT}), lambda inner: fields({"label": TEXT}, {"node": many(inner)}), max_leaves=6)

CONSTRUCTS: dict[str, Construct] = {
    "xs:sequence": Construct(f"<xs:sequence>{A}{B}</xs:sequence>", fields({"a": TEXT, "b": INT})),
    "xs:choice": Construct(f"<xs:choice>{A}{B}</xs:choice>", one("a", TEXT) | one("b", INT)),
    "xs:choice of sequences": Construct(
        f'<xs:choice><xs:sequence>{A}<xs:element name="c" type="xs:int" minOccurs="0"/></xs:sequence>{B}</xs:choice>',
        fields({"a": TEXT}, {"c": INT}) | one("b", INT),
    ),
    "xs:all": Construct(f"<xs:all>{A}{B}</xs:all>", fields({"a": TEXT, "b": INT})),
    "xs:group": Construct(
        '<xs:sequence><xs:group ref="t:G"/><xs:element name="z" type="xs:int"/></xs:sequence>',
        fields({"a": TEXT, "b": INT, "z": INT}),
        around=f'<xs:group name="G"><xs:sequence>{A}{B}</xs:sequence></xs:group>',
    ),
    "occurrence": Construct(
        '<xs:sequence><xs:element name="a" type="xs:string" minOccurs="2" maxOccurs="3"/><xs:element name="b" type="xs:int" minOccurs="0"/>'
        "</xs:sequence>",
        fields({"a": many(TEXT, 2)}, {"b": INT}),
    ),
    "repeated xs:sequence": Construct(
        f'<xs:sequence maxOccurs="unbounded">{A}{B}</xs:sequence>',
        st.lists(st.tuples(TEXT, INT), min_size=1, max_size=3).map(
            lambda pairs: {"#content": [item for a, b in pairs for item in ({"a": a}, {"b": b})]},
        ),
    ),
    "repeated xs:choice": Construct(f'<xs:choice maxOccurs="unbounded">{A}{B}</xs:choice>', loose(one("a", TEXT), one("b", INT))),
    "one name in several places": Construct(
        f"<xs:sequence>{A}{B}{A}</xs:sequence>",
        st.tuples(TEXT, INT, TEXT).map(lambda found: {"#content": [{"a": found[0]}, {"b": found[1]}, {"a": found[2]}]}),
    ),
    "mixed content": Construct(
        'type="t:M"',
        st.lists(st.tuples(FILLED, INT), min_size=1, max_size=3).map(
            lambda pairs: {"#content": [item for text, b in pairs for item in (text, {"b": b})]},
        ),
        around=f'<xs:complexType name="M" mixed="true"><xs:choice minOccurs="0" maxOccurs="unbounded">{B}</xs:choice></xs:complexType>',
        is_type=True,
    ),
    "xs:attribute": Construct(
        f'<xs:sequence>{A}</xs:sequence><xs:attribute name="k" type="xs:int" use="required"/><xs:attribute name="o" type="xs:string"/>',
        fields({"a": TEXT, "@k": INT}, {"@o": TEXT}),
    ),
    "xs:attributeGroup": Construct(
        '<xs:sequence/><xs:attributeGroup ref="t:AG"/>',
        fields({}, {"@k": INT, "@mark": TEXT}),
        around='<xs:attributeGroup name="AG"><xs:attribute name="k" type="xs:int"/><xs:attribute ref="o:mark"/></xs:attributeGroup>',
        by=OTHER,
    ),
    "xs:simpleContent": Construct(
        '<xs:simpleContent><xs:extension base="xs:decimal"><xs:attribute name="unit" type="xs:string"/></xs:extension></xs:simpleContent>',
        fields({"#text": DECIMAL}, {"@unit": TEXT}),
    ),
    "xs:extension": Construct(
        '<xs:complexContent><xs:extension base="t:Dog"><xs:sequence><xs:element name="z" type="xs:int"/></xs:sequence></xs:extension>'
        "</xs:complexContent>",
        fields({"name": TEXT, "bark": st.booleans(), "z": INT}, {"@k": INT}),
        around=ANIMALS,
    ),
    "xs:restriction of a complex type": Construct(
        '<xs:complexContent><xs:restriction base="t:Pair"><xs:sequence><xs:element name="a" type="xs:string"/></xs:sequence></xs:restriction>'
        "</xs:complexContent>",
        fields({"a": TEXT}),
        around='<xs:complexType name="Pair"><xs:sequence><xs:element name="a" type="xs:string"/>'
        '<xs:element name="b" type="xs:int" minOccurs="0"/></xs:sequence></xs:complexType>',
    ),
    "xsi:type": Construct('<xs:sequence><xs:element name="pet" type="t:Animal"/></xs:sequence>', one("pet", ANIMAL | DOG | PUPPY), ANIMALS),
    "abstract type": Construct(
        '<xs:sequence><xs:element name="pet" type="t:Living" maxOccurs="unbounded"/></xs:sequence>',
        one("pet", many(fields({"@xsi:type": st.just("Tree"), "height": INT}))),
        '<xs:complexType name="Living" abstract="true"><xs:sequence/></xs:complexType><xs:complexType name="Tree"><xs:complexContent>'
        '<xs:extension base="t:Living"><xs:sequence><xs:element name="height" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent>'
        "</xs:complexType>",
    ),
    "substitution group": Construct('<xs:sequence><xs:element ref="t:head"/></xs:sequence>', one("red", TEXT) | one("blue", INT), HEADS),
    "repeated substitution group": Construct(
        '<xs:sequence><xs:element ref="t:head" maxOccurs="9"/></xs:sequence>',
        loose(one("red", TEXT), one("blue", INT)),
        HEADS,
    ),
    "xsi:nil": Construct(
        '<xs:sequence><xs:element name="a" type="xs:string" nillable="true"/><xs:element name="p" type="t:Animal" nillable="true" '
        'minOccurs="0" maxOccurs="3"/></xs:sequence>',
        fields(
            {"a": TEXT | st.none()},
            {"p": many(ANIMAL | DOG | st.none() | fields({"@xsi:nil": st.just(True), "@k": INT}) | PUPPY)},  # noqa: FBT003
        ),
        ANIMALS,
    ),
    "xs:any": Construct(
        f'<xs:sequence>{A}<xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>{B}</xs:sequence>',
        fields({"a": TEXT, "b": INT}, {"#any": many(XML)}),
    ),
    "several xs:any": Construct(
        f'<xs:sequence><xs:any namespace="##other" processContents="skip"/>{B}<xs:any namespace="##other" processContents="skip"/></xs:sequence>',
        st.tuples(XML, INT, XML).map(lambda found: {"#content": [{"#any": found[0]}, {"b": found[1]}, {"#any": found[2]}]}),
    ),
    "xs:anyAttribute": Construct(
        f'<xs:sequence>{A}</xs:sequence><xs:attribute name="k" type="xs:int"/><xs:anyAttribute namespace="##other" processContents="lax"/>',
        fields({"a": TEXT}, {"@k": INT, "@{urn:free}x": TEXT, "@{urn:free}y": TEXT}),
    ),
    "xs:anyType": Construct(
        '<xs:sequence><xs:element name="a" type="xs:anyType"/></xs:sequence>',
        one(
            "a",
            loose(one("#any", XML))
            | fields({"@xsi:type": st.just("xs:string"), "#text": TEXT})
            | fields({"@xsi:type": st.just("xs:int"), "#text": INT})
            | fields({"@xsi:type": st.just("Dog"), "name": TEXT, "bark": st.booleans()})
            | FILLED.map(lambda text: {"#content": [text]}),
        ),
        ANIMALS,
    ),
    "xs:anySimpleType": Construct(
        '<xs:sequence><xs:element name="a" type="xs:anySimpleType"/></xs:sequence>',
        one("a", TEXT | fields({"@xsi:type": st.just("xs:long"), "#text": INT})),
    ),
    "xs:list": Construct(
        '<xs:sequence><xs:element name="a" type="t:Ints"/></xs:sequence><xs:attribute name="w" type="xs:NMTOKENS"/>',
        fields({"a": many(INT, 0)}, {"@w": many(st.sampled_from(["x", "y-1"]))}),
        '<xs:simpleType name="Ints"><xs:list itemType="xs:int"/></xs:simpleType>',
    ),
    "xs:union": Construct(
        '<xs:sequence><xs:element name="a" type="t:U"/><xs:element name="n" type="t:N"/></xs:sequence>',
        fields({"a": st.sampled_from(["12", "unbounded"]), "n": st.integers(0, 20)}),
        '<xs:simpleType name="U"><xs:union memberTypes="xs:int"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration '
        'value="unbounded"/></xs:restriction></xs:simpleType></xs:union></xs:simpleType><xs:simpleType name="N"><xs:union '
        'memberTypes="xs:int xs:unsignedLong"/></xs:simpleType>',
    ),
    "recursive type": Construct(
        'type="t:Node"',
        NODE,
        is_type=True,
        around=(
            '<xs:complexType name="Node"><xs:sequence><xs:element name="label" type="xs:string"/><xs:element name="node" type="t:Node" '
            'minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>'
        ),
    ),
    "default and fixed": Construct(
        '<xs:sequence><xs:element name="a" type="xs:string" default="x" minOccurs="0"/><xs:element name="v" type="xs:int" fixed="7"/></xs:sequence>'
        '<xs:attribute name="d" type="xs:int" default="5"/><xs:attribute name="f" type="xs:string" fixed="F" use="required"/>',
        fields({"v": st.just(7), "@d": INT, "@f": st.just("F")}, {"a": FILLED}),
    ),
    "unqualified form": Construct(
        '<xs:sequence><xs:element name="a" type="xs:string"/><xs:element name="q" type="xs:int" form="qualified"/></xs:sequence>'
        '<xs:attribute name="k" type="xs:int" form="qualified"/>',
        fields({"a": TEXT, "q": INT}, {"@k": INT}),
        form="unqualified",
    ),
    "several namespaces": Construct(
        '<xs:sequence><xs:element name="a" type="xs:string"/><xs:element ref="o:a"/><xs:element name="c" type="o:T"/></xs:sequence>',
        fields({"{urn:t}a": TEXT, "{urn:other}a": INT, "c": fields({"inner": TEXT}, {"@u": TEXT})}),
        by=OTHER,
    ),
    "xs:QName": Construct(
        '<xs:sequence><xs:element name="a" type="xs:QName" maxOccurs="2"/></xs:sequence><xs:attribute name="k" type="xs:QName"/>',
        fields({"a": many(NAME, 1, 2)}, {"@k": NAME}),
    ),
    "numbers": Construct(
        '<xs:sequence><xs:element name="i" type="xs:integer"/><xs:element name="d" type="xs:decimal"/><xs:element name="f" type="xs:double"/>'
        '<xs:element name="b" type="xs:boolean"/><xs:element name="u" type="xs:unsignedLong"/></xs:sequence>',
        fields({"i": LONG, "d": DECIMAL, "f": FLOAT, "b": st.booleans(), "u": st.integers(0, 2**64 - 1)}),
    ),
    "dates and other texts": Construct(
        '<xs:sequence><xs:element name="d" type="xs:date"/><xs:element name="t" type="xs:dateTime"/><xs:element name="g" type="xs:gYearMonth"/>'
        '<xs:element name="p" type="xs:duration"/><xs:element name="h" type="xs:hexBinary"/><xs:element name="x" type="xs:base64Binary"/>'
        '<xs:element name="u" type="xs:anyURI"/></xs:sequence>',
        fields(
            {
                "d": DATE,
                "t": MOMENT,
                "g": st.just("2026-11+07:00"),
                "p": st.just("P1Y2M3DT4H5M6.7S"),
                "h": st.just("0aFF"),
                "x": st.sampled_from(["", "YQ==", "YWJj"]),
                "u": st.just("urn:x?a=1&b=2"),
            },
        ),
    ),
    "facets": Construct(
        '<xs:sequence><xs:element name="a" type="t:F"/></xs:sequence>',
        one("a", st.from_regex(r"[A-Z]{2}[0-9]{1,3}", fullmatch=True).filter(str.isascii)),
        '<xs:simpleType name="F"><xs:restriction base="xs:token"><xs:pattern value="[A-Z]{2}\\d+"/><xs:maxLength value="5"/></xs:restriction>'
        "</xs:simpleType>",
    ),
    "xs:schema in a message": Construct(
        '<xs:sequence><xs:element ref="xs:schema"/><xs:any processContents="lax"/></xs:sequence>',
        XML.map(
            lambda xml: {"#content": [{"#any": '<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema" id="d"></s:schema>'}, {"#any": xml}]}
        ),
    ),
    "xs:key, xs:unique, xs:keyref": Construct(
        'type="t:K"><xs:unique name="u"><xs:selector xpath="t:a"/><xs:field xpath="@k"/></xs:unique></xs:element><xs:element name="Ignored"',
        st.lists(INT, min_size=1, max_size=3, unique=True).map(lambda keys: {"a": [{"@k": key} for key in keys]}),
        around='<xs:complexType name="K"><xs:sequence><xs:element name="a" maxOccurs="9"><xs:complexType><xs:attribute name="k" type="xs:int" '
        'use="required"/></xs:complexType></xs:element></xs:sequence></xs:complexType>',
        is_type=True,
    ),
    "xs:redefine": Construct(
        'type="t:T"',
        fields({"inner": TEXT, "more": INT}),
        around='<xs:redefine schemaLocation="redefined.xsd"><xs:complexType name="T"><xs:complexContent><xs:extension base="t:T"><xs:sequence>'
        '<xs:element name="more" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:redefine>',
        is_type=True,
    ),
    "xs:include, xs:import": Construct(
        'type="t:T"',
        fields({"inner": TEXT}),
        around='<xs:include schemaLocation="redefined.xsd"/><xs:import namespace="http://www.w3.org/2005/08/addressing"/>',
        is_type=True,
    ),
}
REDEFINED = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"><xs:complexType name="T"><xs:sequence>'
    '<xs:element name="inner" type="xs:string"/></xs:sequence></xs:complexType></xs:schema>'
)
