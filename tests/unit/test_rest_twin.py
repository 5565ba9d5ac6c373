"""A contract alone makes a stand-in: it judges requests as the hub would, and its answers keep the contract."""

from __future__ import annotations

import json

import pytest
import yaml
from starlette.testclient import TestClient

from lgsp.contract.openapi.read import read_openapi
from lgsp.twin.rest import RestTwin

CONTRACT = """
openapi: 3.1.0
info: {title: Hồ sơ, version: 1.0.0}
servers: [{url: https://hoso.example/v1}]
security: [{token: []}]
paths:
  /dossiers:
    post:
      operationId: submit
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [code]
              properties: {code: {type: string, pattern: '^H[0-9]{2}$'}}
              additionalProperties: false
      responses:
        '201':
          description: created
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Dossier'}
        '409':
          description: known
          content:
            application/json:
              schema: {type: object}
              examples: {known: {value: {reason: đã tồn tại}}, closed: {value: {reason: đã kết thúc}}}
  /dossiers/{code}:
    get:
      operationId: look
      security: []
      parameters:
        - {name: code, in: path, required: true, schema: {type: string}}
        - {name: page, in: query, schema: {type: integer}}
        - {name: X-Unit, in: header, required: true, schema: {type: string}}
      responses:
        '200':
          description: found
          content:
            application/json: {schema: {$ref: '#/components/schemas/Dossier'}}
            text/plain: {example: H01 đang xử lý}
  /dossiers/latest:
    get:
      operationId: latest
      security: []
      responses: {'204': {description: nothing}}
components:
  securitySchemes: {token: {type: http, scheme: bearer}}
  schemas:
    Dossier:
      type: object
      required: [code, status, received_at]
      properties:
        code: {type: string, pattern: '^H[0-9]{2}$'}
        status: {enum: [mới, đang xử lý]}
        received_at: {type: string, format: date-time}
"""
TOKEN = {"Authorization": "Bearer any"}
UNIT = {"X-Unit": "H99"}


@pytest.fixture
def contract(tmp_path):
    (tmp_path / "hoso.yaml").write_text(CONTRACT, encoding="utf-8")
    return read_openapi(tmp_path / "hoso.yaml")


@pytest.fixture
def twin(contract):
    return TestClient(RestTwin(contract), base_url="http://twin")


def test_an_answer_is_invented_valid_and_the_same_for_the_same_seed(contract):
    check = contract.operations["submit"].check_reply
    answers = [TestClient(RestTwin(contract, seed)).post("/dossiers", json={"code": "H01"}, headers=TOKEN).json() for seed in (1, 1, 2)]

    assert [check(answer) for answer in answers] == [()] * 3
    assert (answers[0] == answers[1], answers[0] == answers[2]) == (True, False)


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (("GET", "/nowhere", {}, b""), 404, "not-found"),
        (("DELETE", "/dossiers", TOKEN, b""), 405, "method-not-allowed"),
        (("POST", "/dossiers", {"Content-Type": "application/json"}, b'{"code": "H01"}'), 401, "token-missing"),
        (("POST", "/dossiers", {**TOKEN, "Content-Type": "text/csv"}, b"code"), 415, "media-type-unsupported"),
        (("POST", "/dossiers", {**TOKEN, "Content-Type": "application/json"}, b"{"), 400, "malformed-body"),
        (("POST", "/dossiers", {**TOKEN, "Content-Type": "application/json"}, b'{"code": "sai"}'), 422, "body-invalid"),
        (("GET", "/dossiers/H01?page=một", UNIT, b""), 400, "parameter-invalid"),
        (("GET", "/dossiers/H01", {}, b""), 400, "parameter-invalid"),
        (("GET", "/dossiers/H01", {**UNIT, "Accept": "image/png"}, b""), 406, "not-acceptable"),
    ],
)
def test_a_request_that_breaks_the_contract_gets_its_problem(twin, request_, status, code):
    method, path, headers, content = request_

    answer = twin.request(method, path, headers=headers, content=content)

    assert (answer.status_code, answer.headers["content-type"], answer.json()["code"]) == (status, "application/problem+json", code)


def test_prefer_chooses_the_answer_and_its_example(twin):
    answer = twin.post("/dossiers", json={"code": "H01"}, headers={**TOKEN, "Prefer": "code=409, example=closed"})
    unknown = twin.post("/dossiers", json={"code": "H01"}, headers={**TOKEN, "Prefer": "code=418"})

    assert (answer.status_code, answer.json(), answer.headers["preference-applied"]) == (
        409,
        {"reason": "đã kết thúc"},
        "code=409, example=closed",
    )
    assert unknown.status_code == 400


def test_accept_chooses_the_media_type(twin):
    text = twin.get("/dossiers/H01", headers={**UNIT, "Accept": "application/json;q=0.5, text/plain"})

    assert (text.headers["content-type"].partition(";")[0], text.text) == ("text/plain", "H01 đang xử lý")


def test_paths_are_served_below_the_servers_prefix_too_and_plain_ones_win(twin):
    assert twin.get("/v1/dossiers/H01", headers=UNIT).status_code == 200
    assert twin.get("/dossiers/latest").status_code == 204


def test_the_root_is_a_path_and_a_key_in_the_query_is_no_parameter(tmp_path):
    document = yaml.safe_load(CONTRACT)
    document["paths"] = {"/": document["paths"]["/dossiers/latest"]}
    document["components"]["securitySchemes"] = {"key": {"type": "apiKey", "in": "query", "name": "key"}}
    document["paths"]["/"]["get"]["security"] = [{"key": []}]
    (tmp_path / "hoso.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    twin = TestClient(RestTwin(read_openapi(tmp_path / "hoso.yaml")))

    assert [twin.get(path).status_code for path in ("/?key=k", "/", "/?key=k&other=1")] == [204, 401, 400]


def test_the_official_examples_are_served_and_answer_by_their_contract(corpora):
    folder = corpora / "openapi" / "learn.openapis.org" / "examples"
    answered = 0
    for name in ("v3.0/petstore.yaml", "v3.0/petstore-expanded.yaml", "v3.0/link-example.yaml", "v3.1/tictactoe.yaml"):
        contract = read_openapi(folder / name)
        client = TestClient(RestTwin(contract))
        for operation in contract.operations.values():
            path = operation.path.replace("{row}", "1").replace("{column}", "1").replace("{id}", "7")
            if operation.method == "GET":
                answer = client.get(path, headers={"Authorization": "Bearer any", "api-key": "any"})
                assert (name, path, answer.status_code) == (name, path, 200)
                assert operation.reply_schema is None or operation.check_reply(json.loads(answer.text)) == ()
                answered += 1

    assert answered >= 10


def test_a_contract_that_asks_for_the_impossible_says_so(tmp_path):
    document = yaml.safe_load(CONTRACT)
    document["components"]["schemas"]["Dossier"] = {"type": "string", "pattern": "^a+$", "not": {"pattern": "a"}}
    (tmp_path / "hoso.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    twin = TestClient(RestTwin(read_openapi(tmp_path / "hoso.yaml")))

    answer = twin.get("/dossiers/H01", headers=UNIT)

    assert (answer.status_code, answer.json()["code"]) == (501, "no-example")
