"""Contracts in OpenAPI: what is read means what it says, what is hostile or wrong is refused with its place."""

from __future__ import annotations

import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from connexion import AsyncApp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.test_swagger import CONTRACT as SWAGGER
from lgsp.codec import json
from lgsp.contract.openapi.read import for_connexion, json_wire, read_openapi
from lgsp.errors import CodecError, ContractError

HOME = Path(__file__).parents[2]

DOSSIERS = """\
openapi: {version}
info: {{title: Hồ sơ, version: 1.2.0}}
paths:
  /dossiers/{{code}}/steps:
    parameters:
      - {{name: code, in: path, required: true, schema: {{type: string, maxLength: 20}}}}
    post:
      operationId: addStep
      parameters:
        - {{name: page, in: query, schema: {{type: integer, minimum: 1, default: 1}}}}
        - {{name: fee, in: query, schema: {{type: number, multipleOf: 0.5}}}}
        - {{name: paid, in: query, schema: {{type: boolean}}}}
        - {{name: states, in: query, explode: false, schema: {{$ref: '#/components/schemas/States'}}}}
        - {{name: Accept-Language, in: header, schema: {{type: string}}}}
      requestBody:
        required: true
        content: {{application/json: {{schema: {{$ref: '#/components/schemas/Step'}}}}}}
      responses:
        '201':
          description: added
          content: {{application/json: {{schema: {{type: object, required: [id], properties: {{id: {{type: string}}}}}}}}}}
components:
  schemas:
    State: {{type: integer, minimum: 1, maximum: 10}}
    States: {{type: array, items: {{$ref: '#/components/schemas/State'}}}}
    Step:
      type: object
      required: [state]
      additionalProperties: false
      properties:
        state: {{$ref: '#/components/schemas/State'}}
        note: {note}
        fee: {fee}
        parent: {parent}
"""
SPELT_3_0 = DOSSIERS.format(
    version="3.0.3",
    note="{type: string, nullable: true, maxLength: 5}",
    fee="{type: number, minimum: 0, exclusiveMinimum: true, example: 3}",
    parent="{$ref: '#/components/schemas/Step', nullable: true}",
)
SPELT_3_1 = DOSSIERS.format(
    version="3.1.0",
    note="{type: [string, 'null'], maxLength: 5}",
    fee="{type: number, exclusiveMinimum: 0, examples: [3]}",
    parent="{$ref: '#/components/schemas/Step'}",
)
MINIMAL = "openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: {}\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="contract.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def _with_schema(schema, version="3.1.0"):
    return f"openapi: {version}\ninfo: {{title: x, version: '1'}}\npaths: {{}}\ncomponents:\n  schemas:\n    A: {schema}\n"


def _findings(path, root=None):
    with pytest.raises(ContractError) as refusal:
        read_openapi(path, root)
    return [(finding.line, finding.pointer, finding.rule) for finding in refusal.value.findings]


# ---- what is read --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [SPELT_3_0, SPELT_3_1])
def test_an_operation_is_read_with_its_parts(write, text):
    contract = read_openapi(write(text))
    operation = contract.operations["addStep"]

    assert (contract.title, contract.version, contract.document["openapi"]) == ("Hồ sơ", "1.2.0", "3.1.1")
    assert (operation.method, operation.path, operation.media_types) == ("POST", "/dossiers/{code}/steps", ("application/json",))
    assert [(p.name, p.where, p.required) for p in operation.parameters][:2] == [("code", "path", True), ("page", "query", False)]
    assert operation.body_required
    assert operation.reply_schema["required"] == ["id"]


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ({"state": 1}, []),
        ({"state": 1, "note": None}, []),
        ({"state": 1, "note": "too long"}, [("/note", "maxLength")]),
        ({"state": 11}, [("/state", "maximum")]),
        ({"state": 1, "fee": 0}, [("/fee", "exclusiveMinimum")]),
        ({"state": 1, "fee": Decimal("0.01")}, []),
        ({"state": 1, "parent": {"state": 2, "parent": {"state": "x"}}}, [("/parent/parent/state", "type")]),
        ({"state": 1, "parent": None}, [("/parent", "type")]),
        ({"state": 1, "colour": "red"}, [("", "additionalProperties")]),
        ({}, [("", "required")]),
        ([], [("", "type")]),
    ],
)
def test_3_0_and_3_1_judge_alike(write, value, places):
    for text in (SPELT_3_0, SPELT_3_1):
        violations = read_openapi(write(text)).operations["addStep"].check_request(value)

        assert [(violation.pointer, violation.code) for violation in violations] == places


