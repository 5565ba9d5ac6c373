"""The commands against a management door on a real socket: what they do, what they print, and their exit codes."""

from __future__ import annotations

import asyncio
import json
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from lgsp.cli import app
from lgsp.model.agreed import Service
from lgsp.model.catalogue import Catalogue
from lgsp.model.parties import SubsystemId
from tests.e2e.management_door import Hub, listening_hub
from tests.security.pki import pair
from tests.unit.office import PASSWORD
from tests.unit.small_hub import OPERATION, PROVIDER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from click.testing import Result

DESK = "VN/GOV/H99/onestop"
OPERATIONS = (OPERATION, replace(OPERATION, name="register", path="/registers"))
CATALOGUE = Catalogue([Service("parcels", 1, "1.0.0", {"vi": "Thửa đất"}, OPERATIONS, {}, "digest")], [PROVIDER], "digest")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub() -> AsyncIterator[Hub]:
    async with listening_hub(CATALOGUE) as listening:
        yield listening


@pytest.fixture
def lgsp(hub: Hub, tmp_path: Path) -> Callable[..., Any]:
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "LGSP_HUB": hub.url, "LGSP_USER": "admin", "LGSP_PASSWORD": PASSWORD}

    async def run(*words: str, **changes: str | None) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), env={**environment, **changes})

    return run


async def test_a_consumer_is_added_and_its_credential_kept_for_its_owner_only(lgsp: Any, hub: Hub, tmp_path: Path) -> None:
    done = await lgsp("consumer", "add", DESK, "--title", "Một cửa", "--save", "--json")
    shown = json.loads(done.stdout)
    kept = tmp_path / "lgsp" / "credentials.json"

    assert done.exit_code == 0
    assert json.loads(kept.read_text())[hub.url][DESK] == shown
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_a_grant_without_operations_names_all_of_the_service_and_is_withdrawn_whole(lgsp: Any) -> None:
    land = "VN/GOV/H99/land-office"
    await lgsp("consumer", "add", land)
    granted = await lgsp("grant", land, "parcels", "-p", "residence", "--quota", "600/60", "--until", "2027-12-31T23:59:59+07:00", "--json")
    listed = json.loads((await lgsp("rights", "--json")).stdout)
    withdrawn = await lgsp("withdraw", land, "parcels", LGSP_LANG="vi")

    assert [right["operation"] for right in json.loads(granted.stdout)] == ["find", "register"]
    assert {(right["quota"]["q"], right["not_after"]) for right in listed} == {(600, "2027-12-31T16:59:59.000Z")}
    assert withdrawn.stdout.splitlines()[0] == f"{land} không còn được dùng parcels: find."
    assert json.loads((await lgsp("rights", "--json")).stdout) == []


async def test_a_consumer_is_suspended_by_its_code(lgsp: Any) -> None:
    health = "VN/GOV/H99/health"
    await lgsp("consumer", "add", health)

    done = await lgsp("consumer", "suspend", health)
    listed = json.loads((await lgsp("consumer", "list", "--json")).stdout)

    assert (done.exit_code, done.stdout) == (0, f"{health} is suspended.\n")
    assert [each["active"] for each in listed if each["code"] == health] == [False]


async def test_a_callback_address_is_registered_shown_without_its_secret_and_removed(lgsp: Any) -> None:
    tax = "VN/GOV/H99/tax"
    await lgsp("consumer", "add", tax)

    made = await lgsp("consumer", "callback", "set", tax, "https://thue.h99.example/lgsp")
    renewed = json.loads((await lgsp("consumer", "callback", "secret", tax, "--json")).stdout)
    listed = await lgsp("consumer", "callback", "list", "--json")
    removed = await lgsp("consumer", "callback", "remove", tax, LGSP_LANG="vi")

    assert made.stdout.splitlines()[:2] == [f"{tax} is told at https://thue.h99.example/lgsp.", "The secret is shown this once:"]
    assert renewed["secret"].startswith("whsec_")
    assert json.loads(listed.stdout) == [{"consumer": tax, "url": "https://thue.h99.example/lgsp", "language": "vi"}]
    assert removed.stdout == f"{tax} không còn được báo kết quả.\n"


