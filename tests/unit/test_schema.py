"""Compiled schemas: right verdicts, exact places, no values in what is said, nothing fetched."""

from __future__ import annotations

import time
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgsp.errors import ContractError
from lgsp.schema import compile_schema, pointer

CITIZEN = {
    "type": "object",
    "required": ["citizen_id"],
    "additionalProperties": False,
    "properties": {
        "citizen_id": {"type": "string", "pattern": "^[0-9]{12}$"},
        "born": {"type": "string", "format": "date"},
        "fee": {"type": "number", "multipleOf": 0.01},
        "status": {"enum": [1, 2, 10]},
        "spouse": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        "papers": {"type": "array", "maxItems": 2, "items": {"type": "object", "properties": {"code": {"minLength": 2}}}},
    },
}


def _places(schema, value):
    return [(violation.pointer, violation.code) for violation in compile_schema(schema)(value)]


def test_a_right_value_has_no_violations():
    check = compile_schema(CITIZEN)

    assert check({"citizen_id": "000000000000", "born": "1990-02-28", "fee": Decimal("12.34"), "spouse": None}) == ()


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ({}, [("", "required")]),
        ({"citizen_id": 1}, [("/citizen_id", "type")]),
        ({"citizen_id": "0790"}, [("/citizen_id", "pattern")]),
        ({"citizen_id": "000000000000", "born": "1990-02-30"}, [("/born", "format")]),
        ({"citizen_id": "000000000000", "fee": Decimal("0.001")}, [("/fee", "multipleOf")]),
        ({"citizen_id": "000000000000", "status": 3}, [("/status", "enum")]),
        ({"citizen_id": "000000000000", "spouse": {"citizen_id": "1"}}, [("/spouse/citizen_id", "pattern")]),
        ({"citizen_id": "000000000000", "papers": [{}, {"code": "x"}]}, [("/papers/1/code", "minLength")]),
        ({"citizen_id": "000000000000", "papers": [1, 2, 3]}, [("/papers", "maxItems")] + [(f"/papers/{i}", "type") for i in range(3)]),
        ({"citizen_id": "000000000000", "phone": "x"}, [("", "additionalProperties")]),
    ],
)
def test_a_violation_names_place_and_keyword(value, places):
    assert sorted(_places(CITIZEN, value)) == sorted(places)


def test_what_is_said_never_repeats_the_value():
    violations = compile_schema({**CITIZEN, "patternProperties": {"^x": {"type": "null"}}})(
        {"citizen_id": "079012345678x", "079099999999": "SECRET", "x079099999999 Nguyễn": "SECRET", "status": 7654321, "born": "SECRET"}
    )

    said = " ".join(f"{violation.pointer} {violation.detail}" for violation in violations)
    assert len(violations) >= 4
    assert not any(secret in said for secret in ("0790", "SECRET", "Nguyễn", "7654321"))


def test_unknown_members_are_named_if_they_look_like_fields():
    (violation,) = compile_schema({"properties": {"a": {}}, "additionalProperties": False})({"phone": 1, "079012345678": 2})

    assert violation.detail == "not in the contract: 'phone', 1 more"


def test_a_pointer_ends_above_a_name_that_may_not_be_shown():
    assert pointer(["rows", 0, "a:b", "079012345678", "c"]) == "/rows/0/a:b"


def test_the_number_of_violations_is_bounded():
    assert len(compile_schema({"items": {"type": "null"}})([1] * 900)) == 100


def test_of_a_very_large_value_the_first_violation_is_told_and_quickly():
    check = compile_schema({"items": {"items": {"anyOf": [{"type": "null"}, {"type": "string"}]}}})
    began = time.process_time()

    assert [violation.pointer for violation in check([[None] * 100, *[[1] * 100] * 1000])] == ["/1/0"]
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("number", [Decimal("1.0"), 10**400, -(10**30), Decimal("1e3")])
def test_whole_numbers_of_any_size_are_integers(number):
    assert _places({"type": "integer"}, number) == []


