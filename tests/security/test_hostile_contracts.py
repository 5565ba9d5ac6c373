"""Contracts that want to run, to fetch, to fill memory or never to end (SECURITY rows S11, S12): refused with place and reason, in time."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lgsp.contract.adding.add import add
from lgsp.contract.bridge.draft import Wish
from lgsp.contract.openapi.read import read_openapi
from lgsp.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.errors import Finding
    from tests.security.canary import Listener

QUICK_S = 5.0
REFERENCE = "#/components/schemas/"
HEAD = """openapi: 3.1.0
info: {title: Tra cứu, version: 1.0.0}
paths:
  /a:
    post:
      operationId: a
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}
      responses: {'200': {description: x, content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}}
components:
  schemas:
"""


def with_schemas(**schemas: Any) -> str:
    return HEAD + "".join(f"    {name}: {json.dumps(schema)}\n" for name, schema in schemas.items())


def to(name: str) -> Mapping[str, str]:
    return {"$ref": REFERENCE + name}


def doubling(make: Callable[[str], Any], steps: int) -> str:
    """Each schema names the next one twice."""
    return with_schemas(S=to("S0"), **{f"S{place}": make(f"S{place + 1}") for place in range(steps)}, **{f"S{steps}": {"type": "string"}})


def refused(text: str, folder: Path, name: str = "hop_dong.yaml") -> Sequence[Finding]:
    """The findings, told in time; nothing is written."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    begun = time.process_time()
    with pytest.raises(ContractError) as caught:
        add(path, Wish(data_class="", whole=False), (folder / "adapters", folder / "contracts"))
    assert time.process_time() - begun < QUICK_S
    assert [each.name for each in folder.iterdir()] == [name]
    return caught.value.findings


def endured(text: str, folder: Path) -> None:
    """What asks for too much only when a value is invented is added in time, without that value."""
    path = folder / "hop_dong.yaml"
    path.write_text(text, encoding="utf-8")
    begun = time.process_time()
    add(path, Wish(data_class="", whole=False), (folder / "adapters", folder / "contracts"))
    assert time.process_time() - begun < QUICK_S


NEVER = {
    "a circle of references": (with_schemas(S=to("B"), B=to("S")), "/components/schemas/S"),
    "a circle of allOf": (with_schemas(S={"allOf": [to("S")]}), "/components/schemas/S"),
    "a circle of not": (with_schemas(S={"not": to("S")}), "/components/schemas/S"),
    "a dynamic reference": (with_schemas(S={"$dynamicRef": "#x", "$defs": {"a": {"$dynamicAnchor": "x"}}}), "/components/schemas/S"),
    "oneOf doubled": (doubling(lambda name: {"oneOf": [to(name), to(name)]}, 40), "/components/schemas/S"),
    "anyOf doubled": (doubling(lambda name: {"anyOf": [to(name), {"not": to(name)}]}, 40), "/components/schemas/S"),
    "allOf doubled": (doubling(lambda name: {"allOf": [to(name), to(name)]}, 40), "/components/schemas/S"),
    "a repetition of repetitions": (
        with_schemas(S={"type": "string", "pattern": "((a{1000}){1000}){1000}"}),
        "/components/schemas/S/pattern",
    ),
    "look-around": (with_schemas(S={"type": "string", "pattern": "^(?=(a+)+$)"}), "/components/schemas/S/pattern"),
    "a back-reference": (with_schemas(S={"type": "string", "pattern": "^(a*)*\\1$"}), "/components/schemas/S/pattern"),
    "parentheses without end": (with_schemas(S={"type": "string", "pattern": "(" * 5000}), "/components/schemas/S/pattern"),
    "ten thousand levels": (HEAD + "    S: " + "{properties: {x: " * 10_000 + "{}" + "}}" * 10_000 + "\n", "/components/schemas/S"),
    "a thousand operations": (
        "openapi: 3.1.0\ninfo: {title: T, version: 1.0.0}\npaths:\n"
        + "".join(f"  /a{place}: {{get: {{responses: {{'200': {{description: x}}}}}}}}\n" for place in range(1000)),
        "/paths",
    ),
    "doubled operationIds": (
        HEAD.replace("  /a:", "  /b: {get: {operationId: a, responses: {'200': {description: x}}}}\n  /a:") + "    S: {}\n",
        "/paths",
    ),
    "doubled keys": (HEAD + "    S: {}\n    S: {type: string}\n", "/components/schemas/S"),
    "a tag that calls": (HEAD + "    S: !!python/object/apply:os.system ['touch run']\n", "/components/schemas/S"),
    "an object of Python": (HEAD + "    S: !!python/name:os.system\n", "/components/schemas/S"),
    "a merge key": (HEAD + "    S: {<<: {type: string}}\n", "/components/schemas/S"),
    "OpenAPI 3.2": (HEAD.replace("3.1.0", "3.2.0") + "    S: {}\n", "/openapi"),
    "OpenAPI without a patch": (HEAD.replace("3.1.0", "3.1") + "    S: {}\n", "/openapi"),
    "Swagger 1.2": (HEAD.replace("openapi: 3.1.0", "swagger: '1.2'") + "    S: {}\n", "/openapi"),
    "no contract at all": ("a: 1\n", ""),
    "nothing": ("", ""),
    "five megabytes": (HEAD + "    S: {}\n#" + "x" * (5 << 20), ""),
}


@pytest.mark.parametrize("name", NEVER)
def test_it_is_refused_in_time_with_its_place_and_reason(name: str, tmp_path: Path, uncalled: Listener) -> None:  # noqa: ARG001
    text, place = NEVER[name]

    found = refused(text, tmp_path)

    assert any(finding.pointer.startswith(place) and finding.reason for finding in found)
    assert place in {"", "/openapi"} or found[0].line > 0


