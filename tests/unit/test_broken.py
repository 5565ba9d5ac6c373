"""Breaking a value at one rule at a time, and what a contract's own check says to it."""

from __future__ import annotations

import pytest

from lgsp.contract.broken import broken
from lgsp.schema import compile_schema

PERSON = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 10},
        "code": {"$ref": "#/$defs/code"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "age": {"type": ["integer", "null"], "minimum": 0, "exclusiveMaximum": 150},
        "papers": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "object", "required": ["n"]}},
    },
    "$defs": {"code": {"allOf": [{"type": "string"}, {"pattern": "^[0-9]{3}$"}]}},
}
SOUND = {"name": "An", "code": "123", "kind": "a", "age": 3, "papers": [{"n": 1}]}


def test_every_broken_value_is_refused_at_the_place_that_it_names():
    check = compile_schema(PERSON)

    found = list(broken(PERSON, SOUND))

    assert check(SOUND) == ()
    assert [each for each in found if each.pointer not in {violation.pointer for violation in check(each.value)}] == []


@pytest.mark.parametrize(
    ("rule", "pointer"),
    [
        ("required", ""),
        ("required", "/papers/0"),
        ("unknown-field", ""),
        ("type", "/age"),
        ("enum", "/kind"),
        ("pattern", "/code"),
        ("minLength", "/name"),
        ("maxLength", "/name"),
        ("minimum", "/age"),
        ("exclusiveMaximum", "/age"),
        ("minItems", "/papers"),
        ("maxItems", "/papers"),
    ],
)
def test_each_rule_is_broken_where_it_is_stated(rule, pointer):
    found = {(each.rule, each.pointer) for each in broken(PERSON, SOUND)}

    assert (rule, pointer) in found


def test_what_allows_everything_cannot_be_broken():
    assert list(broken({}, {"a": 1})) == []
    assert next(iter(broken({"type": "object", "properties": {"a": True}}, {"a": 1}))).rule == "type"


def test_a_pattern_that_python_reads_otherwise_is_left_alone():
    assert list(broken({"pattern": r"^\p{L}+$"}, "An")) == []