def test_bounds_are_compared_without_rounding():
    schema = {"maximum": 9007199254740993}

    assert _places(schema, Decimal("9007199254740993.1")) == [("", "maximum")]
    assert _places(schema, 9007199254740993) == []


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"properties": {"a": {"type": "strin"}}}, "/x/properties/a/type"),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, "/x/properties/a/pattern"),
        ({"properties": {"a": {"pattern": r"(a)\1"}}}, "/x/properties/a/pattern"),
        ({"pattern": "((a{100}){100}){100}"}, "/x/pattern"),
        ({"pattern": "("}, "/x/pattern"),
        ({"$ref": "#/$defs/nothing"}, "/x"),
        ({"$ref": "http://localhost:1/schema"}, "/x"),
        ({"$ref": "file:///etc/hostname"}, "/x"),
        ({"minimum": "1"}, "/x/minimum"),
    ],
)
def test_a_schema_that_cannot_be_compiled_is_refused_with_its_place(schema, place):
    with pytest.raises(ContractError) as refusal:
        compile_schema(schema, file="openapi.yaml", at="/x")

    (finding,) = refusal.value.findings
    assert (finding.file, finding.pointer, finding.rule) == ("openapi.yaml", place, "schema")


def test_schemas_that_nest_without_end_are_refused():
    schema: dict = {}
    for _ in range(5_000):
        schema = {"not": schema}

    with pytest.raises(ContractError):
        compile_schema(schema)


def test_references_resolve_among_the_given_documents():
    documents = {"https://contracts.example/id": {"type": "string"}, "https://contracts.example/ids": {"items": {"$ref": "id"}}}
    check = compile_schema({"$ref": "https://contracts.example/ids"}, documents)

    assert [(violation.pointer, violation.code) for violation in check(["a", 1])] == [("/1", "type")]


def test_documents_may_not_reference_anything_outside_of_them():
    with pytest.raises(ContractError, match="not among the local documents"):
        compile_schema({}, {"https://contracts.example/id": {"$ref": "https://elsewhere.example/x"}})


def test_a_pattern_that_explodes_elsewhere_takes_linear_time():
    check = compile_schema({"pattern": "^(a+)+$"})
    began = time.process_time()

    assert check("a" * 50_000 + "!")
    assert time.process_time() - began < 2


# ---- differential: the same verdicts as the reference implementation ------------------------------------------------------------

_NAMES = st.sampled_from(["a", "b", "c"])
_NUMBERS = st.integers(-5, 5) | st.decimals(-5, 5, places=1)
_INSTANCES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.text("ab1", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
_SIMPLE = st.one_of(
    st.booleans(),
    st.fixed_dictionaries({"type": st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])}),
    st.fixed_dictionaries(
        {}, optional={"minimum": st.integers(-3, 3), "exclusiveMaximum": st.integers(-3, 3), "multipleOf": st.integers(1, 3)}
    ),
    st.fixed_dictionaries(
        {}, optional={"minLength": st.integers(0, 3), "maxLength": st.integers(0, 3), "pattern": st.sampled_from(["^a", "b$", "[0-9]"])}
    ),
    st.fixed_dictionaries(
        {"enum": st.lists(st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=2), min_size=1, max_size=3)}
    ),
)
_SCHEMAS = st.recursive(
    _SIMPLE,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(_NAMES, inner, max_size=2),
                "required": st.lists(_NAMES, max_size=2, unique=True),
                "additionalProperties": inner,
                "items": inner,
                "prefixItems": st.lists(inner, min_size=1, max_size=2),
                "uniqueItems": st.booleans(),
                "contains": inner,
                "minProperties": st.integers(0, 2),
                "unevaluatedProperties": inner,
            },
        ),
        st.fixed_dictionaries(
            {}, optional={"allOf": st.lists(inner, min_size=1, max_size=2), "anyOf": st.lists(inner, min_size=1, max_size=2)}
        ),
        st.fixed_dictionaries({}, optional={"oneOf": st.lists(inner, min_size=1, max_size=2), "not": inner}),
        st.fixed_dictionaries({"if": inner, "then": inner, "else": inner}),
    ),
    max_leaves=6,
)


def _is_integer(_checker, value):
    """JSON Schema 6.1.1 counts 1.0 among the integers; the reference knows that of floats, and our numbers are Decimals."""
    return not isinstance(value, bool) and isinstance(value, int | float | Decimal) and value == int(value)


_TYPES = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
_REFERENCE = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=_TYPES)


@settings(max_examples=300, deadline=None)
@given(_SCHEMAS, _INSTANCES)
def test_the_verdict_is_that_of_the_reference_implementation(schema, instance):
    violations = compile_schema(schema)(instance)

    assert (not violations) == _REFERENCE(schema).is_valid(instance)
