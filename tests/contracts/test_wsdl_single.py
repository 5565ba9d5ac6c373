"""`?singleWsdl`: one document in place of a WSDL and all that it imports, with the same meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from contracts.test_wsdl import PLAIN, SCHEMA, wsdl
from lgsp.contract.wsdl.files import read_documents
from lgsp.contract.wsdl.published import published_documents
from lgsp.contract.wsdl.read import contract_of
from lgsp.contract.wsdl.single import single_document
from lgsp.contract.wsdl.source import ZipFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.codec.soap.speech import Speech

XS = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" {}>{}</xs:schema>'
IN = '<xs:element name="In"><xs:complexType><xs:sequence>{}</xs:sequence></xs:complexType></xs:element>'
OUT = '<xs:element name="Out" type="xs:string"/>'


def spoken(files: Mapping[str, str]) -> tuple[Speech, Speech, bytes]:
    """The operation by the documents, by the single one that is made of what is published of them; and that one."""
    read = read_documents(ZipFiles({name: text.encode() for name, text in files.items()}), "main.wsdl")
    single = single_document(published_documents(read, ["Port"], ["Do"]))
    again = read_documents(ZipFiles({"single.wsdl": single}), "single.wsdl")
    return *(contract_of(each).port().operations["Do"] for each in (read, again)), single  # type: ignore[return-value]


def mean_the_same(one: Speech, other: Speech, value: Any) -> bool:
    """Whether each reads what the other writes."""
    return all(reader.request.read_once(writer.request.write(value)[0]) == (value, ()) for reader, writer in ((one, other), (other, one)))


def test_imports_includes_and_lent_namespaces_stand_inside_and_mean_the_same():
    forms = '<xs:complexType name="Place"><xs:sequence><xs:element name="village" type="xs:string"/></xs:sequence></xs:complexType>'
    files = {
        "main.wsdl": wsdl(SCHEMA.format('<xs:include schemaLocation="a/in.xsd"/>' + OUT)),
        "a/in.xsd": XS.format(
            'xmlns:o="urn:o" xmlns:q="urn:t" targetNamespace="urn:t"',  # its own local elements are unqualified
            '<xs:import namespace="urn:o" schemaLocation="../o.xsd"/><xs:include schemaLocation="lent.xsd"/>'
            + IN.format('<xs:element name="place" type="o:Place"/><xs:element ref="q:page"/>'),
        ),
        "a/lent.xsd": XS.format(
            "", '<xs:element name="page" type="Number"/><xs:simpleType name="Number"><xs:restriction base="xs:int"/></xs:simpleType>'
        ),
        "o.xsd": XS.format('targetNamespace="urn:o" elementFormDefault="qualified"', forms),
    }

    before, after, single = spoken(files)

    assert mean_the_same(before, after, {"place": {"village": "Thử Nghiệm"}, "page": 7})
    assert b"schemaLocation" not in single
    assert single.count(b"<xs:schema") == 3


def test_a_wsdl_of_the_same_namespace_is_taken_in():
    main = wsdl()
    types = main.index("<w:types>")
    binding = main.index("<w:binding")
    head = main[:types]
    files = {
        "main.wsdl": head + '<w:import namespace="urn:t" location="abstract.wsdl"/>' + main[binding:],
        "abstract.wsdl": main[:binding] + "</w:definitions>",
    }

    before, after, single = spoken(files)

    assert mean_the_same(before, after, "x")
    assert b'location="http://address.invalid/"' in single
    assert b"<w:import" not in single


def test_a_wsdl_that_imports_one_of_another_namespace_stays_as_it_is():
    files = {
        "main.wsdl": wsdl(SCHEMA.format(PLAIN), head='<w:import namespace="urn:x" location="part.wsdl"/>'),
        "part.wsdl": '<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:x"/>',
    }
    published = published_documents(read_documents(ZipFiles({k: v.encode() for k, v in files.items()}), "main.wsdl"), ["Port"], ["Do"])

    assert single_document(published) == published[""]


@pytest.mark.parametrize("inside", ["http://www.w3.org/2005/08/addressing"])
def test_a_schema_of_the_catalogue_that_stands_inside_is_not_added_again(inside):
    text = XS.format(f'targetNamespace="{inside}"', '<xs:element name="To" type="xs:anyURI"/>')
    asked = SCHEMA.format(f'<xs:import namespace="{inside}"/>' + IN.format(f'<xs:element xmlns:a="{inside}" ref="a:To"/>') + OUT)

    before, after, _ = spoken({"main.wsdl": wsdl(text + asked)})

    assert mean_the_same(before, after, {"To": "urn:x"})
