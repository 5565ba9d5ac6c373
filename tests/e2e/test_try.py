"""`lgsp try` against a whole hub: token, call, answer, and a curl line that does the same."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING, Any

import pytest

from lgsp.acts.explain import explain

if TYPE_CHECKING:
    from tests.e2e.hub import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def lgsp_try(hub: Running, *words: str, secret: str = "") -> tuple[int, str, str]:
    """Run in a process of its own: the hub of this test writes its log to our standard output."""
    options = ("--gateway", hub.data, "--client-id", hub.client_id, "--client-secret", secret or hub.client_secret)
    command = (sys.executable, "-m", "lgsp", "--hub", hub.admin, "try", *words, *options)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    output, complaint = await process.communicate()
    return process.returncode or 0, output.decode(), complaint.decode()


async def tried(hub: Running, *words: str) -> dict[str, Any]:
    code, output, complaint = await lgsp_try(hub, *words, "-p", "receive-dossier", "--json")
    assert code == 0, complaint + output
    found: dict[str, Any] = json.loads(output)
    return found


async def test_a_look_up_is_tried_with_the_first_example_that_ends_in_a_reply(hub: Running) -> None:
    found = await tried(hub, "citizens")

    assert found["answer"]["status"] == 200
    assert "citizens" in found["answer"]["body"]
    assert "To do: Nothing." in await explain(hub.hub.office, found["answer"]["headers"]["lgsp-message-id"], "en")


async def test_an_operation_and_an_example_may_be_named(hub: Running) -> None:
    found = await tried(hub, "dossiers", "-o", "syncDossier", "--example", "new_dossier")

    assert (found["answer"]["status"], found["request"]["url"]) == (202, f"{hub.data}/dossiers/1/dossiers")
    assert found["answer"]["headers"]["location"].startswith("/receipts/")


async def test_the_curl_lines_do_the_same(hub: Running) -> None:
    curl = (await tried(hub, "citizens"))["curl"]
    credential = f"export LGSP_CLIENT_ID={hub.client_id} LGSP_CLIENT_SECRET={hub.client_secret}"

    process = await asyncio.create_subprocess_shell(f"{credential}\n{curl}", stdout=PIPE)
    output, _ = await process.communicate()

    assert "citizens" in json.loads(output)


async def test_a_wrong_secret_and_a_refusal_end_with_exit_code_1(hub: Running) -> None:
    wrong = await lgsp_try(hub, "citizens", secret="wrong")
    refused = await lgsp_try(hub, "citizens", "-p", "curiosity")

    assert (wrong[0], refused[0]) == (1, 1)
    assert "/token: HTTP 401" in wrong[2]
    assert "/problems/purpose-not-allowed" in refused[1]
