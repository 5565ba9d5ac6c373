"""What a change of a contract means: each rule on the request's side and on the answer's, and the command that tells it."""

from __future__ import annotations

import json

import pytest
import yaml
from typer.testing import CliRunner

from lgsp.cli import app
from lgsp.config import HOME
from lgsp.contract.diff.openapi import compare
from lgsp.policy.compatibility import SEVERITIES, Severity, Side


def document(request=None, answer=None, version="1.0.0", **operation):
    """A contract with one operation."""
    content = {"application/json": {"schema": request or {}}}
    whole = {
        "operationId": "submitDossier",
        "parameters": [],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": answer or {}}}}},
        **operation,
    }
    return {"openapi": "3.1.1", "info": {"title": "Hồ sơ", "version": version}, "paths": {"/dossiers": {"post": whole}}}


def fields(*names, required=(), **more):
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(required), **more}


def told(before, after):
    """(rule, severity, pointer) of each change."""
    return {(c.rule, c.severity.value, c.pointer) for c in compare(before, after).changes}


CASES = {
    "a new field that must be there": (fields("a"), fields("a", "b", required=["b"]), "field-added-required", "/b"),
    "a new field": (fields("a"), fields("a", "b"), "field-added", "/b"),
    "a new field where others were refused": (
        fields("a", additionalProperties=False),
        fields("a", "b", additionalProperties=False),
        "field-added-to-closed",
        "/b",
    ),
    "a field that is gone": (fields("a", "b"), fields("a"), "field-removed", "/b"),
    "a field that is refused now": (fields("a", "b"), fields("a", additionalProperties=False), "field-refused", "/b"),
    "a field that must be there now": (fields("a"), fields("a", required=["a"]), "field-required", "/a"),
    "a field that may be absent now": (fields("a", required=["a"]), fields("a"), "field-optional", "/a"),
    "a whole number where a number was": ({"type": "number"}, {"type": "integer"}, "type-narrowed", ""),
    "null beside a text": ({"type": "string"}, {"type": ["string", "null"]}, "type-widened", ""),
    "null by anyOf": ({"type": "string"}, {"anyOf": [{"type": "string"}, {"type": "null"}]}, "type-widened", ""),
    "a number where a text was": ({"type": "string"}, {"type": "integer"}, "type-changed", ""),
    "a code that is gone": ({"enum": ["mới", "cũ"]}, {"enum": ["mới"]}, "value-removed", ""),
    "a new code": ({"enum": ["mới"]}, {"enum": ["mới", "cũ"]}, "value-added", ""),
    "codes where any text was": ({"type": "string"}, {"type": "string", "enum": ["x"]}, "values-limited", ""),
    "any text where codes were": ({"type": "string", "enum": ["x"]}, {"type": "string"}, "values-freed", ""),
    "a shorter text": ({"type": "string", "maxLength": 20}, {"type": "string", "maxLength": 10}, "limit-tightened", ""),
    "a higher minimum": ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 5}, "limit-tightened", ""),
    "a minimum that excludes itself": (
        {"type": "integer", "minimum": 1},
        {"type": "integer", "exclusiveMinimum": 1},
        "limit-tightened",
        "",
    ),
    "no limit any more": ({"type": "array", "maxItems": 3}, {"type": "array"}, "limit-loosened", ""),
    "a new pattern": ({"type": "string"}, {"type": "string", "pattern": "^[0-9]{12}$"}, "rule-added", ""),
    "another pattern": ({"type": "string", "pattern": "^[0-9]{9}$"}, {"type": "string", "pattern": "^[0-9]{12}$"}, "rule-changed", ""),
    "no format any more": ({"type": "string", "format": "date"}, {"type": "string"}, "rule-removed", ""),
    "other fields refused": (fields("a"), fields("a", additionalProperties=False), "other-fields-refused", ""),
    "other fields allowed": (fields("a", additionalProperties=False), fields("a"), "other-fields-allowed", ""),
    "an alternative more": ({"oneOf": [fields("a")]}, {"oneOf": [fields("a"), fields("b")]}, "alternative-added", ""),
    "an alternative less": ({"oneOf": [fields("a"), fields("b")]}, {"oneOf": [fields("a")]}, "alternative-removed", ""),
    "another default": ({"type": "string", "default": "1"}, {"type": "string", "default": "2"}, "default-changed", ""),
    "a deprecated value": ({"type": "string"}, {"type": "string", "deprecated": True}, "field-deprecated", ""),
    "inside of items": (
        {"type": "array", "items": fields("a")},
        {"type": "array", "items": fields("a", required=["a"])},
        "field-required",
        "/*/a",
    ),
    "inside of a first item": (
        {"type": "array", "prefixItems": [{"type": "string"}]},
        {"type": "array", "prefixItems": [{"type": "integer"}]},
        "type-changed",
        "/0",
    ),
    "inside of free fields": (
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        "type-changed",
        "/*",
    ),
    "inside of allOf": (
        {"allOf": [fields("a"), fields("b")]},
        {"allOf": [fields("a"), fields("b", required=["b"])]},
        "field-required",
        "/b",
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("side", Side)
def test_a_change_of_a_schema_is_told_by_its_rule_on_both_sides(case, side):
    before, after, rule, pointer = CASES[case]

    found = told(document(**{side.value: before}), document(**{side.value: after}))

    assert (rule, SEVERITIES[rule][side is Side.ANSWER].value, pointer) in found


@pytest.mark.parametrize("case", CASES)
def test_what_did_not_change_is_not_told(case):
    schema = CASES[case][0]

    assert told(document(schema, schema), document(json.loads(json.dumps(schema)), schema)) == set()


def parameter(name, where="query", **more):
    return {"name": name, "in": where, "schema": {"type": "string"}, **more}


AROUND = {
    "a parameter that must be there": ({}, {"parameters": [parameter("trang", required=True)]}, "parameter-added-required"),
    "a parameter more": ({}, {"parameters": [parameter("trang")]}, "parameter-added"),
    "a parameter less": ({"parameters": [parameter("trang")]}, {}, "parameter-removed"),
    "a parameter that must be there now": (
        {"parameters": [parameter("trang")]},
        {"parameters": [parameter("trang", required=True)]},
        "parameter-required",
    ),
    "no body any more": ({}, {"requestBody": {}}, "body-removed"),
    "an answer that is gone": ({}, {"responses": {"204": {"description": "ok"}}}, "status-removed"),
    "another good answer": ({}, {"responses": {"204": {"description": "ok"}}}, "status-added"),
    "a credential": ({}, {"security": [{"oauth": []}]}, "security-added"),
    "no credential": ({"security": [{"oauth": []}]}, {"security": []}, "security-removed"),
    "deprecation": ({}, {"deprecated": True}, "operation-deprecated"),
}


@pytest.mark.parametrize("case", AROUND)
def test_a_change_around_the_bodies_is_told_by_its_rule(case):
    before, after, rule = AROUND[case]

    assert rule in {found for found, _, _ in told(document(**before), document(**after))}


def test_an_operation_that_is_gone_breaks_and_one_that_is_renamed_is_found_again():
    gone = document()
    gone["paths"] = {"/other": {"get": {"operationId": "other", "responses": {}}}}

    assert {("operation-removed", "breaking", ""), ("operation-added", "safe", "")} == told(document(), gone)
    assert {("operation-renamed", "dangerous", "")} == told(document(), document(operationId="sendDossier"))


def test_recursive_components_are_compared_once_and_end():
    def tree(leaf):
        made = document({"$ref": "#/components/schemas/Node"})
        node = {
            "type": "object",
            "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}, "leaf": leaf},
        }
        return {**made, "components": {"schemas": {"Node": node}}}

    assert told(tree({"type": "string"}), tree({"type": "integer"})) == {("type-changed", "breaking", "/leaf")}


def test_a_field_that_only_answers_carry_is_no_part_of_the_request():
    before, after = fields("a"), fields("a")
    after["properties"]["id"] = {"type": "string", "readOnly": True}
    after["required"] = ["id"]

    assert told(document(before), document(after)) == set()


def test_a_breaking_change_needs_a_new_major_version():
    before = document(fields("a"))

    assert compare(before, document(fields("a", required=["a"]), version="1.1.0")).needs_new_major
    assert not compare(before, document(fields("a", required=["a"]), version="2.0.0")).needs_new_major
    assert not compare(before, document(fields("a", "b"), version="1.1.0")).needs_new_major


def test_the_command_tells_each_change_and_ends_with_1_when_something_breaks(tmp_path):
    files = [tmp_path / name for name in ("base.yaml", "revision.yaml")]
    for file, required in zip(files, ([], ["b"]), strict=True):
        file.write_text(yaml.safe_dump(document(fields("a", "b", required=required))), encoding="utf-8")

    lines = CliRunner().invoke(app, ["diff", *map(str, files)])
    as_json = CliRunner().invoke(app, ["diff", *map(str, files), "--json"])
    same = CliRunner().invoke(app, ["diff", str(files[0]), str(files[0])])

    assert (lines.exit_code, as_json.exit_code, same.exit_code, same.stdout) == (1, 1, 0, "No changes.\n")
    assert "breaking  submitDossier request /b: must be there now [field-required]" in lines.stdout
    assert json.loads(as_json.stdout)["changes"][0]["rule"] == "field-required"


def test_a_file_that_is_no_contract_is_named_with_its_place(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("openapi: 2.0.0\n", encoding="utf-8")
    sound = HOME / "contracts" / "openapi" / "population" / "v1" / "openapi.yaml"

    done = CliRunner().invoke(app, ["diff", str(sound), str(broken)])

    assert (done.exit_code, "broken.yaml:1" in done.stdout) == (2, True)


def test_every_severity_has_a_rule_on_each_side():
    assert {severity for pair in SEVERITIES.values() for severity in pair} == set(Severity)