_STEPS = st.recursive(
    st.none() | st.integers(-1, 11) | st.decimals(-1, 1, places=2) | st.text("ab", max_size=6),
    lambda inner: st.dictionaries(st.sampled_from(["state", "note", "fee", "parent", "x"]), inner, max_size=4),
    max_leaves=8,
)


def test_3_0_and_3_1_judge_alike_whatever_comes(write):
    old = read_openapi(write(SPELT_3_0)).operations["addStep"].check_request
    new = read_openapi(write(SPELT_3_1)).operations["addStep"].check_request

    @settings(max_examples=200, deadline=None)
    @given(value=_STEPS)
    def judge_alike(value):
        assert old(value) == new(value)

    judge_alike()


@pytest.mark.parametrize(
    ("raw", "values", "places"),
    [
        ({"code": "H99", "page": "3", "fee": "1.50", "paid": "true"}, {"page": 3, "fee": Decimal("1.50"), "paid": True}, []),
        ({"code": "H99", "states": "1,2,10"}, {"page": 1, "states": [1, 2, 10]}, []),
        ({"code": "H99", "states": "1,99"}, {}, [("/query/states/1", "maximum")]),
        ({"code": "H99", "page": "0"}, {}, [("/query/page", "minimum")]),
        ({"code": "H99", "page": "01"}, {}, [("/query/page", "type")]),
        ({"code": "H99", "page": "1e0"}, {}, [("/query/page", "type")]),
        ({"code": "H99", "page": "٣"}, {}, [("/query/page", "type")]),
        ({"code": "H99", "paid": "yes"}, {}, [("/query/paid", "type")]),
        ({"code": "H99", "fee": "NaN"}, {}, [("/query/fee", "type")]),
        ({"code": "H" * 21}, {}, [("/path/code", "maxLength")]),
        ({"code": "H99", "Accept-Language": "vi"}, {}, [("", "additionalProperties")]),
        ({"code": "H99", "colour": "red"}, {}, [("", "additionalProperties")]),
        ({}, {}, [("", "required")]),
    ],
)
def test_parameters_are_typed_and_checked(write, raw, values, places):
    read, violations = read_openapi(write(SPELT_3_1)).operations["addStep"].read_parameters(raw)

    assert [(violation.pointer, violation.code) for violation in violations] == places
    if not places:
        assert read == {"code": "H99", "page": 1, **values}


def test_a_contract_is_bundled_with_the_schemas_that_it_references(write, tmp_path):
    write(
        '{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://x.example/person", "type": ["string", "null"]}',
        "schemas/person.schema.json",
    )
    write(
        "$defs: {Kin: {items: {$ref: person.schema.json}}}\nproperties: {kin: {$ref: '#/$defs/Kin'}, me: {$ref: ''}}\n",
        "schemas/family.yaml",
    )
    write("answer: {description: ok, content: {application/json: {schema: {$ref: ../schemas/family.yaml}}}}\n", "contracts/shared.yaml")
    path = write(
        "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths:\n"
        "  /a: {get: {operationId: a, responses: {'200': {$ref: 'shared.yaml#/answer'}}}}\n",
        "contracts/openapi.yaml",
    )

    contract = read_openapi(path, tmp_path)

    assert set(contract.document["components"]["schemas"]) == {"family", "Kin", "person"}
    check = contract.operations["a"].check_reply
    assert [(v.pointer, v.code) for v in check({"kin": [None, "A", 1], "me": {"kin": 2, "me": {"kin": [3]}}})] == [
        ("/kin/2", "type"),
        ("/me/me/kin/0", "type"),
    ]


