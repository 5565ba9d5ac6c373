"""The management door over real sockets: who may do what, what bad input gets, and that every act leaves its author."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import yaml

from lgsp.drivers.doors.management.door import CONTRACT
from tests.e2e.management_door import ROLES, Hub, listening_hub
from tests.unit.office import NOW, PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

ONESTOP, HEALTH, LAND = "VN/GOV/H99/onestop", "VN/GOV/H99/health", "VN/GOV/H99/land"
DOCUMENT = yaml.safe_load(CONTRACT.read_text("utf-8"))
OPERATIONS = [
    (path, method, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in {"get", "post", "put", "delete", "patch"}
]
CLOSED = [each for each in OPERATIONS if each[2].get("security") != []]
BODIES: Mapping[str, Any] = {
    "setCircuit": {"state": "auto"},
    "addHold": {"provider": "nobody", "until": "2027-01-01T00:00:00Z", "reason": "maintenance"},
    "releaseHolds": {"provider": "nobody"},
    "decideMessage": {"decision": "dead", "reason": "asked by telephone"},
    "decideMany": {"decision": "dead", "reason": "asked by telephone", "filter": {"provider": "nobody"}},
    "startReplay": {"filter": {"provider": "nobody"}, "rate": 5, "dry_run": True},
    "steerReplay": {"state": "paused"},
    "showImpact": {"service": "nothing", "major": 1, "changes": []},
    "setContact": {"contact": "office"},
    "proposeRow": {"ours": "a", "theirs": "b", "reason": "x"},
    "decideRow": {"decision": "approve"},
    "setEnforcement": {"mode": "block", "until": "2026-09-21T18:00:00Z", "reason": "acceptance test"},
    "addPerson": {"name": "someone", "role": "auditor", "password": PASSWORD},
    "addConsumer": {"code": ONESTOP},
    "setActive": {"active": False},
    "enrolCertificate": {"certificate": "-" * 100},
    "grantRight": {"consumer": ONESTOP, "service": "citizens", "operation": "citizenLookup", "purposes": ["residence"]},
    "publishEdition": {"digest": f"sha256:{'0' * 64}"},
    "rollBack": {"service": "none"},
    "decideEdition": {"decision": "approve"},
    "setLifespan": {"stage": "retired"},
    "bindValue": {"value": "https://provider.example"},
    "withdrawRight": {"consumer": ONESTOP, "service": "citizens", "operation": "citizenLookup"},
    "walkEvidence": {"size": 0, "front": [], "batch": 0},
    "compareLog": {"size": 0, "log": 0, "act": 0},
    "eraseFields": {"fields": ["official"]},
    "findAccesses": {"by": "official", "value": "CB001"},
}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub() -> AsyncIterator[Hub]:
    async with listening_hub() as listening:
        yield listening


def filled(path: str) -> str:
    ids = dict.fromkeys(("message_id", "run_id", "correction_id", "edition_id", "subject", "suspect_id", "row_id", "table"), "nothing") | {
        "side": "replies",
        "service": "none",
        "major": "1",
        "name": "NONE_URL",
    }
    return path.format(provider="nobody", client_id="nobody", fingerprint="0" * 64, **ids)


async def test_each_role_may_exactly_what_the_contract_lists(hub: Hub) -> None:
    wrong = []
    for (path, method, operation), role in itertools.product(CLOSED, ROLES):
        body = BODIES.get(operation["operationId"])
        status, answer, _ = await hub.ask(method, filled(path), role, **({"json": body} if body else {}))
        refused = status == 403 and answer["type"].endswith("/role-missing")
        if refused is (role in operation["x-lgsp-roles"]) or status >= 500 or status == 401:
            wrong.append((role, operation["operationId"], status))

    assert wrong == []


async def test_without_a_session_only_what_the_contract_opens_answers(hub: Hub) -> None:
    statuses = {operation["operationId"]: (await hub.ask(method, filled(path), None))[0] for path, method, operation in CLOSED}

    assert set(statuses.values()) == {401}
    assert {each[2]["operationId"] for each in OPERATIONS if each not in CLOSED} == {
        "signIn",
        "showMetrics",
        "showLive",
        "showReady",
        "witnessHead",
    }


async def test_every_operation_names_known_roles() -> None:
    named = {operation["operationId"]: set(operation.get("x-lgsp-roles", ())) for _, _, operation in CLOSED}

    assert all(roles and roles <= set(ROLES) for roles in named.values())


async def test_signing_in_gives_a_token_that_tells_who_it_is(hub: Hub) -> None:
    status, session, headers = await hub.ask("POST", "/session", None, json={"name": "operator", "password": PASSWORD})
    hub.tokens["fresh"] = session["token"]

    assert (status, session["role"], headers["Cache-Control"]) == (201, "operator", "no-store")
    assert (await hub.ask("GET", "/session", "fresh"))[1] == {"name": "operator", "role": "operator"}


@pytest.mark.parametrize("name", ["operator", "nobody"])
async def test_a_wrong_password_and_an_unknown_name_are_told_alike(hub: Hub, name: str) -> None:
    status, problem, _ = await hub.ask("POST", "/session", None, json={"name": name, "password": "wrong"})

    assert (status, problem["type"]) == (401, "https://hub.example/problems/sign-in-failed")
    assert "wrong" not in json.dumps(problem).replace("is wrong", "")


async def test_after_five_failures_signing_in_waits(hub: Hub) -> None:
    answers = [await hub.ask("POST", "/session", None, json={"name": "integrator", "password": "wrong"}) for _ in range(6)]

    assert [status for status, _, _ in answers] == [401] * 5 + [429]
    assert answers[-1][2]["Retry-After"] == "60"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.", "x" * 9000])
async def test_a_foreign_token_is_refused_with_a_challenge(hub: Hub, token: str) -> None:
    status, problem, headers = await hub.ask("GET", "/status", None, headers={"Authorization": f"Bearer {token}"})

    assert (status, headers["WWW-Authenticate"].split()[0]) == (401, "Bearer")
    assert problem["type"].split("/")[-1] in {"session-invalid", "session-missing"}


async def test_a_session_ends(hub: Hub) -> None:
    hub.tokens["old"] = hub.office.sessions.issue("admin", NOW - 4000)[0]

    status, problem, _ = await hub.ask("GET", "/status", "old")

    assert (status, problem["type"]) == (401, "https://hub.example/problems/session-invalid")


async def test_a_consumer_and_its_secret_are_shown_once_and_kept_as_a_digest(hub: Hub) -> None:
    status, credential, headers = await hub.ask("POST", "/consumers", "integrator", json={"code": HEALTH, "title": "Y tế"})
    _, consumers, _ = await hub.ask("GET", "/consumers")

    assert (status, headers["Cache-Control"]) == (201, "no-store")
    assert {"code": HEALTH, "client_id": credential["client_id"], "title": "Y tế", "active": True} in consumers
    assert credential["client_secret"] not in json.dumps(consumers)
    assert await hub.store.secret_macs(credential["client_id"]) == (hub.office.mac(credential["client_secret"].encode()),)


async def test_every_act_leaves_its_author(hub: Hub) -> None:
    _, credential, _ = await hub.ask("POST", "/consumers", "integrator", json={"code": LAND})
    client = f"/consumers/{credential['client_id']}"
    await hub.ask("POST", f"{client}/secrets", "integrator")
    await hub.ask("PUT", f"{client}/active", "security-officer", json={"active": False})
    await hub.ask("POST", "/people", "admin", json={"name": "newcomer", "role": "auditor", "password": PASSWORD})

    _, acts, _ = await hub.ask("GET", "/acts?limit=4", "auditor")

    assert [(act["author"], act["subject"]) for act in acts] == [
        ("admin", "newcomer"),
        ("security-officer", LAND),
        ("integrator", LAND),
        ("integrator", LAND),
    ]


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        (b"{", "malformed-body"),
        (b"", "malformed-request"),
        (b'{"code": NaN}', "malformed-body"),
        (b'{"code": "a", "code": "b"}', "malformed-body"),
        (b"[" * 30_000, "malformed-body"),
        (b'{"code": ' + b"9" * 5000 + b"}", "malformed-body"),
        (b'{"code": "\xff"}', "malformed-body"),
        (b"[]", "body-invalid"),
        (b'{"code": "not a subsystem"}', "body-invalid"),
        (b'{"code": "VN/GOV/H99/onestop\\n"}', "body-invalid"),
        (b'{"code": "VN/GOV/H99/onestop", "active": true}', "body-invalid"),
        (b" " * 70_000, "body-too-large"),
    ],
)
async def test_a_bad_body_gets_its_own_problem_and_registers_nothing(hub: Hub, body: bytes, slug: str) -> None:
    before = await hub.store.consumers()

    status, problem, _ = await hub.ask("POST", "/consumers", data=body, headers={"Content-Type": "application/json"})

    assert (problem["type"], problem["status"]) == (f"https://hub.example/problems/{slug}", status)
    assert await hub.store.consumers() == before


async def test_a_problem_names_the_place_and_never_the_value(hub: Hub) -> None:
    body = {"name": "newcomer", "role": "auditor", "password": "hunter2"}

    _, problem, headers = await hub.ask("POST", "/people", json=body, headers={"Accept-Language": "en;q=0.9, vi;q=0.5"})

    assert problem["errors"] == [{"pointer": "/password", "detail": "breaks minLength: 12", "code": "minLength"}]
    assert (headers["Content-Language"], problem["title"]) == ("en", "The body breaks the contract")
    assert "hunter2" not in json.dumps(problem)


async def test_a_body_in_chunks_is_read_like_any_other(hub: Hub) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"code": "VN/GOV/'
        yield b'H99/police"}'

    status, _, _ = await hub.ask("POST", "/consumers", data=chunks(), headers={"Content-Type": "application/json"})

    assert status == 201


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/ui/", 404),
        ("DELETE", "/status", 405),
        ("GET", "/acts?limit=0", 400),
        ("GET", "/acts?limit=many", 400),
        ("GET", "/acts?other=1", 400),
        ("GET", "/messages/a%20b", 400),
        ("POST", "/messages/nothing/replays", 404),
        ("GET", "/messages/nothing/explanation", 404),
        ("POST", "/consumers/nobody/secrets", 404),
    ],
)
async def test_what_the_contract_does_not_know_is_a_problem(hub: Hub, method: str, path: str, expected: int) -> None:
    status, problem, headers = await hub.ask(method, path)

    assert (status, problem["status"], headers["Content-Type"]) == (expected, expected, "application/problem+json")


async def test_another_media_type_is_refused(hub: Hub) -> None:
    status, problem, _ = await hub.ask("POST", "/consumers", data=b"code=x", headers={"Content-Type": "text/plain"})

    assert (status, problem["type"]) == (415, "https://hub.example/problems/media-type-unsupported")


async def test_granting_what_is_not_published_names_each_fault(hub: Hub) -> None:
    right = {"consumer": "VN/GOV/H99/unregistered", "service": "citizens", "operation": "citizenLookup"}

    status, problem, _ = await hub.ask("POST", "/rights", json={**right, "not_before": "2026-01-01T00:00:00Z"})

    assert status == 422
    assert [error["pointer"] for error in problem["errors"]] == ["/consumer", "/operation"]


@pytest.mark.parametrize("moment", ["tomorrow", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00"])
async def test_a_window_needs_moments_with_a_zone(hub: Hub, moment: str) -> None:
    status, problem, _ = await hub.ask("POST", "/rights", json={**BODIES["grantRight"], "not_after": moment})

    assert (status, problem["errors"][0]["pointer"]) == (422, "/not_after")


async def test_status_metrics_and_probes_answer(hub: Hub) -> None:
    _, status, _ = await hub.ask("GET", "/status", "auditor")
    _, metrics, headers = await hub.ask("GET", "/metrics", None)
    _, live, _ = await hub.ask("GET", "/livez", None)
    _, ready, _ = await hub.ask("GET", "/readyz", None)

    assert (status["catalogue"], status["uptime_s"], status["providers"]) == ("digest-of-nothing", 60.0, [])
    assert (metrics.splitlines()[-1], headers["Content-Type"]) == ("lgsp_build_info 1.0", "text/plain; version=0.0.4; charset=utf-8")
    assert (live, ready) == ({"live": True}, {"ready": True, "checks": {"store": True}})
