"""The official OpenAPI documents: examples are added, checked and answer; the faulty ones are refused with their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lgsp.contract.adapter.folder import read_adapter
from lgsp.contract.adding.add import add
from lgsp.contract.bridge.draft import Wish
from lgsp.errors import ContractError
from lgsp.twin.rest import RestTwin

ROOT = Path(__file__).parents[2]
README = ROOT / "lgsp" / "contract" / "README.md"
MARKS = ("<!-- openapi corpus -->", "<!-- /openapi corpus -->")
FAULTS = {
    "example-examples": ("/components/parameters/animal/example", "`example` beside `examples`"),
    "header-object-allowReserved": ("/components/headers/Style/allowReserved", "`allowReserved` of a header"),
    "invalid_schema_types": ("/components/schemas", "types that JSON Schema does not know"),
    "link-object-no-body": ("/components/links/Link-Object-with-body-property/body", "a field that links do not have"),
    "no_containers": ("/paths", "neither paths nor components nor webhooks"),
    "parameter-object-cookie-form-allowReserved": ("/components/parameters/style_form/allowReserved", "`allowReserved` of a cookie"),
    "parameter-object-header-allowReserved": ("/components/parameters/header/allowReserved", "`allowReserved` of a header parameter"),
    "parameter-object-path-allowReserved": ("/components/parameters/path/allowReserved", "`allowReserved` of a path parameter"),
    "server_enum_empty": ("/servers/0/variables/var/enum", "an empty enum of a server variable"),
    "servers": ("/servers", "servers that are no list"),
    "unknown_container": ("/paths", "none of paths, components, webhooks, but something else"),
}
STRICTER = {
    "json_schema_dialect": ("/components/schemas/WithDollarSchema/$id", "`$id`, `$schema` of another dialect inside of a document"),
    "operation-object-example": ("/paths/~1pets~1{id}/put", "a form that nobody can validate; a path variable that is not declared"),
    "security-scheme-object-examples": ("/components/securitySchemes/external/$ref", "a reference to the network"),
}
"""Sound documents that are refused on purpose."""
NO_OPERATIONS = "there are no operations"


def added(path, to, root=None):
    done = add(path if root is None else root, Wish(data_class="", whole=False), (to / "adapters", to / "contracts"))
    return read_adapter(to / "adapters" / done.draft.name, to / "contracts"), done


def answered(adapter, folder):
    """The operations whose twin answers their golden request by the contract."""
    client = TestClient(RestTwin(adapter.native))
    bound = {**dict.fromkeys(adapter.manifest.uses, "twin-only"), "now_ms": 0, "url": ""}
    headers = {name: value(bound) for name, value in adapter.provider.auth.headers}
    good = []
    for operation in adapter.services[0].operations:
        (sent,) = json.loads((folder / "examples" / f"{operation.name}.native.json").read_text("utf-8"))
        content = (
            {"content": json.dumps(sent["body"]), "headers": {**headers, "Content-Type": "application/json"}} if "body" in sent else {}
        )
        native = adapter.native.operations[sent["call"]]
        answer = client.request(operation.method, sent.get("path", native.path), **{"headers": headers, **content})
        value = answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else None
        if answer.is_success and (native.reply_schema is None or not native.check_reply(value)):
            good.append(operation.name)
    return good


def documents(corpora, kind):
    return sorted((corpora / "openapi" / "oas-schema-tests" / "tests" / "schema" / kind).glob("*.yaml"))


def test_the_official_examples_are_added_pass_check_and_answer(corpora, tmp_path):
    folder = corpora / "openapi" / "learn.openapis.org" / "examples"
    whole = [path for path in sorted(folder.rglob("*.*")) if path.is_file() and not {"petstore-separate", "v3.2"} & {*path.parts}]
    files = [path for path in whole if "webhook" not in path.name and (path.suffix == ".yaml" or "v2.0" in path.parts)]
    found = 0
    for place, path in enumerate(files):
        adapter, done = added(path, tmp_path / str(place))
        good = answered(adapter, tmp_path / str(place) / "adapters" / done.draft.name)

        assert (path.name, good) == (path.name, [operation.name for operation in adapter.services[0].operations])
        found += len(good)
    assert found >= 40


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_an_example_in_several_files_is_added_from_its_folder(corpora, tmp_path, kind):
    folder = corpora / "openapi" / "learn.openapis.org" / "examples" / "v2.0" / kind / "petstore-separate"

    adapter, done = added(None, tmp_path, folder)

    assert len(answered(adapter, tmp_path / "adapters" / done.draft.name)) == 4


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_document_is_refused_with_its_place(corpora, tmp_path, name):
    path = corpora / "openapi" / "oas-schema-tests" / "tests" / "schema" / "fail" / f"{name}.yaml"

    with pytest.raises(ContractError) as caught:
        added(path, tmp_path)

    places = [finding.pointer for finding in caught.value.findings if finding.line > 0 and finding.reason]
    assert [place for place in places if place.startswith(FAULTS[name][0])]


def test_no_faulty_document_is_left_out_of_the_table(corpora):
    assert {path.stem for path in documents(corpora, "fail")} == set(FAULTS)


def test_a_sound_document_is_added_where_it_has_operations_and_refused_for_that_alone_where_it_has_none(corpora, tmp_path):
    outcomes = {path.stem: outcome(path, tmp_path / path.stem) for path in documents(corpora, "pass")}

    assert sum(not found for found in outcomes.values()) >= 8
    refused = {stem: found for stem, found in outcomes.items() if found and stem not in STRICTER}
    assert {finding.reason for found in refused.values() for finding in found} == {NO_OPERATIONS}
    assert [stem for stem, (place, _) in STRICTER.items() if not any(f.pointer.startswith(place) and f.line for f in outcomes[stem])] == []


def test_a_document_without_operations_is_refused_in_words(corpora, tmp_path):
    path = corpora / "openapi" / "learn.openapis.org" / "examples" / "v3.1" / "webhook-example.yaml"

    with pytest.raises(ContractError, match=NO_OPERATIONS):
        added(path, tmp_path)


def outcome(path, to):
    """The findings of a document that is refused; nothing where it is added."""
    try:
        added(path, to)
    except ContractError as error:
        return error.findings
    return ()


def table():
    rows = [*FAULTS.items(), *((f"{name} (sound, refused on purpose)", row) for name, row in STRICTER.items())]
    lines = [f"| `{name}` | `{place}` | {reason} |" for name, (place, reason) in rows]
    return "\n".join(["| document | place | because |", "| --- | --- | --- |", *lines]) + "\n"


def test_the_readme_has_the_table_of_reasons():
    text = README.read_text("utf-8")

    assert text.partition(MARKS[0] + "\n")[2].partition(MARKS[1])[0] == table()
