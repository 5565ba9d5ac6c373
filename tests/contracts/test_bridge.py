"""Bridges: what crosses between a WSDL and an OpenAPI contract comes back the same, or is refused with what would be lost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from zeep.transports import Transport
from zeep.wsdl import Document

from lgsp.codec import json
from lgsp.codec.soap.envelope import open_envelope
from lgsp.contract.adapter.check import check_adapter, compile_adapter
from lgsp.contract.bridge.draft import Wish, draft_of
from lgsp.contract.bridge.expression import to_ecma, to_xsd
from lgsp.contract.bridge.face import derived_offer
from lgsp.contract.bridge.names import xml_name
from lgsp.contract.bridge.to_rest import openapi_of
from lgsp.contract.bridge.to_soap import wsdl_of
from lgsp.contract.invent import Inventor
from lgsp.contract.openapi.read import compile_contract, read_openapi
from lgsp.contract.source import Source
from lgsp.contract.wsdl.read import read_contract, read_wsdl
from lgsp.errors import ContractError
from lgsp.schema import compile_schema
from tests.contracts.schemas_with_values import plain, schemas

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PEOPLE = HERE / "data" / "people.wsdl"
POPULATION = ROOT / "contracts" / "wsdl" / "population" / "v1" / "population.wsdl"
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
"""The version that these tests speak."""


def contract_of(request, parameters=(), more=None, **components):
    """An OpenAPI contract with the operation `luu`, which answers what it is asked; `more`: the schema of a second one, `khac`."""
    operation = {
        "operationId": "luu",
        "parameters": list(parameters),
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": request}}}},
    }
    path = "/luu" + "".join(f"/{{{each['name']}}}" for each in parameters if each["in"] == "path")
    paths = {path: {"post": operation}}
    if more is not None:
        paths["/khac"] = {"post": {**operation, "operationId": "khac", "requestBody": {"content": {"application/json": {"schema": more}}}}}
    facts = {"title": "Thử", "version": "1.0.0"}
    document = {"openapi": "3.1.1", "info": facts, "paths": paths, "components": {"schemas": components}}
    return compile_contract(document, Source(Path("x.yaml"), "x.yaml", document, {}), ())


def refusals(request):
    with pytest.raises(ContractError) as caught:
        wsdl_of(contract_of(request), "thu:1")
    return [(finding.pointer, finding.reason) for finding in caught.value.findings]


def spoken(face):
    return next(operation for (version, _), operation in face.operations.items() if version == SOAP_11)


def heard(operation, document):
    """What the hub understands of a request."""
    return operation.read(open_envelope(document))


# ---- OpenAPI to WSDL -------------------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data(), schemas())
def test_whatever_json_holds_comes_back_from_xml_unchanged(data, invented):
    schema, values = invented
    contract = contract_of(schema)
    value = data.draw(values)
    assert contract.operations["luu"].check_request(value) == ()
    operation = spoken(derived_offer(contract, "thu:1", ["luu"], ()).face())

    written, breaches = operation.write(value)

    assert breaches == ()
    asked = written.replace(b":luuResponse", b":luu").replace(b":result", b":body")
    parameters, read, violations = heard(operation, asked)
    assert (dict(parameters), violations) == ({}, ())
    assert plain(json.decode(json.encode(read))) == plain(json.decode(json.encode(value)))


def test_types_that_contain_themselves_come_back_from_xml():
    unit = {
        "type": "object",
        "required": ["ten"],
        "properties": {"ten": {"type": "string"}, "cap_duoi": {"type": "array", "items": {"$ref": "#/components/schemas/DonVi"}}},
    }
    contract = contract_of({"$ref": "#/components/schemas/DonVi"}, DonVi=unit)
    value = {"ten": "Sở Nội vụ", "cap_duoi": [{"ten": "Phòng Cải cách hành chính", "cap_duoi": []}, {"ten": "Văn phòng"}]}
    operation = spoken(derived_offer(contract, "thu:1", ["luu"], ()).face())

    written, breaches = operation.write(value)

    assert breaches == ()
    assert heard(operation, written.replace(b":luuResponse", b":luu")) == ({}, value, ())


def test_null_absent_and_empty_are_told_apart():
    texts = {"type": "array", "items": {"type": "string"}}
    schema = {"type": "object", "properties": {"a": {"type": ["string", "null"]}, "b": {"anyOf": [texts, {"type": "null"}]}}}
    operation = spoken(derived_offer(contract_of(schema), "thu:1", ["luu"], ()).face())

    for value in ({}, {"a": None}, {"a": ""}, {"b": None}, {"b": []}, {"b": [""]}):
        assert heard(operation, operation.write(value)[0].replace(b":luuResponse", b":luu"))[1] == value


def test_parameters_stand_in_the_wrapper_beside_the_body():
    parameters = (
        {"name": "ma", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "loai", "in": "query", "schema": {"type": "array", "items": {"type": "integer"}}},
    )
    face = derived_offer(
        contract_of({"type": "object", "properties": {"x": {"type": "number"}}}, parameters=parameters), "thu:1", ["luu"], ()
    ).face()
    body = (
        f'<e:Envelope xmlns:e="{SOAP_11}"><e:Body><luu xmlns="urn:lgsp:thu:1"><ma>H 1</ma><loai><item>1</item><item>2</item></loai>'
        "<body><x>1.50</x></body></luu></e:Body></e:Envelope>"
    )

    assert heard(spoken(face), body.encode()) == ({"ma": "H 1", "loai": "1,2"}, {"x": Decimal("1.50")}, ())


@pytest.mark.parametrize(
    ("schema", "pointer", "reason"),
    [
        ({}, "", "may be anything"),
        ({"type": "object"}, "", "without named members"),
        ({"type": "array"}, "", "list of anything"),
        ({"type": "array", "items": {"type": "object", "properties": {"x": {}}}}, "/items/properties/x", "may be anything"),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, "", "each place of a list"),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True}, "", "any member"),
        ({"type": "object", "patternProperties": {"^x": {"type": "string"}}}, "", "by a pattern"),
    ],
)
def test_what_soap_cannot_carry_is_refused_with_its_place(schema, pointer, reason):
    told = refusals(schema)

    assert told[0][0] == f"/paths/~1luu/post/requestBody{pointer}"
    assert reason in told[0][1]


def test_an_operation_that_soap_cannot_carry_leaves_the_others_their_face():
    contract = contract_of({"type": "object", "properties": {"x": {"type": "string"}}}, more={"type": "object"})

    face = derived_offer(contract, "thu:1", ["luu", "khac"], ()).face()

    assert [operation.name for operation in face.operations.values()] == ["luu", "luu"]


def test_zeep_speaks_a_wsdl_that_was_made(tmp_path):
    schema = {
        "type": "object",
        "required": ["ten", "tuoi"],
        "properties": {
            "ten": {"type": "string"},
            "tuoi": {"type": "integer"},
            "the": {"type": "object", "additionalProperties": {"type": "string"}},
            "con": {"type": "array", "items": {"type": "string", "format": "date"}},
        },
    }
    contract = contract_of(schema)
    (tmp_path / "made.wsdl").write_bytes(wsdl_of(contract, "thu:1"))
    document = Document(str(tmp_path / "made.wsdl"), Transport())
    binding = next(iter(document.bindings.values()))
    asked = {"ten": "Nguyễn Văn An", "tuoi": 36, "the": {"entry": [{"key": "a b", "value": "x"}]}, "con": {"item": ["2020-02-29"]}}

    envelope = etree.tostring(binding.get("luu").create(**asked).content)

    value = heard(spoken(derived_offer(contract, "thu:1", ["luu"], ()).face()), envelope)[1]
    assert value == {"ten": "Nguyễn Văn An", "tuoi": 36, "the": {"a b": "x"}, "con": ["2020-02-29"]}


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=6), st.text(max_size=6))
def test_names_of_members_become_different_names_of_elements(one, other):
    assert etree.QName(xml_name(one)).localname == xml_name(one)
    assert (xml_name(one) == xml_name(other)) == (one == other)


# ---- WSDL to OpenAPI -------------------------------------------------------------------------------------------------------------------


def test_a_wsdl_becomes_a_contract_that_says_the_same():
    document = openapi_of(PEOPLE)
    find = document["components"]["schemas"]["Find"]

    assert list(document["paths"]) == ["/Find"]
    assert find["required"] == ["Id"]
    assert find["properties"]["Tag"] == {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Tag"}}
    assert find["properties"]["Note"] == {"type": ["string", "null"]}
    assert find["properties"]["Year"] == {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1}
    assert find["properties"]["@version"] == {"type": "string"}
    problem = document["paths"]["/Find"]["post"]["responses"]["default"]["content"]["application/problem+json"]["schema"]
    assert problem["allOf"][1]["properties"]["providerFault"]["properties"]["detail"] == {"$ref": "#/components/schemas/Trouble"}


@pytest.mark.parametrize(
    ("value", "is_valid"),
    [
        ({"Id": "1", "Year": 1990, "Tag": [{"@kind": 1, "#text": "x"}], "Within": {"Label": "a", "Node": [{"Label": "b"}]}}, True),
        ({"Id": "1", "Note": None, "@version": "2"}, True),
        ({"Id": "1", "Day": "1990-05-17+07:00"}, True),
        ({"Id": "1234567890123"}, False),
        ({"Id": "1", "Year": 1990, "Day": "1990-05-17"}, False),
        ({"Id": "1", "Tag": []}, False),
        ({"Id": "1", "Name": None}, False),
        ({"Id": "1", "Age": 3}, False),
    ],
)
def test_the_contract_and_the_wsdl_allow_the_same_values(value, is_valid, tmp_path):
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(openapi_of(PEOPLE)))
    contract = read_openapi(tmp_path / "openapi.yaml")
    content, breaches = read_wsdl(PEOPLE)["Find"].write(value)

    assert (contract.operations["Find"].check_request(value) == ()) is is_valid
    assert (content != b"" and not breaches) is is_valid or value == {"Id": "1", "Tag": []}


def crossings(path, seeds):
    """Values that the contract made of a WSDL allows, each with its side of the codec and the contract's check."""
    document = openapi_of(path)
    contract = compile_contract(document, Source(path, path.name, document, {}), ())
    for item, speech in zip(document["paths"].values(), read_contract(path).port().operations.values(), strict=True):
        operation = contract.operations[item["post"]["operationId"]]
        asked, answered = item["post"]["requestBody"], item["post"]["responses"].get("200")
        for holder, side, check in ((asked, speech.request, operation.check_request), (answered, speech.reply, operation.check_reply)):
            for seed in range(seeds if holder else 0):
                value = Inventor(document["components"]["schemas"], seed).value(holder["content"]["application/json"]["schema"])
                if check(value) == ():
                    yield value, side, check