async def test_a_certificate_is_enrolled_listed_and_ended_and_a_password_shown_once(lgsp: Any, hub: Hub, tmp_path: Path) -> None:
    tax = SubsystemId("VN/GOV/H99/kho-bac")
    await lgsp("consumer", "add", tax)
    (tmp_path / "tax.pem").write_text(pair("kho-bac").certificate, encoding="ascii")
    fingerprint = pair("kho-bac").signer.certificate.fingerprint

    enrolled = await lgsp("consumer", "wss", "enrol", tax, str(tmp_path / "tax.pem"), LGSP_LANG="vi")
    again = await lgsp("consumer", "wss", "enrol", tax, str(tmp_path / "tax.pem"))
    listed = json.loads((await lgsp("consumer", "wss", "list", tax, "--json")).stdout)
    shown = json.loads((await lgsp("consumer", "wss", "password", tax, "--json")).stdout)
    ended = await lgsp("consumer", "wss", "end", tax, fingerprint)

    assert enrolled.stdout.startswith(f"{tax} được nhận biết qua chứng thư CN=kho-bac đến 2040-")
    assert (again.exit_code, "already" in again.stderr.lower()) == (1, True)
    assert [(each["fingerprint"], each["subject"]) for each in listed] == [(fingerprint, "CN=kho-bac")]
    assert list(hub.store.wss_passwords(tax)) == [shown["password"]]
    assert (ended.exit_code, list(hub.store.certificates())) == (0, [])


async def test_a_subscription_that_nothing_publishes_is_refused_in_words(lgsp: Any) -> None:
    listed = await lgsp("subscriptions", "--json")
    refused = await lgsp("subscribe", "VN/GOV/H99/tax-office", "parcels", "find", "--by", "mailbox")
    wrong = await lgsp("subscribe", "VN/GOV/H99/tax-office", "parcels", "find", "--by", "post")

    assert json.loads(listed.stdout) == []
    assert (refused.exit_code, wrong.exit_code) == (1, 2)
    assert "/operation" in refused.stderr


async def test_a_session_of_login_serves_the_next_command(lgsp: Any, tmp_path: Path) -> None:
    without = {"LGSP_USER": None, "LGSP_PASSWORD": None}

    before = await lgsp("status", **without)
    signed_in = await lgsp("login", "operator", "--password", PASSWORD, **without)
    after = await lgsp("status", "--json", **without)

    assert (before.exit_code, signed_in.exit_code, after.exit_code) == (1, 0, 0)
    assert "lgsp login" in before.stderr
    assert stat.S_IMODE((tmp_path / "lgsp" / "sessions.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("replay", "nothing"), 1, "Not found"),
        (("explain", "nothing"), 1, "Not found"),
        (("consumer", "add", "not a subsystem"), 1, "/code"),
        (("grant", DESK, "nothing"), 1, "No service nothing is published."),
        (("grant", DESK, "parcels", "--quota", "many"), 2, "CALLS/SECONDS"),
        (("dead", "--limit", "0"), 2, "limit"),
        (("--lang", "fr", "status"), 2, "vi or en"),
        (("--hub", "localhost", "status"), 2, "expected http://"),
        (("nonsense",), 2, "nonsense"),
        (("--hub", "http://127.0.0.1:1", "status"), 3, "lgsp serve"),
    ],
)
async def test_each_kind_of_failure_has_its_exit_code_and_a_sentence(lgsp: Any, words: tuple[str, ...], code: int, told: str) -> None:
    done = await lgsp(*words)

    assert (done.exit_code, told in done.stderr, done.stdout) == (code, True, "")


async def test_status_services_acts_and_dead_print_tables(lgsp: Any) -> None:
    printed = [await lgsp(verb) for verb in ("status", "services", "acts", "dead", "rights")]

    assert [each.exit_code for each in printed] == [0] * 5
    assert "Catalogue: digest" in printed[0].stdout
    assert "parcels 1.0.0" in printed[1].stdout


async def test_a_person_is_added_by_a_command(lgsp: Any, hub: Hub) -> None:
    done = await lgsp("person", "add", "binh", "--role", "operator", LGSP_NEW_PASSWORD=PASSWORD)

    assert (done.exit_code, done.stdout) == (0, "binh is added as operator.\n")
    assert (await hub.store.person("binh")).role == "operator"
