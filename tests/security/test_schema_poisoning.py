"""Contracts that want to be completed from elsewhere (SECURITY row S11): offline or refused, pinned, bounded, and nobody is ever called."""

from __future__ import annotations

import shutil
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lgsp.contract.adapter.check import compile_adapter
from lgsp.contract.openapi.read import read_openapi
from lgsp.contract.wsdl.read import read_wsdl
from lgsp.errors import CodecError, ContractError
from tests.contracts.test_wsdl import PLAIN, SCHEMA, read, rules, wsdl

if TYPE_CHECKING:
    from tests.security.canary import Listener

ROOT = Path(__file__).parents[2]
QUICK_S = 5.0
"""Far above what a refusal takes on a busy machine, far below what a fetch or an expansion would."""


LINKS = {
    "WSDL import": lambda at: wsdl(head=f'<w:import namespace="urn:x" location="{at}"/>'),
    "XSD import": lambda at: wsdl(SCHEMA.format(f'<xs:import namespace="urn:x" schemaLocation="{at}"/>' + PLAIN)),
    "XSD include": lambda at: wsdl(SCHEMA.format(f'<xs:include schemaLocation="{at}"/>' + PLAIN)),
    "XSD redefine": lambda at: wsdl(SCHEMA.format(f'<xs:redefine schemaLocation="{at}"/>' + PLAIN)),
}
PLACES = [
    "{address}/x.xsd",
    "{address}/redirect.xsd",
    "{bare}/x.xsd",
    "HTTP{bare_scheme}/x.xsd",
    "ftp{bare_scheme}/x.xsd",
    "file:///etc/hostname",
    "file:/etc/hostname",
    "jar:{address}/x.jar!/x.xsd",
    "php://filter/resource={address}",
    "../outside.xsd",
    "..%2foutside.xsd",
    "..\\outside.xsd",
    "a/../../outside.xsd",
    "/etc/hostname",
    "\\\\127.0.0.1\\share\\x.xsd",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("link", LINKS)
def test_a_link_out_of_the_folder_is_refused_with_its_name_and_nobody_is_asked(
    link: str, place: str, tmp_path: Path, uncalled: Listener
) -> None:
    (tmp_path / "outside.xsd").write_text("<secret/>", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    bare = uncalled.address.removeprefix("http:")
    text = LINKS[link](place.format(address=uncalled.address, bare=bare, bare_scheme=f":{bare}"))
    begun = time.monotonic()

    found = rules(tmp_path / "folder", text)

    assert {rule for _, rule in found} <= {"remote-import", "path-escape", "missing-file"}
    assert time.monotonic() - begun < QUICK_S


@pytest.mark.parametrize(
    "reference", ["{address}/x.yaml", "{address}/redirect", "file:///etc/passwd", "../outside.yaml", "//127.0.0.1/x", "/etc/passwd"]
)
@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$id", "$schema"])
def test_a_schema_of_openapi_is_not_completed_from_elsewhere(keyword: str, reference: str, tmp_path: Path, uncalled: Listener) -> None:
    path = tmp_path / "contract.yaml"
    place = reference.format(address=uncalled.address)
    path.write_text(
        "openapi: 3.1.0\ninfo: {title: Tra cứu, version: '1.0.0'}\npaths:\n  /a:\n    post:\n      operationId: a\n      requestBody:\n"
        f"        content: {{application/json: {{schema: {{properties: {{a: {{'{keyword}': '{place}'}}}}}}}}}}\n"
        "      responses: {'200': {description: x}}\n",
        encoding="utf-8",
    )

    with pytest.raises(ContractError):
        read_openapi(path)


def test_hints_in_a_message_fetch_nothing_either(tmp_path: Path, uncalled: Listener) -> None:
    wires = read(tmp_path, wsdl())
    hint = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:t {uncalled.address}/x.xsd"'
    out = f'<Out xmlns="urn:t" {hint}>xong</Out>'
    answer = f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{out}</s:Body></s:Envelope>'

    reply, violations = wires["Do"].read(answer.encode())

    assert (reply, list(violations)) == ("xong", [])


def test_external_entities_of_a_contract_are_never_looked_at(tmp_path: Path, uncalled: Listener) -> None:
    doctype = f'<!DOCTYPE w SYSTEM "{uncalled.address}/x.dtd" [<!ENTITY % p SYSTEM "{uncalled.address}/p"> %p;]>'

    assert rules(tmp_path, doctype + wsdl()) == [("main.wsdl", "dtd")]


def many_files(folder: Path) -> str:
    for place in range(600):
        link = f'<xs:include schemaLocation="{place + 1}.xsd"/>'
        text = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t">{link}</xs:schema>'
        (folder / f"{place}.xsd").write_text(text, encoding="utf-8")
    return wsdl(SCHEMA.format('<xs:include schemaLocation="0.xsd"/>' + PLAIN))


def huge_file(folder: Path) -> str:
    (folder / "big.xsd").write_bytes(b" " * (9 << 20))
    return wsdl(SCHEMA.format('<xs:include schemaLocation="big.xsd"/>' + PLAIN))


def deep_groups(_folder: Path) -> str:
    """Each group holds the next one twice: 2 to the power of 40 elements if somebody writes them all out."""
    groups = "".join(
        f'<xs:group name="g{n}"><xs:sequence><xs:group ref="t:g{n + 1}"/><xs:group ref="t:g{n + 1}"/></xs:sequence></xs:group>'
        for n in range(40)
    )
    last = '<xs:group name="g40"><xs:sequence><xs:element name="e" type="xs:string" minOccurs="0"/></xs:sequence></xs:group>'
    start = '<xs:element name="In"><xs:complexType><xs:group ref="t:g0"/></xs:complexType></xs:element>'
    return wsdl(SCHEMA.format(f'{groups}{last}{start}<xs:element name="Out" type="xs:string"/>'))


def endless_group(_folder: Path) -> str:
    group = '<xs:group name="g"><xs:sequence><xs:group ref="t:g"/></xs:sequence></xs:group>'
    start = '<xs:element name="In"><xs:complexType><xs:group ref="t:g"/></xs:complexType></xs:element>'
    return wsdl(SCHEMA.format(f'{group}{start}<xs:element name="Out" type="xs:string"/>'))


def endless_extension(_folder: Path) -> str:
    types = "".join(
        f'<xs:complexType name="{one}"><xs:complexContent><xs:extension base="t:{other}"/></xs:complexContent></xs:complexType>'
        for one, other in (("A", "B"), ("B", "A"))
    )
    return wsdl(SCHEMA.format(f'{types}<xs:element name="In" type="t:A"/><xs:element name="Out" type="xs:string"/>'))


@pytest.mark.parametrize("make", [many_files, huge_file, deep_groups, endless_group, endless_extension])
def test_what_has_no_end_or_no_measure_is_refused_in_time(make, tmp_path: Path, uncalled: Listener) -> None:  # noqa: ARG001  # it must stay silent
    text = make(tmp_path)
    begun = time.monotonic()

    with pytest.raises(ContractError):
        read(tmp_path, text)

    assert time.monotonic() - begun < QUICK_S


@pytest.mark.parametrize(("planted", "rule"), [("inside.xsd", "remote-import"), ("../outside.xsd", "path-escape")])
def test_a_zip_leads_nowhere_but_into_itself(tmp_path: Path, uncalled: Listener, planted: str, rule: str) -> None:
    (tmp_path / "outside.xsd").write_text("<secret/>", encoding="utf-8")
    path = tmp_path / "folder" / "contract.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("main.wsdl", LINKS["XSD include"](f"{uncalled.address}/x.xsd") + "<!-- -->")
        archive.writestr(planted, "<planted/>")

    with pytest.raises(ContractError) as caught:
        read_wsdl(path)

    assert {finding.rule for finding in caught.value.findings} == {rule}
    assert (tmp_path / "outside.xsd").read_text("utf-8") == "<secret/>"


def test_what_was_checked_is_what_is_used_whatever_becomes_of_the_files(tmp_path: Path, uncalled: Listener) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(ROOT / "contracts", contracts)
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    _, (service,) = compile_adapter(ROOT / "adapters/population", contracts)
    reply = (ROOT / "adapters/population/examples/found.native_reply.xml").read_bytes()
    wire = service.operations[0].calls[0].wire
    before = wire.read(reply)

    schema = contracts / "wsdl/population/v1/reply.xsd"
    schema.write_text(
        schema.read_text("utf-8").replace("xs:element ", f'xs:include schemaLocation="{uncalled.address}/x.xsd"/><xs:element ', 1)
    )

    assert wire.read(reply) == before
    with pytest.raises(ContractError):
        compile_adapter(ROOT / "adapters/population", contracts)


def test_a_change_of_any_file_changes_the_digest_that_messages_pin(tmp_path: Path, uncalled: Listener) -> None:  # noqa: ARG001  # it must stay silent
    contracts = tmp_path / "contracts"
    shutil.copytree(ROOT / "contracts", contracts)
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    _, (before,) = compile_adapter(ROOT / "adapters/population", contracts)
    schema = contracts / "wsdl/population/v1/reply.xsd"
    schema.write_text(schema.read_text("utf-8").replace("</xs:schema>", "<xs:annotation/></xs:schema>"), "utf-8")

    _, (after,) = compile_adapter(ROOT / "adapters/population", contracts)

    assert before.digest != after.digest


def test_the_legitimate_neighbour_is_still_read(tmp_path: Path, uncalled: Listener) -> None:
    part = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t">{PLAIN}</xs:schema>'
    text = LINKS["XSD include"](f"{uncalled.address}/x.xsd").replace(PLAIN, "")

    wires = read(tmp_path, text, x_xsd=part)

    written, violations = wires["Do"].write("Nguyễn Văn An")
    assert (b"In" in written, list(violations)) == (True, [])
    with pytest.raises(CodecError):
        wires["Do"].read(b"<x/>")