def test_whatever_a_contract_made_of_a_wsdl_allows_comes_back_from_xml_unchanged_or_is_refused(corpora):
    crossed = refused = 0
    for path in (PEOPLE, POPULATION, *sorted((corpora / "wsdl").rglob("*.wsdl"))[::11]):
        try:
            values = list(crossings(path, seeds=4))
        except ContractError:
            continue
        for value, side, check in values:
            content, breaches = side.write(value)
            if breaches:
                refused += 1
                continue
            back, violations = side.read(side.open(content))
            crossed += 1
            assert (plain(back), violations, check(back)) == (plain(value), (), ()), path

    assert crossed > 4 * refused > 0


@pytest.mark.parametrize(
    ("expression", "same", "other"),
    [(r"\d{3}", "123", "12"), (r"[A-Z]{2}\.\d+", "AB.1", "ABx1"), (r"^$", "^$", ""), (r"[^&~\s]+", "ab", "a&"), (r"(a|b)c?", "bc", "cc")],
)
def test_patterns_of_xml_schema_become_json_schemas(expression, same, other):
    check = compile_schema({"type": "string", "pattern": to_ecma(expression)})

    assert check(same) == ()
    assert check(other) != ()


@pytest.mark.parametrize(
    ("pattern", "translated"),
    [("^[0-9]{12}$", "[0-9]{12}"), (r"^\d+(?:-\w)?$", "[0-9]+(-[A-Za-z0-9_])?"), ("[0-9]+", None), ("^a|b$", None), ("^(?=x)y$", None)],
)
def test_patterns_of_json_schema_become_xml_schemas_or_stay_behind(pattern, translated):
    assert to_xsd(pattern) == translated