def test_operations_that_share_an_address_are_told_apart_by_the_fragment(write):
    answers = "{responses: {'200': {description: ok}}"
    path = write(
        "openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths:\n"
        f"  /mapi/g#addDossier: {{post: {answers}, operationId: addDossier}}}}\n"
        f"  /mapi/g#findDossier: {{post: {answers}, operationId: findDossier}}}}\n"
    )

    contract = read_openapi(path)

    assert {name: operation.path for name, operation in contract.operations.items()} == {"addDossier": "/mapi/g", "findDossier": "/mapi/g"}
    assert list(for_connexion(contract.document)["paths"]) == ["/mapi/g"]


def test_examples_are_data_even_if_they_look_like_schemas(write):
    path = write(
        _with_schema("{type: object, example: {$ref: 'http://x.example', nullable: true}, enum: [{$ref: a, nullable: true}]}", "3.0.3")
    )

    schema = read_openapi(path).document["components"]["schemas"]["A"]

    assert schema["examples"] == [{"$ref": "http://x.example", "nullable": True}]
    assert schema["enum"] == [{"$ref": "a", "nullable": True}]


def test_words_are_words_and_not_yaml_1_1(write):
    schema = read_openapi(write(_with_schema("{enum: [no, on, 2020-01-01, 0x10, 1_000, '1', 010, 1.0, ~, TRUE]}"))).document["components"][
        "schemas"
    ]["A"]

    assert schema["enum"] == ["no", "on", "2020-01-01", "0x10", "1_000", "1", 10, 1.0, None, True]


@pytest.mark.parametrize(
    "schema",
    [
        "{type: object, properties: {next: {$ref: '#/components/schemas/A'}}}",
        "{type: [array, string], items: {$ref: '#/components/schemas/A'}}",
        "{anyOf: [{type: string}, {type: object, additionalProperties: {$ref: '#/components/schemas/A'}}]}",
    ],
)
def test_schemas_may_recur_through_their_parts(write, schema):
    assert read_openapi(write(_with_schema(schema))).document["components"]["schemas"]


def test_our_own_contracts_are_sound():
    files = sorted((HOME / "contracts" / "openapi").rglob("*.yaml"))

    assert [file.name for file in files if not read_openapi(file, HOME).operations] == []


# ---- what is refused -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference",
    [
        "http://example.com/a.yaml",
        "https://example.com/a.yaml#/A",
        "file:///etc/hostname",
        "FILE:/etc/hostname",
        "//example.com/a.yaml",
        "/etc/hostname",
        "../outside.yaml",
        "inner/../../outside.yaml",
        "%2e%2e/outside.yaml",
        "..%2foutside.yaml",
        "link.yaml",
        "nothing.yaml",
        "contract.yaml%00",
        "#/components/schemas/B",
        "#anchor",
        "http://[",
    ],
)
def test_a_reference_stays_in_the_contracts(write, tmp_path, reference):
    write("{type: string}", "outside.yaml")
    path = write(_with_schema(f"{{properties: {{a: {{$ref: '{reference}'}}}}}}"), "contracts/contract.yaml")
    (tmp_path / "contracts" / "link.yaml").symlink_to(tmp_path / "outside.yaml")

    assert _findings(path) == [(6, "/components/schemas/A/properties/a/$ref", "reference")]


@pytest.mark.parametrize(
    ("kind", "at"),
    [
        ("parameters: [{$ref: 'http://x.example/p'}]", "/parameters/0/$ref"),
        ("requestBody: {$ref: 'file:///b'}", "/requestBody/$ref"),
        ("callbacks: {c: {$ref: '../c.yaml'}}", "/callbacks/c/$ref"),
        ("callbacks: {c: {'{$request.body#/url}': {$ref: '#/paths/~1a'}}}", "/callbacks/c/{$request.body#~1url}/$ref"),
    ],
)
def test_references_of_every_kind_are_watched(write, kind, at):
    path = write(f"openapi: 3.1.0\ninfo: {{title: x, version: '1'}}\npaths:\n  /a:\n    get:\n      operationId: a\n      {kind}\n")

    assert (7, f"/paths/~1a/get{at}", "reference") in _findings(path)


@pytest.mark.parametrize(
    "schema",
    [
        "{$ref: '#/components/schemas/A'}",
        "{allOf: [{type: object}, {not: {$ref: '#/components/schemas/A'}}]}",
        "{$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}",
    ],
)
def test_a_schema_that_only_leads_to_itself_is_refused(write, schema):
    assert (6, "/components/schemas/A", "reference") in _findings(write(_with_schema(schema)))


