"""What a bad sender gets from the data plane over real sockets: its own problem with place and blame, never a 500, never half a message."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.hub import Running, example

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOKUPS = "/citizens/1/lookups"
FOUND = example("population", "found")


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("body", "changes", "status", "slug"),
    [
        (b"{", {}, 400, "malformed-body"),
        (b"", {}, 400, "malformed-body"),
        (b"\xff\xfe{}", {}, 400, "malformed-body"),
        (b'{"full_name": NaN}', {}, 400, "malformed-body"),
        (b'{"full_name": "a", "full_name": "b"}', {}, 400, "malformed-body"),
        (deep(100_000), {}, 400, "malformed-body"),
        (b'{"full_name": ' + b"9" * 10_000 + b"}", {}, 400, "malformed-body"),
        ({**FOUND, "birth_date": 10**400}, {}, 422, "body-invalid"),
        ({**FOUND, "nickname": "An"}, {}, 422, "body-invalid"),
        ([], {}, 422, "body-invalid"),
        (FOUND, {"Content_Type": "text/plain"}, 415, "media-type-unsupported"),
        (FOUND, {"Content_Type": ""}, 415, "media-type-unsupported"),
        (FOUND, {"Lgsp_Purpose": ""}, 400, "purpose-missing"),
        (FOUND, {"Lgsp_Official": ""}, 400, "purpose-missing"),
        (FOUND, {"Lgsp_Purpose": "curiosity"}, 403, "purpose-not-allowed"),
        (FOUND, {"Authorization": ""}, 401, "token-missing"),
        (FOUND, {"Authorization": "Bearer nonsense"}, 401, "token-invalid"),
        (FOUND, {"Authorization": "Bearer a.b.c"}, 401, "token-invalid"),
        (FOUND, {"Authorization": "Basic dXNlcjpwYXNz"}, 401, "token-missing"),
        (b"x" * (2 << 20), {}, 413, "body-too-large"),
        (FOUND, {"Idempotency_Key": "x" * 10_000}, 400, "idempotency-key-invalid"),
    ],
)
async def test_each_mistake_has_its_own_problem(hub: Running, body: Any, changes: dict[str, str], status: int, slug: str) -> None:
    answer = await hub.post(LOOKUPS, body, **changes)

    problem = answer.json()
    assert (answer.status_code, problem["type"].rpartition("/")[2]) == (status, slug)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["blame"], problem["retryable"]) == ("consumer", False)


async def test_a_problem_names_each_place_without_its_value_and_in_the_callers_language(hub: Running) -> None:
    body = {"citizen_id": "0990900", "full_name": "Nguyễn Văn An", "birth_date": "17/05/1990", "nickname": "Tèo"}

    vi = await hub.post(LOOKUPS, body)
    en = await hub.post(LOOKUPS, body, Accept_Language="fr, en;q=0.8")

    assert {place["pointer"] for place in vi.json()["errors"]} >= {"/citizen_id", "/birth_date"}
    assert not any(value in vi.text for value in ("0990900", "17/05/1990", "Tèo"))
    assert (vi.headers["content-language"], en.headers["content-language"]) == ("vi", "en")
    assert en.json()["title"] == "The body breaks the contract"


@pytest.mark.parametrize(
    "path", ["/citizens/2/lookups", "/citizens/1", "/", "/citizens/1/lookups/", "/citizens//1/lookups", "/citizens/1/%6cookups%2f"]
)
async def test_an_unknown_path_is_not_found(hub: Running, path: str) -> None:
    assert (await hub.post(path, FOUND)).status_code == 404


async def test_a_wrong_method_is_told_the_right_one(hub: Running) -> None:
    answer = await hub.client.get(hub.data + LOOKUPS, headers=hub.headers)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(hub: Running) -> None:
    host, port = hub.data.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {LOOKUPS} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nContent-Length: 9999999999\r\n\r\n".encode())
    await writer.drain()

    answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)

    assert b" 413 " in answer
    writer.close()


async def test_an_endless_chunked_body_is_cut_off(hub: Running) -> None:
    async def endless() -> Any:
        for _ in range(4096):
            yield b" " * 1024

    answer = await hub.client.post(hub.data + LOOKUPS, content=endless(), headers={**hub.headers, "Content-Type": "application/json"})

    assert answer.status_code == 413


async def test_no_case_of_the_json_test_suite_is_a_server_error_and_every_n_case_is_refused(hub: Running, corpora: Path) -> None:
    cases = sorted((corpora / "json-test-suite" / "test_parsing").glob("*.json"))

    answers = {case.name: (await hub.post(LOOKUPS, case.read_bytes())).status_code for case in cases}

    assert len(cases) > 300
    assert {name: status for name, status in answers.items() if status >= 500} == {}
    assert {name: status for name, status in answers.items() if name.startswith("n_") and not 400 <= status < 500} == {}


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        (b"grant_type=password&username=a", 400, "unsupported_grant_type"),
        (b"grant_type=client_credentials", 401, "invalid_client"),
        (b"grant_type=client_credentials&client_id=x&client_secret=y", 401, "invalid_client"),
        (b"grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request"),
        (b"\xff", 400, "invalid_request"),
    ],
)
async def test_the_token_endpoint_refuses_in_the_words_of_oauth(hub: Running, form: bytes, status: int, error: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await hub.client.post(f"{hub.data}/token", content=form, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_the_token_endpoint_takes_basic_or_form(hub: Running) -> None:
    form = {"grant_type": "client_credentials", "client_id": hub.client_id, "client_secret": hub.client_secret}

    answer = await hub.client.post(f"{hub.data}/token", data=form)

    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_suspended_consumers_token_ends_at_once(hub: Running) -> None:
    office = hub.hub.office
    await office.register.set_active(hub.client_id, "test", office.now(), active=False)
    await hub.hub.store.refresh()

    answer = await hub.post(LOOKUPS, FOUND)

    await office.register.set_active(hub.client_id, "test", office.now(), active=True)
    await hub.hub.store.refresh()
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (401, "consumer-unknown")


async def test_nothing_of_all_this_left_a_half_written_message(hub: Running) -> None:
    backlog = await hub.hub.office.inspection.backlog()

    assert all(count == 0 for provider in backlog for count in provider.states.values())
    assert json.dumps(await hub.ledger("national_portal")) == "[]"
