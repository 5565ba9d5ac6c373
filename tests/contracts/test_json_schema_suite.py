"""Our validation agrees with the official JSON Schema test suite: 2020-12, its formats, and draft 4 as far as OpenAPI 3.0 is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.contract.openapi.anatomy import descend
from lgsp.contract.openapi.upgrade import upgrade_schema
from lgsp.errors import ContractError
from lgsp.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# (file, group) -> why it is not ours
EXCLUDED = {
    ("format.json", "*"): "says that a wrong format is only an annotation by default; we assert formats (optional/format agrees in full)",
    ("cross-draft.json", "*"): "a 2020-12 schema that references an older dialect; `read_openapi` refuses other dialects",
}
# draft 4 -> why the file is not part of OpenAPI 3.0 ("Schema Object" lists what is)
NOT_IN_OPENAPI_3_0 = {
    "additionalItems.json": "keyword unknown to 3.0",
    "definitions.json": "keyword unknown to 3.0",
    "dependencies.json": "keyword unknown to 3.0",
    "format.json": "formats are asserted, as above",
    "items.json": "lists of schemas under `items` are unknown to 3.0",
    "patternProperties.json": "keyword unknown to 3.0",
    "ref.json": "references are the bundler's: tests/contracts/test_openapi.py",
    "refRemote.json": "as ref.json",
    "infinite-loop-detection.json": "as ref.json",
}


def _documents(suite: Path) -> dict[str, dict[str, Any]]:
    """The suite's remote schemas, under the addresses that it promises for them."""
    folder = suite / "remotes"
    files = [*(folder / "draft2020-12").rglob("*.json")]
    return {f"http://localhost:1234/{file.relative_to(folder).as_posix()}": json.decode(file.read_bytes()) for file in files}


def _disagreements(
    files: list[Path], documents: dict[str, dict[str, Any]], convert: Callable[[Any], Any]
) -> Iterator[tuple[str, str, str]]:
    for file in files:
        for group in json.decode(file.read_bytes()):
            try:
                check = compile_schema(convert(group["schema"]), documents)
            except ContractError:
                yield file.name, group["description"], "cannot be compiled"
                continue
            for test in group["tests"]:
                if (not check(test["data"])) != test["valid"]:
                    yield file.name, group["description"], test["description"]


def _from_draft_4(schema: Any) -> Any:
    return (
        upgrade_schema(descend(schema, "schema", "", lambda part, _kind, _at: _from_draft_4(part))) if isinstance(schema, dict) else schema
    )


def test_our_verdicts_are_those_of_the_2020_12_suite(corpora):
    suite = corpora / "json-schema-test-suite"
    files = sorted((suite / "tests" / "draft2020-12").rglob("*.json"))

    found = list(_disagreements(files, _documents(suite), lambda schema: schema))

    assert len(files) > 70
    assert [case for case in found if not {(case[0], "*"), case[:2]} & EXCLUDED.keys()] == []
    assert {file for file, _ in EXCLUDED} == {file for file, _, _ in found}


def test_schemas_of_openapi_3_0_mean_in_2020_12_what_they_meant(corpora):
    folder = corpora / "json-schema-test-suite" / "tests" / "draft4"
    files = sorted(file for file in folder.glob("*.json") if file.name not in NOT_IN_OPENAPI_3_0)

    assert len(files) > 15
    # groups "... with an array of items" use a list under `items`, as items.json does
    assert [case for case in _disagreements(files, {}, _from_draft_4) if "array of items" not in case[1]] == []