def test_a_template_in_a_title_is_refused_and_never_run(tmp_path: Path) -> None:
    for place, text in enumerate(
        ("{{ cycler.__init__.__globals__.os.popen('touch run') }}", "{% include '/etc/passwd' %}", "<%= `touch run` %>")
    ):
        folder = tmp_path / str(place)
        folder.mkdir()

        (finding,) = refused(HEAD.replace("title: Tra cứu", f'title: "{text}"') + "    S: {}\n", folder)

        assert (finding.pointer, finding.rule, finding.line) == ("/info/title", "template", 2)
    assert not Path("run").exists()


REMOTE = [
    "{canary}/x.yaml",
    "file:///etc/passwd",
    "../outside.yaml",
    "//127.0.0.1/x",
    "/etc/passwd",
    "ftp://127.0.0.1/x",
    "..%2foutside.yaml",
]
SPOTS = {
    "path": "  /b: {{$ref: '{0}'}}\n",
    "parameter": "  /b: {{get: {{parameters: [{{$ref: '{0}'}}], responses: {{'200': {{description: x}}}}}}}}\n",
    "body": "  /b: {{post: {{requestBody: {{$ref: '{0}'}}, responses: {{'200': {{description: x}}}}}}}}\n",
    "answer": "  /b: {{get: {{responses: {{'200': {{$ref: '{0}'}}}}}}}}\n",
    "header": "  /b: {{get: {{responses: {{'200': {{description: x, headers: {{X: {{$ref: '{0}'}}}}}}}}}}}}\n",
    "example": "  /b: {{post: {{requestBody: {{content: {{application/json: {{schema: {{}}, examples: {{e: {{$ref: '{0}'}}}}}}}}}}}}}}\n",
    "link": "  /b: {{get: {{responses: {{'200': {{description: x, links: {{l: {{$ref: '{0}'}}}}}}}}}}}}\n",
    "callback": "  /b: {{post: {{callbacks: {{c: {{$ref: '{0}'}}}}, responses: {{'200': {{description: x}}}}}}}}\n",
}


@pytest.mark.parametrize("spot", SPOTS)
def test_no_part_of_a_contract_is_fetched_from_elsewhere(spot: str, tmp_path: Path, uncalled: Listener) -> None:
    (tmp_path / "outside.yaml").write_text("description: secret\n", encoding="utf-8")
    for place, address in enumerate(REMOTE):
        folder = tmp_path / str(place)
        folder.mkdir()
        text = HEAD.replace("  /a:", SPOTS[spot].format(address.format(canary=uncalled.address)) + "  /a:") + "    S: {}\n"

        found = refused(text, folder)

        assert {(finding.rule, finding.pointer.endswith("/$ref"), finding.line > 0) for finding in found} == {("reference", True, True)}


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret.yaml").write_text("type: string\ndescription: secret\n", encoding="utf-8")
    (folder / "chung.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "hop_dong.yaml").write_text(HEAD + "    S: {$ref: chung.yaml}\n", encoding="utf-8")

    with pytest.raises(ContractError, match="leads out of the contracts"):
        read_openapi(folder / "hop_dong.yaml")


GREEDY = {
    "a billion items": with_schemas(S={"type": "array", "minItems": 1_000_000_000, "items": {"type": "string"}}),
    "a billion letters": with_schemas(S={"type": "string", "minLength": 1_000_000_000}),
    "a billion members": with_schemas(S={"type": "object", "minProperties": 1_000_000_000}),
    "stars of stars": with_schemas(S={"type": "string", "pattern": "^(((((a*)*)*)*)*)*$"}),
    "lists of lists": with_schemas(
        S=to("S0"),
        **{f"S{place}": {"type": "array", "minItems": 10, "items": to(f"S{place + 1}")} for place in range(9)},
        S9={"type": "string"},
    ),
    "two by two": doubling(lambda name: {"type": "object", "required": ["x", "y"], "properties": {"x": to(name), "y": to(name)}}, 40),
    "required for ever": with_schemas(S={"type": "object", "required": ["x"], "properties": {"x": to("S")}}),
    "a number of three thousand digits": with_schemas(S={"type": "integer", "minimum": 10**3000}),
}


@pytest.mark.parametrize("name", GREEDY)
def test_what_no_memory_could_hold_is_not_invented(name: str, tmp_path: Path) -> None:
    endured(GREEDY[name], tmp_path)


def test_a_bomb_of_aliases_is_refused_where_it_would_burst(tmp_path: Path) -> None:
    layers = "".join(f"x-{place}: &l{place} [{', '.join([f'*l{place - 1}'] * 9)}]\n" for place in range(1, 9))

    (finding,) = refused(f"openapi: 3.1.0\ninfo: {{title: T, version: 1.0.0}}\nx-0: &l0 [a]\n{layers}paths: {{}}\n", tmp_path)

    assert (finding.rule, finding.line > 3) == ("yaml", True)


def test_a_zip_that_would_not_fit_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    for name, entries in (("large.zip", {"a.yaml": b"0" * (64 << 20)}), ("many.zip", {f"{place}.yaml": b"a: 1" for place in range(3000)})):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for each, content in entries.items():
                archive.writestr(each, content)
        begun = time.process_time()

        with pytest.raises(ContractError) as caught:
            add(tmp_path / name, Wish(data_class="", whole=False), (tmp_path / "adapters", tmp_path / "contracts"))

        assert {finding.rule for finding in caught.value.findings} <= {"file-too-large", "too-many-files"}
        assert time.process_time() - begun < QUICK_S
