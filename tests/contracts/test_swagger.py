"""Swagger 2.0 is read as OpenAPI 3.0, and operations without a name get one that stays."""

from __future__ import annotations

import pytest

from lgsp.contract.openapi.names import made_up
from lgsp.contract.openapi.read import read_openapi
from lgsp.errors import ContractError

CONTRACT = """
swagger: '2.0'
info: {title: Hồ sơ, version: '1'}
host: hoso.example
basePath: /v1
schemes: [https]
consumes: [application/json]
produces: [application/json]
parameters:
  Page: {name: page, in: query, type: integer, minimum: 1}
  Body: {name: body, in: body, required: true, schema: {$ref: '#/definitions/Dossier'}}
responses:
  Refused: {description: refused, schema: {$ref: '#/definitions/Refusal'}}
paths:
  /dossiers:
    get:
      parameters:
        - {$ref: '#/parameters/Page'}
        - {name: status, in: query, type: array, items: {type: string, enum: [new, done]}, collectionFormat: csv}
      responses:
        '200': {description: ok, schema: {type: array, items: {$ref: '#/definitions/Dossier'}}}
        default: {$ref: '#/responses/Refused'}
    post:
      operationId: submit
      parameters: [{$ref: '#/parameters/Body'}]
      responses: {'201': {description: ok, schema: {$ref: '#/definitions/Dossier'}, headers: {Location: {type: string}}}}
definitions:
  Dossier:
    type: object
    required: [code]
    discriminator: kind
    properties:
      code: {type: string, pattern: '^H[0-9]{2}$'}
      kind: {type: string}
      note: {type: string, x-nullable: true}
  Refusal: {type: object, properties: {reason: {type: string}}}
securityDefinitions:
  key: {type: apiKey, in: header, name: X-Key}
  basic: {type: basic}
  oauth: {type: oauth2, flow: application, tokenUrl: 'https://hoso.example/token', scopes: {read: đọc}}
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="hoso.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_parameters_bodies_and_answers_are_judged_as_the_swagger_document_says(write):
    operations = read_openapi(write(CONTRACT)).operations
    submit, look = operations["submit"], operations["getDossiers"]

    assert (submit.media_types, submit.body_required) == (("application/json",), True)
    assert [v.pointer for v in submit.check_request({"code": "sai", "kind": "a"})] == ["/code"]
    assert submit.check_request({"code": "H01", "kind": "a", "note": None}) == ()
    assert look.read_parameters({"page": "2", "status": "new,done"}) == ({"page": 2, "status": ["new", "done"]}, [])
    assert [v.pointer for v in look.read_parameters({"page": "0"})[1]] == ["/query/page"]
    assert [v.pointer for v in look.check_reply([{"kind": "a"}])] == ["/0"]


def test_servers_and_credentials_move_to_their_new_places(write):
    document = read_openapi(write(CONTRACT)).document

    assert document["servers"] == [{"url": "https://hoso.example/v1"}]
    assert document["components"]["securitySchemes"] == {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "basic": {"type": "http", "scheme": "basic"},
        "oauth": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": "https://hoso.example/token", "scopes": {"read": "đọc"}}},
        },
    }


def test_a_fault_is_told_with_the_line_of_the_swagger_document(write):
    path = write(CONTRACT.replace("'^H[0-9]{2}$'", "'(?!x)'"))

    with pytest.raises(ContractError) as caught:
        read_openapi(path)

    line = CONTRACT.splitlines().index("      code: {type: string, pattern: '^H[0-9]{2}$'}") + 1
    assert (line, "schema") in {(finding.line, finding.rule) for finding in caught.value.findings}


def test_the_official_examples_are_read(corpora):
    folder = corpora / "openapi" / "learn.openapis.org" / "examples" / "v2.0" / "yaml"
    whole = sorted(folder.glob("*.yaml"))

    read = {path.name: len(read_openapi(path).operations) for path in whole}
    apart = read_openapi(folder / "petstore-separate" / "spec" / "swagger.yaml", folder / "petstore-separate")

    assert len(read) == 7
    assert read["uber.yaml"] == 5
    assert set(apart.operations) == {"findPets", "addPet", "find pet by id", "deletePet"}


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("get", "/dossiers/{code}/files", "getDossiersByCodeFiles"),
        ("post", "/", "postRoot"),
        ("put", "/tra-cuu/ho_so", "putTraCuuHoSo"),
        ("post", "/mapi/g#addDossier", "postMapiGAddDossier"),
    ],
)
def test_a_name_is_made_from_method_and_path(method, path, name):
    assert made_up(method, path) == name


def test_a_made_up_name_never_takes_a_given_one(write):
    answers = "responses: {'200': {description: ok}}"
    text = (
        f"openapi: 3.1.0\ninfo: {{title: x, version: '1'}}\npaths:\n  /a: {{get: {{{answers}}}, post: {{operationId: getA, {answers}}}}}\n"
    )

    assert set(read_openapi(write(text)).operations) == {"getA", "getA2"}