@pytest.mark.parametrize(
    ("text", "line", "at"),
    [
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)),
            6,
            "/f/1",
        ),
        ("a: &a [*a]\n", 1, "/a/0"),
        ("a: *nothing\n", 1, "/a"),
        ("[" * 100_000, 1, "/0" * 65),
        ("a:\n  b: 1\n  b: 2\n", 3, "/a/b"),
        ('{"a": 1, "a": 2}', 1, "/a"),
        ("a: !!python/object/apply:os.system [id]\n", 1, "/a"),
        ("a: !include /etc/hostname\n", 1, "/a"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "/c/<<"),
        ("? [a, b]\n: 1\n", 1, ""),
        ("a: 1\n---\nb: 2\n", 2, ""),
        ("a: 1e999\n", 1, "/a"),
        ("a: [\n", 2, ""),
        ("a: \x07\n", 0, ""),
        (b"\xff\xfe", 0, ""),
    ],
)
def test_yaml_that_is_more_than_data_is_refused(write, text, line, at):
    began = time.process_time()

    findings = _findings(write(text))

    assert (findings[0][0], findings[0][1]) == (line, at)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("text", "line", "at"),
    [('{"openapi": "3.1.0",\n "a": {"b": 1, "b": 2}}', 0, "/a"), ('{"openapi": "3.1.0",\n "a": tru}', 2, ""), ("[" * 5_000, 0, "")],
)
def test_json_that_is_not_sound_is_refused(write, text, line, at):
    assert _findings(write(text, "contract.json"))[0][:2] == (line, at)


@pytest.mark.parametrize("text", ["", "[]", "swagger: '1.2'\n", "openapi: 3.2.0\n", "openapi: 3.1\n", "openapi: {}\n"])
def test_other_documents_are_refused(write, text):
    assert [(at, rule) for _, at, rule in _findings(write(text))] == [("/openapi", "version")]


def test_a_template_in_a_title_is_refused_and_one_in_a_description_goes_no_further(write):
    template = "{{ ''.__class__.__mro__[1].__subclasses__() }}{% include '/etc/hostname' %}"
    contract = read_openapi(write(MINIMAL.replace("title: x", f'title: x, description: "{template}"')))

    assert template not in str(for_connexion(contract.document))
    assert [(at, rule) for _, at, rule in _findings(write(MINIMAL.replace("title: x", f'title: "{template}"')))] == [
        ("/info/title", "template")
    ]


def test_everything_that_is_wrong_is_told_at_once(write):
    path = write(
        """\
openapi: 3.1.0
info: {title: x, version: 1.0}
paths:
  /a/{id}:
    get:
      operationId: same
      responses: {'200': {description: ok}}
    post:
      operationId: same
      requestBody: {content: {text/csv: {}}}
      responses: {'200': {content: {application/json: {schema: {type: strin}}}}}
    delete:
      operationId: 7
      responsess: {}
components:
  schemas:
    A: {pattern: (?!x)}
    B: {$ref: 'http://example.com'}
"""
    )

    assert sorted(_findings(path)) == sorted(
        [
            (2, "/info/version", "field"),
            (5, "/paths/~1a~1{id}/get/parameters", "parameter"),
            (8, "/paths/~1a~1{id}/post/parameters", "parameter"),
            (9, "/paths/~1a~1{id}/post/operationId", "operation-id"),
            (10, "/paths/~1a~1{id}/post/requestBody/content/text~1csv", "media-type"),
            (11, "/paths/~1a~1{id}/post/responses/200/description", "field"),
            (11, "/paths/~1a~1{id}/post/responses/200/content/application~1json/schema/type", "schema"),
            (12, "/paths/~1a~1{id}/delete", "operation-id"),
            (12, "/paths/~1a~1{id}/delete/parameters", "parameter"),
            (14, "/paths/~1a~1{id}/delete/responsess", "field"),
            (17, "/components/schemas/A/pattern", "schema"),
            (18, "/components/schemas/B/$ref", "reference"),
        ]
    )


