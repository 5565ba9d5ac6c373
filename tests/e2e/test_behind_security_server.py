"""The hub behind an X-Road security server: it names the consumers, headers come back as they came, others are not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from lgsp.codec.xroad import Passport, check_answer, with_header
from lgsp.twin.serve import serving
from tests.e2e.hub import DESK, PURPOSE, Running, example, running_hub
from tests.e2e.soap import ADDRESS, CONTENT_TYPES, SOAP_11, envelope, heard, say
from tests.e2e.test_soap_door import PURPOSE_BLOCK
from tests.ports.security_server import SecurityServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

US = "VN/GOV/H99/truc"
REST_SERVICE, SOAP_SERVICE = f"{US}/tra-cuu", f"{US}/citizenLookup/v1"
PASSPORT = Passport(DESK, SOAP_SERVICE, "ma-so-1", "VN-CB 007", "H99.1-261123-0042")
SLUGS = {name: value for name, value in PURPOSE.items() if name in {"Lgsp-Purpose", "Lgsp-Public-Service"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def behind(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A hub that believes the security server on this machine."""
    async with running_hub(tmp_path_factory.mktemp("hub"), security_servers={"127.0.0.1": ""}) as running:
        await running.register()
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def server(behind: Running) -> AsyncIterator[tuple[SecurityServer, str]]:
    both = {(DESK, REST_SERVICE), (DESK, SOAP_SERVICE), ("VN/GOV/H99/la", REST_SERVICE)}
    found = SecurityServer(behind=f"{behind.data}/citizens/1", rights=both)
    async with serving(found.app()) as address:
        yield found, address


async def ask_rest(behind: Running, address: str, **headers: str) -> Any:
    sent = {"X-Road-Client": DESK, "X-Road-Id": "ma-so-1", **SLUGS, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return await behind.client.post(f"{address}/r1/{REST_SERVICE}/lookups", json=example("population", "found"), headers=sent)


async def test_in_rest_the_x_road_client_is_the_consumer(behind: Running, server: tuple[SecurityServer, str]) -> None:
    answer = await ask_rest(behind, server[1], X_Road_UserId="VN-CB 007", X_Road_Issue="H99.1-261123-0042")

    assert answer.status_code == 200
    assert answer.json()["citizens"][0]["citizen_id"] == "099090000001"
    assert server[0].log[-1]["client"] == DESK


async def test_user_and_issue_complete_the_purpose_and_the_rest_must_be_said(behind: Running, server: tuple[SecurityServer, str]) -> None:
    answer = await ask_rest(behind, server[1])

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (400, "purpose-missing")
    assert "Lgsp-Official, Lgsp-Dossier" in answer.json()["detail"]


async def test_a_client_that_is_not_registered_here_is_unknown(behind: Running, server: tuple[SecurityServer, str]) -> None:
    answer = await ask_rest(behind, server[1], X_Road_Client="VN/GOV/H99/la")

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (401, "consumer-unknown")


async def test_in_soap_the_answer_repeats_the_header_and_passes_the_server(behind: Running, server: tuple[SecurityServer, str]) -> None:
    server[0].behind = behind.data + ADDRESS
    content = with_header(envelope(blocks=PURPOSE_BLOCK).encode(), PASSPORT)

    answer = heard(await behind.client.post(f"{server[1]}/", content=content, headers={"Content-Type": CONTENT_TYPES[SOAP_11]}))

    assert (answer.status, answer.text("citizen_id")) == (200, "099090000001")
    check_answer(content, answer.content)
    assert answer.text("requestHash")


async def test_a_fault_of_the_hub_passes_the_server_too(behind: Running, server: tuple[SecurityServer, str]) -> None:
    server[0].behind = behind.data + ADDRESS
    content = with_header(envelope("<x/>").encode(), PASSPORT)

    answer = heard(await behind.client.post(f"{server[1]}/", content=content, headers={"Content-Type": CONTENT_TYPES[SOAP_11]}))

    assert (answer.status, answer.slug) == (500, "malformed-body")


async def test_a_header_that_names_another_service_than_the_body_is_refused(behind: Running) -> None:
    content = with_header(envelope(blocks=PURPOSE_BLOCK).encode(), Passport(DESK, f"{US}/khac", "ma-so-1"))

    answer = await say(behind, content, Authorization="")

    assert answer.slug == "malformed-body"


async def test_the_word_of_anybody_else_counts_for_nothing(hub: Running) -> None:
    """A hub that knows no security server."""
    sent = {"X-Road-Client": DESK, **PURPOSE}
    rest = await hub.client.post(f"{hub.data}/citizens/1/lookups", json=example("population", "found"), headers=sent)
    soap = await say(hub, with_header(envelope(blocks=PURPOSE_BLOCK).encode(), PASSPORT), Authorization="")

    assert (rest.status_code, rest.json()["type"].rpartition("/")[2]) == (401, "token-missing")
    assert soap.slug == "token-missing"
