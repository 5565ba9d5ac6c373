"""The golden examples of every adapter, both ways, by the compiled adapters; one test an example."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from lgsp.contract.adapter.check import compile_adapter
from lgsp.contract.adapter.golden import Example

ROOT = Path(__file__).parents[2]
REQUESTS = sorted((ROOT / "adapters").glob("*/examples/*.request.json"))


@cache
def operations(adapter):
    _, services = compile_adapter(ROOT / "adapters" / adapter, ROOT / "contracts")
    return [operation for service in services for operation in service.operations]


@pytest.mark.parametrize("request_file", REQUESTS, ids=[f"{path.parents[1].name}/{path.name.split('.')[0]}" for path in REQUESTS])
def test_an_example_comes_out_as_its_files_say(request_file):
    example = Example(request_file)

    differences = [example.difference(example.play(each), each) for each in example.meant(operations(request_file.parents[1].name))]

    assert "" in differences


def test_a_length_limit_of_the_portal_is_told_at_our_own_field():
    example = Example(ROOT / "adapters" / "national_portal" / "examples" / "official_name_too_long.request.json")
    update = next(operation for operation in operations("national_portal") if operation.name == "updateProgress")

    played = example.play(update)

    assert (played.slug, played.pointers) == ("native-invalid", ("/official",))


def test_every_adapter_has_an_answer_and_a_refusal_among_its_examples():
    for folder in {path.parent for path in REQUESTS}:
        assert list(folder.glob("*.reply.json"))
        assert list(folder.glob("*.problem.json"))


@pytest.mark.parametrize("adapter", ["population", "national_portal"])
def test_the_first_step_never_sends_what_the_provider_would_refuse(adapter):
    for path in (path for path in REQUESTS if path.parents[1].name == adapter):
        example = Example(path)
        for operation in example.meant(operations(adapter)):
            if operation.check_request(example.request):
                continue
            native = operation.calls[0].to_native(example.scope())
            if operation.provider.auth.session is not None:
                native[operation.provider.auth.session.sends] = "any"
            assert operation.calls[0].wire.write(native)[1] == [] or path.with_name(path.name.replace("request", "problem")).exists()