# ---- drafts ----------------------------------------------------------------------------------------------------------------------------

PETS = """
openapi: 3.0.3
info: {title: Quản lý thú nuôi, version: 0.9-beta}
servers: [{url: 'https://elsewhere.example/v2'}]
security: [{key: []}]
paths:
  /pets/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: X-Trace, in: header, schema: {type: string}}
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
        '404': {description: none, content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}}
  /pets:
    post:
      operationId: add-pet
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}, application/xml: {}}}
      responses: {'201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    Pet: {type: object, required: [name], properties: {name: {type: string}, born: {type: string, format: date, nullable: true}}}
    Error: {type: object, properties: {code: {type: integer}}}
"""


def checked(draft, folder):
    draft.write(folder)
    return check_adapter(folder / "adapters" / draft.name, folder / "contracts")


def test_a_wsdl_alone_becomes_an_adapter_without_findings(tmp_path):
    draft = draft_of(POPULATION, Wish(name="Dân cư"))

    assert checked(draft, tmp_path) == []
    provider, (service,) = compile_adapter(tmp_path / "adapters" / "dan_cu", tmp_path / "contracts")
    assert (provider.kind, service.code, [operation.path for operation in service.operations]) == (
        "soap",
        "dan-cu",
        ["/TraCuuThongTinCongDan", "/XacThucThongTinCongDan"],
    )
    assert sorted(service.soap.wsdl.documents()) == ["", "lgsp.xsd", "reply.xsd", "request.xsd"]


