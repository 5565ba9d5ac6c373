"""Callbacks: which addresses may be registered, what is sent there, how it is signed, and what its answers mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from pathlib import Path

import pytest

from lgsp import exchange
from lgsp.acts import callback, register
from lgsp.codec import json
from lgsp.contract.openapi.read import read_openapi
from lgsp.drivers.channels import ChannelCatalogue, with_channels
from lgsp.drivers.memory import MemoryStore
from lgsp.drivers.outbound.callback import judge_callback
from lgsp.drivers.outbound.connection import Answer
from lgsp.errors import Fault, Unreachable
from lgsp.model.agreed import Pattern
from lgsp.model.catalogue import Catalogue
from lgsp.model.happening import State
from lgsp.model.parties import HUB, Callback, SubsystemId
from lgsp.policy.signature import shown, signature_headers
from lgsp.schema import compile_schema
from lgsp.stages.notify import notify
from tests.unit.office import NOW, make_office
from tests.unit.small_hub import DESK, OPERATION, SmallHub

SECRET = bytes(range(32))
ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SCHEMAS = read_openapi(ROOT / "contracts" / "hub.yaml", ROOT).document["components"]["schemas"]
EVENT = compile_schema({**SCHEMAS["Event"], "properties": SCHEMAS["Event"]["properties"] | {"time": SCHEMAS["Moment"]}})


def readers_check():
    """The receiver's check as the README shows it."""
    code = re.search(r"```python\n(def is_from_hub.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    names = {"base64": base64, "hashlib": hashlib, "hmac": hmac}
    exec(code, names)  # noqa: S102 -- the README's own lines are what is tested
    return names["is_from_hub"]


def headers(body: bytes, at: float = NOW, secrets=((SECRET, float("inf")),)) -> dict[str, str]:
    return dict(signature_headers(secrets, "0190-id", at, body))


def test_what_the_hub_signs_passes_the_check_that_the_readme_gives() -> None:
    body = '{"trạng thái":"đã giao"}'.encode()

    assert readers_check()(shown(SECRET), headers(body), body, NOW + 5) is True


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"Webhook-Id": "0190-other"}, NOW),
        ({"Webhook-Timestamp": str(int(NOW) + 1)}, NOW),
        ({"Webhook-Signature": "v1,AAAA"}, NOW),
        ({}, NOW + 301),
        ({}, NOW - 301),
    ],
)
def test_what_was_changed_or_is_old_does_not_pass(change, at) -> None:
    body = b"{}"

    assert readers_check()(shown(SECRET), headers(body) | change, body, at) is False
    assert readers_check()(shown(SECRET), headers(body), b"{ }", NOW) is False


def test_the_former_secret_signs_beside_the_new_one_until_its_end() -> None:
    secrets = ((b"n" * 32, float("inf")), (SECRET, NOW + 10))

    early, late = headers(b"{}", NOW, secrets), headers(b"{}", NOW + 10, secrets)

    assert (early["Webhook-Signature"].count("v1,"), late["Webhook-Signature"].count("v1,")) == (2, 1)
    assert readers_check()(shown(SECRET), early, b"{}", NOW) is True
    assert readers_check()(shown(SECRET), late, b"{}", NOW + 10) is False


@pytest.mark.parametrize(
    "url",
    [
        "https://motcua.h99.example/lgsp",
        "https://10.20.30.40:8443/nhan?nguon=lgsp",
        "https://[fd00::12]/x",
    ],
)
def test_an_address_of_another_machine_may_be_registered(url) -> None:
    assert callback.unfit(url, plain_http=False) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://motcua.h99.example/",
        "ftp://motcua.h99.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost:8443/",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://user:secret@motcua.h99.example/",
        "https://motcua.h99.example/#x",
        "https://motcua.h99.example/a b",
        "https://",
        "https://motcua.h99.example:99999/",
        "file:///etc/passwd",
    ],
)
def test_what_must_not_be_called_cannot_be_registered(url) -> None:
    assert callback.unfit(url, plain_http=False)


def test_plain_http_and_this_machine_are_for_development_only() -> None:
    assert callback.unfit("http://127.0.0.1:9000/x", plain_http=True) == ""
    assert callback.unfit("ftp://127.0.0.1/x", plain_http=True)


async def test_the_secret_is_shown_when_it_is_made_and_never_again() -> None:
    office = make_office(MemoryStore(lambda: NOW))
    credential = await register.add_consumer(office, DESK, "Một cửa", "an")

    first = await callback.set_callback(office, credential.client_id, "https://motcua.h99.example/", "vi", "an")
    moved = await callback.set_callback(office, credential.client_id, "https://moi.h99.example/", "en", "an")
    renewed = await callback.renew_secret(office, credential.client_id, "an")

    assert first.secret.startswith("whsec_")
    assert (moved.secret, moved.url) == (None, "https://moi.h99.example/")
    assert renewed.secret not in {first.secret, None}
    assert first.secret not in repr(first)
    with pytest.raises(Fault, match="not-found"):
        await callback.set_callback(office, "nobody", "https://motcua.h99.example/", "vi", "an")


