"""What the hub answers about receipts and mailboxes keeps the contract that it publishes of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from lgsp.config import HOME
from lgsp.contract.openapi.read import read_openapi
from tests.e2e.hub import Running, running_hub
from tests.e2e.test_mailbox import BUNDLE, LAND, TASKS, Party, party

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTRACT = read_openapi(HOME / "contracts" / "hub.yaml", HOME)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    places = {"adapters": BUNDLE / "adapters", "contracts": BUNDLE / "contracts"}
    async with running_hub(tmp_path_factory.mktemp("contract"), **places) as running:
        await running.register()
        yield running


def kept(operation: str, answer: Any) -> bool:
    return answer.status_code == 200 and list(CONTRACT.operations[operation].check_reply(answer.json())) == []


async def test_every_answer_is_as_the_contract_says(hub: Running) -> None:
    land: Party = await party(hub, LAND)
    sent = [await hub.post(TASKS, {"dossier": f"H99.12-{number}", "task": "Xác nhận"}) for number in range(3)]
    ids = [each.json()["id"] for each in sent]

    told = [
        ("listMailbox", await land.ask("GET", "/mailbox")),
        ("showKept", await land.ask("GET", f"/mailbox/{ids[0]}")),
        ("fetchMailbox", await land.ask("POST", "/mailbox/fetches", {"limit": 5})),
        ("listMailbox", await land.ask("GET", "/mailbox")),
        ("confirmKept", await land.ask("POST", f"/mailbox/{ids[0]}/confirmation", {"reply": {"result": "Đủ điều kiện"}})),
        ("refuseKept", await land.ask("POST", f"/mailbox/{ids[1]}/refusal", {"reason": "Không thuộc địa bàn"})),
    ]
    paths = [("showReceipt", f"/receipts/{message_id}") for message_id in ids] + [("listReceipts", "/receipts")]
    told += [(name, await hub.client.get(hub.data + path, headers=hub.headers)) for name, path in paths]

    assert [(name, answer.text) for name, answer in told if not kept(name, answer)] == []
    assert {name for name, _ in told} == set(CONTRACT.operations)