def test_an_openapi_file_alone_becomes_an_adapter_without_findings(tmp_path):
    (tmp_path / "pets.yaml").write_text(PETS)
    draft = draft_of(tmp_path / "pets.yaml", Wish())

    assert checked(draft, tmp_path) == []
    provider, (service,) = compile_adapter(tmp_path / "adapters" / "quan_ly_thu_nuoi", tmp_path / "contracts")
    get, add = service.operations
    assert (get.name, get.calls[0].safe, get.calls[0].wire.locate({"id": "a/b"})) == ("getPetsById", True, "/pets/a%2Fb")
    assert (add.name, add.calls[0].name, add.calls[0].safe, add.media_types) == ("add_pet", "add-pet", False, ("application/json",))
    assert b"elsewhere" not in json.encode(service.document)
    assert [name for name, _ in provider.auth.headers] == ["X-Key"]
    assert provider.auth.uses == {"key": "$env.quan_ly_thu_nuoi.key"}
    assert len(service.soap.face().operations) == 4


@pytest.mark.parametrize("is_written", [True, False])
def test_the_face_that_is_derived_is_made_when_it_is_asked_for(tmp_path, is_written):
    (tmp_path / "pets.yaml").write_text(PETS)
    draft_of(tmp_path / "pets.yaml", Wish()).write(tmp_path)
    manifest = tmp_path / "adapters" / "quan_ly_thu_nuoi" / "adapter.yaml"
    manifest.write_text("".join(line for line in manifest.read_text().splitlines(keepends=True) if is_written or "wsdl:" not in line))
    place = tmp_path / "adapters" / "quan_ly_thu_nuoi", tmp_path / "contracts"
    (_, (asked,)), (_, (other,)) = compile_adapter(*place), compile_adapter(*place)

    face = asked.soap.face()

    assert face is asked.soap.made is asked.soap.face()
    assert (other.soap.made, other.digest, other.soap.wsdl.documents()) == (None, asked.digest, asked.soap.wsdl.documents())


def test_a_face_that_cannot_be_made_is_found_by_the_check(tmp_path):
    (tmp_path / "pets.yaml").write_text(PETS.replace("name: {type: string}", "name: {type: string, minLength: 3, maxLength: 2}"))
    draft = draft_of(tmp_path / "pets.yaml", Wish())

    (finding, *_) = checked(draft, tmp_path)

    assert (finding.file, finding.rule) == ("service.wsdl", "xsd")
    assert "maxLength" in finding.reason