@pytest.mark.parametrize(
    "parameter",
    [
        "{name: id, in: query, schema: {type: object}}",
        "{name: id, in: query, style: deepObject, schema: {type: string}}",
        "{name: id, in: query, content: {application/json: {}}}",
        "{name: id, in: body, schema: {}}",
        "{name: id, in: path, schema: {}}",
        "{name: id, in: query, schema: {pattern: '('}}",
        "{name: id, in: query, schema: {type: array, items: {type: array}}}",
    ],
)
def test_parameters_that_a_url_cannot_say_in_one_way_are_refused(write, parameter):
    path = write(
        f"openapi: 3.1.0\ninfo: {{title: x, version: '1'}}\npaths:\n  /a: {{get: {{operationId: a, parameters: [{parameter}]}}}}\n"
    )

    assert _findings(path)


# ---- other people's documents, and noise ---------------------------------------------------------------------------------------------


def test_official_documents_load_or_are_refused_with_their_place(corpora):
    files = [file for file in sorted((corpora / "openapi").rglob("*")) if file.suffix in {".json", ".yaml"}]
    loaded, nameless = set(), []
    for file in files:
        try:
            for_connexion(read_openapi(file).document)
            loaded.add(file.relative_to(corpora / "openapi").as_posix())
        except ContractError as error:
            nameless += [finding for finding in error.findings if not (finding.file and finding.reason)]

    assert len(files) > 80
    assert nameless == []
    assert {name for name in loaded if "/fail/" in name or "/v3.2/" in name} == set()
    assert len({name for name in loaded if "/v2.0/" in name}) >= 14
    assert len({name for name in loaded if "/pass/" in name}) >= 20
    assert "learn.openapis.org/examples/v3.1/tictactoe.yaml" in loaded
    assert "learn.openapis.org/examples/v3.0/petstore-expanded.json" in loaded


_NOISE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "x", "#/components/schemas/State", "#/paths", "string", "get", "path"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["$ref", "type", "name", "in", "schema", "get", "x", "200"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@pytest.mark.parametrize("contract", [SPELT_3_0, SWAGGER])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choices=st.lists(st.integers(0, 50), min_size=1, max_size=9), noise=_NOISE)
def test_a_contract_with_any_part_replaced_is_read_or_refused(write, contract, choices, noise):
    document = yaml.load(contract, Loader=yaml.CSafeLoader)
    parent, place = {"": document}, ""
    for choice in choices:
        inner = parent[place]
        if not isinstance(inner, (dict, list)) or not inner:
            break
        parent, place = inner, (list(inner) if isinstance(inner, dict) else range(len(inner)))[choice % len(inner)]
    parent[place] = noise
    path = write(json.encode(document), "contract.json")

    with suppress(ContractError):
        read_openapi(path)


# ---- on the wire, and for connexion -----------------------------------------------------------------------------------------------------


def test_a_wire_speaks_json_and_judges_what_comes_back(write):
    wire = json_wire(read_openapi(write(SPELT_3_1)).operations["addStep"])

    assert (wire.method, wire.path, wire.media_type) == ("POST", "/dossiers/{code}/steps", "application/json")
    native = {"code": "H99/1 \u0110", "body": {"fee": Decimal("1.50")}}
    assert (wire.locate(native), wire.write(native)[0]) == ("/dossiers/H99%2F1%20%C4%90/steps", b'{"fee":1.50}')
    assert wire.check_reply(b'{"id": "7"}') == ()
    assert [violation.code for violation in wire.check_reply(b"{}")] == ["required"]
    assert [violation.code for violation in wire.check_reply(b"<html>")] == ["json"]
    with pytest.raises(CodecError):
        wire.decode(b"<html>")


async def test_connexion_routes_by_what_it_is_given(write):
    routes = for_connexion(read_openapi(write(SPELT_3_1)).document)
    seen = []

    async def add_step(code):
        seen.append(code)
        return "", 204

    app = AsyncApp("lgsp")
    app.add_api(routes, resolver={"addStep": add_step}.__getitem__)
    with app.test_client() as client:
        answer = client.post("/dossiers/H99.26/steps")

    assert (answer.status_code, seen) == (204, ["H99.26"])
