"""Unknown outcomes and replay runs at the management door: what is asked, what is answered, and whose act it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from lgsp.cli import app
from lgsp.model.happening import State
from tests.e2e.management_door import Hub, listening_hub
from tests.unit.office import PASSWORD
from tests.unit.test_acts_at_rest import at_rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[Hub]:
    async with listening_hub() as listening:
        yield listening


async def test_one_unknown_outcome_is_listed_decided_and_left_with_its_author(hub: Hub) -> None:
    (message_id,) = await at_rest(hub.store, State.UNKNOWN)

    _, (group,), _ = await hub.ask("GET", "/unknown", "auditor")
    body = {"decision": "again", "reason": "not in their ledger"}
    status, decided, _ = await hub.ask("POST", f"/messages/{message_id}/decisions", "operator", json=body)
    twice, problem, _ = await hub.ask("POST", f"/messages/{message_id}/decisions", "operator", json=body)

    (act,) = [each for each in (await hub.ask("GET", "/acts"))[1] if each["subject"] == message_id]
    assert (group["count"], group["message_ids"]) == (1, [message_id])
    assert (status, decided) == (200, {"message_id": message_id, "provider": "land", "state": "waiting"})
    assert (twice, problem["type"].endswith("/not-unknown")) == (409, True)
    assert (act["author"], act["verb"], act["facts"]) == ("operator", "decide_waiting", {"reason": "not in their ledger"})


async def test_many_are_tried_dry_first(hub: Hub) -> None:
    await at_rest(hub.store, State.UNKNOWN, 3)
    body = {"decision": "dead", "reason": "too late", "filter": {"provider": "land"}}

    _, dry, _ = await hub.ask("POST", "/unknown/decisions", json={**body, "dry_run": True})
    _, done, _ = await hub.ask("POST", "/unknown/decisions", json=body)

    assert (dry["total"], dry["shares"][0]["operation"], done) == (3, "register", {"total": 3})


async def lgsp(hub: Hub, folder: Path, *words: str) -> tuple[int, str]:
    env = {"XDG_CONFIG_HOME": str(folder), "LGSP_HUB": hub.url, "LGSP_USER": "operator", "LGSP_PASSWORD": PASSWORD}
    done = await asyncio.to_thread(CliRunner().invoke, app, ["--lang", "en", *words], env=env)
    return done.exit_code, done.output


async def test_messages_are_taken_back_by_command_with_a_reason_one_or_many_dry_first(hub: Hub, tmp_path: Path) -> None:
    message_id, *_ = await at_rest(hub.store, State.DEAD, 3)

    reasonless, _ = await lgsp(hub, tmp_path, "cancel", message_id)
    one, told = await lgsp(hub, tmp_path, "cancel", message_id, "--reason", "sent by mistake")
    many = ("cancel", "--provider", "land", "--state", "dead", "--reason", "the procedure is void")
    outputs = [(await lgsp(hub, tmp_path, *many, *dry))[1] for dry in (("--dry-run",), ())]
    _, problem, _ = await hub.ask("PUT", f"/messages/{message_id}/state", json={"state": "held", "reason": "too late"})

    assert (reasonless, one, f"{message_id} is cancelled now" in told) == (2, 0, True)
    assert ("2 messages would be cancelled" in outputs[0], "2 messages are cancelled now" in outputs[1]) == (True, True)
    assert problem["type"].endswith("/not-movable")
    assert {owed.state for owed in hub.store._owed.values()} == {State.CANCELLED}


async def test_a_replay_is_planned_begun_paused_and_cancelled(hub: Hub) -> None:
    await at_rest(hub.store, State.DEAD, 4)
    body = {"filter": {"provider": "land", "cause": "provider-failed"}, "rate": 2}

    _, plan, _ = await hub.ask("POST", "/replays", json={**body, "dry_run": True})
    status, run, _ = await hub.ask("POST", "/replays", json=body)
    paused = (await hub.ask("PUT", f"/replays/{run['id']}/state", json={"state": "paused"}))[1]["state"]
    await hub.ask("PUT", f"/replays/{run['id']}/state", json={"state": "cancelled"})
    ended, problem, _ = await hub.ask("PUT", f"/replays/{run['id']}/state", json={"state": "running"})

    _, (listed,), _ = await hub.ask("GET", "/replays", "auditor")
    assert (plan["total"], plan["rate"], "until" in plan) == (4, 2, True)
    assert (status, run["total"], run["filter"], paused) == (201, 4, body["filter"], "paused")
    assert (ended, problem["type"].endswith("/run-ended"), listed["state"]) == (409, True, "cancelled")


@pytest.mark.parametrize(
    "body", [{"filter": {}, "rate": 1}, {"filter": {"since": "2026-11-23T00:00:00Z"}, "rate": 1}, {"filter": {"provider": "x"}, "rate": 0}]
)
async def test_a_replay_of_everything_or_at_no_rate_is_refused(hub: Hub, body: dict[str, object]) -> None:
    assert (await hub.ask("POST", "/replays", json=body))[0] in {400, 422}