def test_a_text_that_xml_cannot_have_is_refused():
    (told,) = refusals({"type": "object", "properties": {"x": {"type": "string", "enum": ["\u0001"]}}})

    assert "XML" in told[1]


def test_a_draft_overwrites_nothing(tmp_path):
    draft = draft_of(PEOPLE, Wish())
    draft.write(tmp_path)

    with pytest.raises(FileExistsError):
        draft.write(tmp_path)


def test_an_unknown_operation_is_refused_with_those_that_exist():
    with pytest.raises(ContractError, match="there are Find"):
        draft_of(PEOPLE, Wish(operations=["Seek"]))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("type: integer\n          format: int64", "type: number", "precision: number here, integer at the provider"),
        ("      - string\n          - 'null'", "      - string\n          - 'null'\n          format: date", "zone"),
        ("minItems: 1\n          items:\n            $ref: '#/components/schemas/Person'", None, "empty list"),
        ("        Id:\n", "        Other:\n          type: string\n        Id:\n", "Other stands in one of the two contracts only"),
    ],
)
def test_an_edit_that_would_lose_something_is_refused(old, new, told, tmp_path):
    draft = draft_of(PEOPLE, Wish())
    draft.write(tmp_path)
    path = tmp_path / draft.answer
    text = path.read_text()
    new = old.replace("minItems: 1\n          ", "") if new is None else new
    assert old in text
    path.write_text(text.replace(old, new))

    findings = check_adapter(tmp_path / "adapters" / draft.name, tmp_path / "contracts")

    assert any(told in finding.reason and finding.rule == "lossy" for finding in findings), findings


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('type="xs:string"', 'type="xs:int"', "stands beside"),
        (' nillable="true"', "", "null"),
        ('name="name"', 'name="label"', "no element"),
        ('<xs:pattern value="[0-9]{4}-[0-9]{2}-[0-9]{2}"/>', "", "zone"),
    ],
)
def test_an_edited_wsdl_that_would_lose_something_is_refused(old, new, told, tmp_path):
    (tmp_path / "pets.yaml").write_text(PETS)
    draft = draft_of(tmp_path / "pets.yaml", Wish())
    draft.write(tmp_path)
    path = tmp_path / draft.answer
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))

    findings = check_adapter(tmp_path / "adapters" / draft.name, tmp_path / "contracts")

    assert any(told in finding.reason for finding in findings), findings


def test_two_rest_contracts_that_differ_are_refused(tmp_path):
    (tmp_path / "pets.yaml").write_text(PETS)
    draft = draft_of(tmp_path / "pets.yaml", Wish())
    draft.write(tmp_path)
    manifest = tmp_path / "adapters" / draft.name / "adapter.yaml"
    manifest.write_text(manifest.read_text().replace("  wsdl: quan_ly_thu_nuoi/v1/service.wsdl\n", ""))
    ours = tmp_path / "contracts" / "openapi" / draft.name / "v1" / "openapi.yaml"
    ours.write_text(ours.read_text().replace("        name:\n          type: string", "        name:\n          type: number"))

    reasons = [finding.reason for finding in check_adapter(tmp_path / "adapters" / draft.name, tmp_path / "contracts")]

    assert "number here, text at the provider" in reasons


def test_wsdls_that_nobody_here_wrote_become_adapters_without_findings(corpora, tmp_path):
    files = sorted((corpora / "wsdl").rglob("*.wsdl"))[::9]
    served = 0
    for place, file in enumerate(files):
        try:
            draft = draft_of(file, Wish())
        except ContractError:
            continue
        assert checked(draft, tmp_path / str(place)) == [], file
        served += 1

    assert served >= len(files) // 4


def test_openapi_files_that_nobody_here_wrote_become_adapters_or_are_refused(corpora, tmp_path):
    drafts = []
    for place, file in enumerate(sorted((corpora / "openapi").rglob("*.yaml"))):
        try:
            drafts.append(draft_of(file, Wish()))
        except ContractError:
            continue
        assert checked(drafts[-1], tmp_path / str(place)) == [], file

    assert len(drafts) >= 8
