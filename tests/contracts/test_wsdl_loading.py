"""Where a WSDL's documents come from: a folder, a zip, the catalogue; what is mended with a note, and what is refused."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from contracts.test_wsdl import PLAIN, SCHEMA, wsdl
from lgsp.contract.wsdl.catalogue import ENTRIES
from lgsp.contract.wsdl.read import read_contract
from lgsp.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path

XSD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{}" elementFormDefault="qualified">{}</xs:schema>'
NAMED = '<xs:element name="In" type="xs:string"/><xs:element name="Out" type="xs:string"/>'


def packed(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def refusals(path: Path) -> list[str]:
    with pytest.raises(ContractError) as caught:
        read_contract(path)
    return [finding.rule for finding in caught.value.findings]


def test_a_zip_is_read_from_its_one_wsdl_with_imports_beside_and_above(tmp_path):
    main = wsdl(SCHEMA.format('<xs:include schemaLocation="../schemas/types.xsd"/>'))
    path = packed(
        tmp_path / "dịch vụ.zip", {"a/wsdl/main.wsdl": main, "a/schemas/types.xsd": XSD.format("urn:t", NAMED), "readme.txt": "x"}
    )

    contract = read_contract(path)

    assert contract.main == "a/wsdl/main.wsdl"
    assert list(contract.port().operations) == ["Do"]


def test_a_folder_is_read_from_the_wsdl_that_no_other_imports(tmp_path):
    (tmp_path / "main.wsdl").write_text(wsdl(head='<w:import namespace="urn:x" location="part.wsdl"/>'))
    (tmp_path / "part.wsdl").write_text('<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:x"/>')

    assert read_contract(tmp_path).main == "main.wsdl"


def test_a_folder_around_the_wsdl_lets_it_reach_above_itself(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "main.wsdl").write_text(wsdl(SCHEMA.format('<xs:include schemaLocation="../types.xsd"/>')))
    (tmp_path / "types.xsd").write_text(XSD.format("urn:t", NAMED))

    assert refusals(tmp_path / "inner" / "main.wsdl") == ["path-escape"]
    assert read_contract(tmp_path / "inner" / "main.wsdl", tmp_path).ports


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"a.wsdl": wsdl(), "b.wsdl": wsdl()}, "no-main"),
        ({"a.xsd": "<x/>"}, "no-main"),
        ({"a.wsdl": wsdl(SCHEMA.format('<xs:include schemaLocation="../../etc/x.xsd"/>'))}, "path-escape"),
        ({"a.wsdl": wsdl(), "b.xsd": " " * (9 * 1024 * 1024)}, "file-too-large"),
        ({"a.wsdl": wsdl(), **{f"{n}.xsd": " " * (8 * 1024 * 1024) for n in range(5)}}, "file-too-large"),
        ({f"{n}.xsd": "" for n in range(500)}, "too-many-files"),
    ],
    ids=["two mains", "no WSDL", "out of the zip", "a large file", "large together", "many files"],
)
def test_a_zip_beyond_its_limits_is_refused(tmp_path, files, rule):
    assert refusals(packed(tmp_path / "x.zip", files)) == [rule]


def test_bytes_that_are_no_zip_are_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 no more")

    assert refusals(tmp_path / "x.zip") == ["not-zip"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.file)
def test_every_schema_of_the_catalogue_can_be_imported_by_its_namespace_alone(tmp_path, entry):
    root = etree.fromstring(entry.read())
    names = [node.get("name") for node in root if node.tag == "{http://www.w3.org/2001/XMLSchema}element"]
    fields = f'<xs:element ref="c:{names[0]}" minOccurs="0"/>' if names else ""
    inside = f'<xs:element name="In"><xs:complexType><xs:sequence>{fields}</xs:sequence></xs:complexType></xs:element>'
    types = SCHEMA.format(f'<xs:import namespace="{entry.namespace}"/>{inside}<xs:element name="Out" type="xs:string"/>')
    declared = "" if entry.namespace.endswith("XML/1998/namespace") else f' xmlns:c="{entry.namespace}"'
    (tmp_path / "main.wsdl").write_text(wsdl(types).replace("<w:types>", f"<w:types{declared}>"))

    contract = read_contract(tmp_path / "main.wsdl")

    assert contract.notes == ()
    assert contract.port().operations["Do"].request.write({})[1] == ()


@pytest.mark.parametrize("place", [place for entry in ENTRIES for place in entry.locations])
def test_a_schema_of_the_catalogue_is_known_where_it_is_published(tmp_path, place):
    (tmp_path / "main.wsdl").write_text(wsdl(SCHEMA.format(f'<xs:import namespace="urn:any" schemaLocation="{place}"/>{PLAIN}')))

    assert read_contract(tmp_path / "main.wsdl").ports


@pytest.mark.parametrize(
    ("text", "files", "rule"),
    [
        (
            SCHEMA.format(f'<xs:import namespace="urn:said" schemaLocation="is.xsd"/>{PLAIN}'),
            {"is.xsd": XSD.format("urn:found", "")},
            "namespace-mismatch",
        ),
        (
            SCHEMA.format('<xs:include schemaLocation="types.xsd"/><xs:include schemaLocation="other.xsd"/>'),
            {"types.xsd": XSD.format("urn:t", NAMED), "other.xsd": XSD.format("urn:found", "")},
            "namespace-mismatch",
        ),
        (
            SCHEMA.format(f'<xs:import namespace="urn:x" schemaLocation="http://x.example/a/types.xsd"/>{PLAIN}'),
            {"types.xsd": XSD.format("urn:x", "")},
            "remote-import",
        ),
        (
            SCHEMA.format(f'<xs:import namespace="urn:x" schemaLocation="http://x.example/s?xsd=1"/>{PLAIN}'),
            {"s_xsd_1.xsd": XSD.format("urn:x", "")},
            "remote-import",
        ),
        (
            SCHEMA.format(f'<xs:import namespace="urn:x" schemaLocation="http://x.example/s?xsd=1"/>{PLAIN}')
            + '<xs:schema targetNamespace="urn:x"/>',
            {},
            "remote-import",
        ),
        (XSD.format("urn:elsewhere", NAMED), {}, "namespace-mismatch"),
    ],
    ids=["import", "include", "beside", "beside by query", "inside", "elements elsewhere"],
)
def test_what_is_common_in_the_wild_is_accepted_with_a_note(tmp_path, text, files, rule):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "main.wsdl").write_text(wsdl(text))

    contract = read_contract(tmp_path / "main.wsdl")

    assert {note.rule for note in contract.notes} == {rule}
    assert all(note.line > 0 for note in contract.notes)
    assert contract.port().operations["Do"].request.write("x")[1] == ()


def test_a_remote_import_is_refused_with_the_name_under_which_it_would_be_read(tmp_path):
    (tmp_path / "main.wsdl").write_text(wsdl(SCHEMA.format('<xs:import namespace="urn:x" schemaLocation="http://x.example/s?xsd=1"/>')))

    with pytest.raises(ContractError) as caught:
        read_contract(tmp_path / "main.wsdl")

    [finding] = caught.value.findings
    assert (finding.line, finding.fix) == (3, "put it beside the WSDL as s_xsd_1.xsd")


def test_faults_of_a_schema_are_told_where_it_stands(tmp_path):
    (tmp_path / "main.wsdl").write_text(wsdl(SCHEMA.format('<xs:include schemaLocation="types.xsd"/>')))
    (tmp_path / "types.xsd").write_text(XSD.format("urn:t", NAMED + '\n\n<xs:element name="E"><xs:complexTyp/></xs:element>'))

    with pytest.raises(ContractError) as caught:
        read_contract(tmp_path / "main.wsdl")

    assert {(finding.file, finding.line) for finding in caught.value.findings} == {("types.xsd", 3)}


@pytest.mark.parametrize("attribute", ['element="t:In"', 'message="t:in"', 'type="t:P"', 'binding="t:B"'])
def test_a_prefix_that_only_one_part_declares_is_understood(tmp_path, attribute):
    said = attribute.replace('"t:', '"own:')
    (tmp_path / "main.wsdl").write_text(wsdl().replace(attribute, f'xmlns:own="urn:t" {said}'), encoding="utf-8")

    assert list(read_contract(tmp_path / "main.wsdl").port().operations) == ["Do"]
