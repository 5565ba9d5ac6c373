"""Invented values keep their schemas, and are the same for the same seed."""

from __future__ import annotations

import json

import pytest

from lgsp.contract.invent import FORMATS, Inventor
from lgsp.schema import compile_schema

NODE = {"type": "object", "required": ["code", "children"], "properties": {"code": {"type": "string", "pattern": "^H[0-9]{2}$"}}}
NODE["properties"]["children"] = {"type": "array", "items": {"$ref": "#/$defs/Node"}}
SCHEMAS = {
    "a text of some length": {"type": "string", "minLength": 20, "maxLength": 22},
    "a pattern": {"type": "string", "pattern": "^[0-9]{12}$"},
    "bounds": {"type": "integer", "minimum": 10, "maximum": 12},
    "bounds that exclude": {"type": "integer", "exclusiveMinimum": -3, "exclusiveMaximum": -1},
    "only an upper bound": {"type": "number", "maximum": -5},
    "steps": {"type": "number", "multipleOf": 0.5, "minimum": 1, "maximum": 9},
    "an object": {"type": "object", "required": ["a"], "properties": {"a": {"type": "boolean"}}, "additionalProperties": False},
    "a required field nobody describes": {"type": "object", "required": ["a"]},
    "as many fields as asked": {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
    "items that differ": {"type": "array", "minItems": 3, "uniqueItems": True, "items": {"type": "integer"}},
    "a tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "items": False},
    "an enumeration": {"enum": ["mới", "đang xử lý"]},
    "a constant": {"const": {"a": 1}},
    "alternatives": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    "something or null": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
    "parts joined": {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "string", "maxLength": 3}}}]},
    "no type": {"properties": {"a": {"type": "string"}}, "required": ["a"], "type": "object"},
    "recursion": {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
    **{f"the format {name}": {"type": "string", "format": name} for name in FORMATS},
}


@pytest.mark.parametrize("case", SCHEMAS)
def test_an_invented_value_keeps_its_schema(case):
    schema = SCHEMAS[case]
    check = compile_schema(schema)

    made = [Inventor(schema.get("$defs", {}), seed).value(schema) for seed in range(20)]

    assert [check(json.loads(json.dumps(value))) for value in made] == [()] * 20


def test_the_same_seed_invents_the_same_value():
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "string", "format": "uuid"}},
    }

    assert Inventor({}, 7).value(schema) == Inventor({}, 7).value(schema)
    assert len({json.dumps(Inventor({}, seed).value(schema)) for seed in range(10)}) > 1


def test_an_example_of_the_contract_comes_before_anything_invented():
    assert Inventor({}, 1).value({"type": "string", "examples": ["Hồ sơ mẫu"]}) == "Hồ sơ mẫu"
