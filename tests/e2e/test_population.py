"""Citizens looked up through the hub, REST to SOAP, against the population twin: its scenarios and its faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lgsp.config import HOME
from tests.e2e.hub import Running, example

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOKUPS = "/citizens/1/lookups"
EXAMPLES = HOME / "adapters" / "population" / "examples"
WITH_REPLY = sorted(path.name.removesuffix(".reply.json") for path in EXAMPLES.glob("*.reply.json"))
WITH_PROBLEM = sorted(path.name.removesuffix(".problem.json") for path in EXAMPLES.glob("*.problem.json"))


def kept(kind: str, name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.{kind}.json").read_text(encoding="utf-8"))


async def test_a_citizen_is_found(hub: Running) -> None:
    answer = await hub.post(LOOKUPS, example("population", "found"))

    assert answer.status_code == 200
    assert answer.json() == kept("reply", "found")
    assert answer.headers["ratelimit-policy"] == '"default";q=600;w=60'


@pytest.mark.parametrize("name", ["only_the_year_is_known", "name_in_decomposed_letters", "two_share_an_old_number", "nobody_found"])
async def test_the_scenarios_answer_as_their_examples_say(hub: Running, name: str) -> None:
    answer = await hub.post(LOOKUPS, example("population", name))

    assert (answer.status_code, answer.json()) == (200, kept("reply", name))


@pytest.mark.parametrize("name", ["fault_in_200", "reply_breaks_its_schema", "both_numbers", "eleven_digits"])
async def test_a_broken_answer_is_a_problem_with_blame(hub: Running, name: str) -> None:
    answer = await hub.post(LOOKUPS, example("population", name))

    expected = kept("problem", name)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (expected["status"], expected["slug"])


@pytest.mark.parametrize(
    ("fault", "status", "slug"),
    [
        ({"kind": "drop"}, 502, "provider-cut"),
        ({"kind": "empty"}, 502, "provider-not-understood"),
        ({"kind": "html502", "count": 1}, 502, "provider-failed"),
        ({"kind": "status", "status": 503}, 503, "provider-busy"),
    ],
)
async def test_each_failure_of_the_provider_has_its_own_problem(hub: Running, fault: dict[str, Any], status: int, slug: str) -> None:
    await hub.fault("population", **{"count": 1, **fault})

    answer = await hub.post(LOOKUPS, example("population", "found"))

    problem = answer.json()
    assert (answer.status_code, problem["type"].rpartition("/")[2], problem["retryable"]) == (status, slug, True)
    assert problem["blame"] in {"national", "network"}


async def test_a_provider_that_is_not_there_is_unreachable(hub: Running) -> None:
    await hub.fault("population", kind="down", seconds=1)

    answer = await hub.post(LOOKUPS, example("population", "found"))

    assert answer.status_code in {502, 503}
    assert answer.json()["blame"] == "network"


async def test_the_callers_trace_goes_through(hub: Running) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    answer = await hub.post(LOOKUPS, {}, traceparent=trace)

    assert answer.json()["traceId"] == "0af7651916cd43dd8448eb211c80319c"


async def test_no_identifier_of_a_person_stands_in_the_log(hub: Running) -> None:
    answer = await hub.post(LOOKUPS, example("population", "found"))

    entries = await hub.hub.office.inspection.timeline(answer.headers["lgsp-message-id"])
    assert [entry.event for entry in entries] == ["opened", "closed"]
    assert "099090000001" not in repr(entries)
