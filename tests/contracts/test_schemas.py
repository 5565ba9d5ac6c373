"""Each canonical schema accepts its valid examples and refuses its invalid ones, by the reference implementation of JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

SCHEMAS = Path(__file__).parents[2] / "schemas"
DOCUMENTS = {path.name.removesuffix(".schema.json"): json.loads(path.read_bytes()) for path in SCHEMAS.glob("*.schema.json")}
REGISTRY = Registry().with_resources((document["$id"], Resource.from_contents(document)) for document in DOCUMENTS.values())
VALID = sorted((SCHEMAS / "examples" / "valid").glob("*.json"))
INVALID = sorted((SCHEMAS / "examples" / "invalid").glob("*.json"))


def errors(example: Path) -> list[str]:
    schema = DOCUMENTS[example.name.split(".")[0]]
    validator = Draft202012Validator(schema, registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(json.loads(example.read_bytes()))]


@pytest.mark.parametrize("example", VALID, ids=lambda path: path.stem)
def test_a_valid_example_is_accepted(example):
    assert errors(example) == []


@pytest.mark.parametrize("example", INVALID, ids=lambda path: path.stem)
def test_an_invalid_example_is_refused(example):
    assert errors(example) != []


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_schema_is_well_formed_and_knows_its_own_address(name):
    Draft202012Validator.check_schema(DOCUMENTS[name])

    assert DOCUMENTS[name]["$id"] == f"https://lgsp.example/schemas/{name}.schema.json"


@pytest.mark.parametrize("kind", ["valid", "invalid"])
def test_every_schema_has_an_example_of_each_kind(kind):
    shown = {path.name.split(".")[0] for path in (SCHEMAS / "examples" / kind).glob("*.json")}

    assert shown == set(DOCUMENTS)