@pytest.mark.parametrize(
    ("status", "slug"), [(302, "provider-failed"), (404, "provider-failed"), (500, "provider-failed"), (429, "provider-busy")]
)
def test_whatever_is_no_success_is_tried_again(status, slug) -> None:
    judge_callback(Answer(204, {}, b""))

    with pytest.raises(Fault) as refused:
        judge_callback(Answer(status, {"retry-after": "7"}, b""))

    assert (refused.value.slug, refused.value.retryable) == (slug, True)


class CallbackHub(SmallHub):
    """A small hub whose one-way consumer registered an address; `failing` says whether the receiver is away."""

    failing = False

    async def open(self):
        self.operation, self.answer = OPERATION.__class__(**{**fields(OPERATION), "pattern": Pattern.ONE_WAY}), self.receive
        await super().open()
        self.address = Callback(DESK, "https://motcua.h99.example/", "en", ((SECRET, float("inf")),))
        await self.store.set_callback(self.address, "an", self.now)
        object.__setattr__(self.ports, "catalogue", ChannelCatalogue(self.ports.catalogue, self.store, "https://hub.example"))
        return self

    async def receive(self, call, native):
        if call.name == "event" and self.failing:
            raise Unreachable("provider-unreachable")
        return native

    async def tell(self) -> int:
        found = [await notify(self.address, since, self.ports) for _, since in await self.store.behind()]
        return sum(found)

    async def call_back(self):
        claimed = await self.store.claim("callback:VN:GOV:H99:onestop", 10, self.now, 30.0)
        return [await exchange.deliver_due(due, self.ports) for due in claimed]

    def events(self):
        return [native for _, name, native in self.outbound.calls if name == "event"]


def fields(value):
    return {name: getattr(value, name) for name in value.__slots__}


async def test_a_settled_message_becomes_a_cloudevent_with_its_receipt() -> None:
    hub = await CallbackHub().open()
    message_id = json.decode((await hub.carry()).body)["id"]
    await hub.deliver()

    told = await hub.tell(), await hub.tell()
    await hub.call_back()

    (event,) = hub.events()
    assert list(EVENT(event)) == []
    assert told == (1, 0)
    assert event["data"]["reply"] == {"name": "Nguyễn Văn An"}
    assert {name: event[name] for name in ("specversion", "source", "type", "subject", "datacontenttype", "sequence")} == {
        "specversion": "1.0",
        "source": "https://hub.example",
        "type": "lgsp.receipt.delivered",
        "subject": message_id,
        "datacontenttype": "application/json",
        "sequence": "1",
    }


async def test_a_receiver_that_is_away_gets_the_same_event_later_and_holds_up_nobody() -> None:
    hub = await CallbackHub().open()
    hub.failing = True
    for _ in range(2):
        await hub.carry()
    await hub.deliver()
    await hub.tell()

    await hub.call_back()
    first = [event["id"] for event in hub.events()]
    await hub.carry()
    delivered = await hub.deliver()
    hub.failing, hub.now = False, hub.now + 60
    await hub.call_back()

    assert delivered == [True]
    assert sorted(event["id"] for event in hub.events()[2:]) == sorted(first)
    states = {(await hub.store.receipt(message_id, HUB)).state for message_id in first}
    assert states == {State.DELIVERED}


async def test_what_is_owed_to_an_address_that_was_removed_comes_to_rest() -> None:
    hub = await CallbackHub().open()
    await hub.carry()
    await hub.deliver()
    await hub.tell()

    await hub.store.remove_callback(DESK, "an", hub.now)
    await hub.call_back()

    (group,) = await hub.store.dead(5)
    assert (group.provider, group.cause, hub.events()) == ("callback:VN:GOV:H99:onestop", "operation-withdrawn", [])


def test_each_address_is_a_provider_of_its_own() -> None:
    addresses = [Callback(SubsystemId(f"VN/GOV/H99/{name}"), f"https://{name}.example/", "vi", ()) for name in ("land", "onestop")]

    found = with_channels(Catalogue([], [], ""), addresses, (), "https://hub.example")

    assert {code: provider.address for code, provider in found.providers.items()} == {
        "callback:VN:GOV:H99:land": "https://land.example/",
        "callback:VN:GOV:H99:onestop": "https://onestop.example/",
    }
    assert found.services == {}
