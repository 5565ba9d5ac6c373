"""Providers behind an X-Road security server: what goes out, what comes back, and what each of its faults means."""

from __future__ import annotations

import shutil
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lgsp.codec.soap.fragment import parse
from lgsp.codec.xroad import repeated
from lgsp.contract.adapter.check import check_adapter, compile_adapter
from lgsp.drivers.memory import MemoryVault
from lgsp.drivers.outbound.calls import NativeCalls
from lgsp.errors import Fault, OutcomeUnknown, Unreachable
from lgsp.model.agreed import Call, Forward, Operation, Prepared, XRoad
from lgsp.model.happening import Exchange
from lgsp.model.parties import Purpose, Right, SubsystemId
from lgsp.telemetry import Telemetry
from lgsp.twin.serve import serving
from tests.ports.security_server import SecurityServer
from tests.unit.small_hub import OPERATION, PROVIDER, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

ROOT = Path(__file__).parents[2]
DESK = SubsystemId("VN/GOV/H99/onestop")
HUB, LAND, POPULATION = "VN/GOV/H99/truc", "VN/GOV/000.00.00.G14/dat-dai", "VN/GOV/G01/dân cư"
PURPOSE = Purpose("xac-minh", "VN-CB 001", "1.000001", "H99.1-261123-0001", "GOV/H99.12")
ANSWER = (ROOT / "adapters/population/examples/found.native_reply.xml").read_bytes()
NATIVE = (ROOT / "adapters/population/examples/found.native.xml").read_bytes()


@dataclass
class Behind:
    """The information system behind the server; `echoes`: it repeats the header, as it must."""

    echoes: bool = True
    seen: list[dict[str, str]] = field(default_factory=list)

    async def rest(self, request: Request) -> Response:
        self.seen.append({"path": request.url.path, "query": request.url.query, **request.headers})
        return JSONResponse({"tìm thấy": True})

    async def soap(self, request: Request) -> Response:
        content = await request.body()
        self.seen.append({"body": content.decode(), **request.headers})
        header = b"<soap:Header>" + repeated(parse(content)) + b"</soap:Header>" if self.echoes else b""
        return Response(ANSWER.replace(b"<soap:Body>", header + b"<soap:Body>"), media_type="text/xml")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        routes = [Route("/", self.soap, methods=["POST"]), Route("/{path:path}", self.rest, methods=["GET", "POST"])]
        async with serving(Starlette(routes=routes)) as address:
            yield address


@dataclass
class Scene:
    """A security server, what stands behind it, and a way to call through them."""

    server: SecurityServer = field(default_factory=SecurityServer)
    behind: Behind = field(default_factory=Behind)

    async def ask(self, operation: Operation, call: Call, content: bytes) -> Any:
        exchange = Exchange("m-1", 0.0, DESK, operation, Right(DESK, "x", "y", frozenset()), PURPOSE, {}, {}, b"", "ab" * 16)
        async with self.behind.serving() as behind, serving(self.server.app()) as address:
            self.server.behind = behind
            bound = {"address": address, "us": HUB, "them": LAND, "user": "u", "secret": "s", "api_key": "k"}
            bound |= {"population": POPULATION, "there": "VN:GOV:000.00.00.G14:dat-dai", "url": behind + "/api/v1"}
            calls = NativeCalls(lambda _provider, _party: bound, lambda: 0.0, Telemetry(CollectorRegistry()), MemoryVault(time.time, str))
            try:
                return await calls._exchange(call, Prepared({}, content, call.wire.path), exchange)
            finally:
                await calls.close()

    async def ask_rest(self, **road: Any) -> Any:
        provider = replace(PROVIDER, **(road or {"xroad": XRoad("us", "them", "thửa đất")}))
        call = Call("find", replace(wire(), path="/finds/a%2Fb"), lambda s: s["value"], safe=True)
        return await self.ask(replace(OPERATION, provider=provider), call, b'{"n":1}')

    async def ask_soap(self, folder: Path) -> Any:
        _, (service,) = compile_adapter(folder, ROOT / "contracts")
        (operation,) = service.operations
        return await self.ask(operation, operation.calls[0], NATIVE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The population adapter, behind a security server."""
    target = tmp_path / "population"
    shutil.copytree(ROOT / "adapters/population", target)
    path = target / "adapter.yaml"
    text = path.read_text("utf-8")
    text = text.replace("binding:\n", "binding:\n  xroad: {client: us, provider: population, version: v1}\n")
    names = "".join(f"  {name}: $env.population.{name}\n" for name in ("us", "population"))
    path.write_text(text.replace("uses:\n", "uses:\n" + names), "utf-8")
    return target


def rest_scene() -> Scene:
    return Scene(SecurityServer(rights={(HUB, f"{LAND}/thửa đất")}))


def soap_scene() -> Scene:
    return Scene(SecurityServer(rights={(HUB, f"{POPULATION}/TraCuuThongTinCongDan/v1")}))


async def test_a_rest_call_goes_out_under_r1_and_says_for_whom() -> None:
    scene = rest_scene()

    reply = await scene.ask_rest()

    (seen,) = scene.behind.seen
    assert reply == {"tìm thấy": True}
    assert seen["path"] == "/finds/a/b"
    assert (seen["x-road-client"], seen["x-road-id"], seen["x-road-represented-party"]) == (HUB, "m-1", "GOV/H99.12")
    assert (seen["x-road-userid"], seen["x-road-issue"]) == ("VN-CB 001", "H99.1-261123-0001")
    assert scene.server.log == [{"client": HUB, "service": f"{LAND}/thửa đất", "id": "m-1", "user": "VN-CB 001"}]


async def test_a_soap_call_carries_the_header_and_its_answer_repeats_it(folder: Path) -> None:
    scene = soap_scene()

    reply = await scene.ask_soap(folder)

    (seen,) = scene.behind.seen
    assert check_adapter(folder, ROOT / "contracts") == []
    assert "CongdanCollection" in reply
    assert "<xrd:protocolVersion" in seen["body"] and ">4.0<" in seen["body"]  # noqa: PT018  # one element
    assert "<repr:partyCode>H99.12</repr:partyCode>" in seen["body"]
    assert scene.server.log[0]["id"] == "m-1"


async def test_the_vietnamese_adapter_forwards_by_its_query() -> None:
    class Adapter(Behind):
        async def soap(self, request: Request) -> Response:
            return await self.rest(request)

    behind = Adapter()
    async with behind.serving() as address:
        provider = replace(PROVIDER, forward=Forward("there", "url"))
        call = Call("find", replace(wire(), path="/bndp/public/v1/login"), lambda s: s["value"], safe=True)
        exchange = Exchange(
            "m-1", 0.0, DESK, replace(OPERATION, provider=provider), Right(DESK, "x", "y", frozenset()), PURPOSE, {}, {}, b"", "ab" * 16
        )
        bound = {"address": address, "there": "VN:GOV:000.00.00.G22:vpcpdvcprovider", "url": "https://kho.example:8443/api?a=b"}
        calls = NativeCalls(lambda _provider, _party: bound, lambda: 0.0, Telemetry(CollectorRegistry()), MemoryVault(time.time, str))
        await calls._exchange(call, Prepared({}, b"{}", call.wire.path), exchange)
        await calls.close()

    (seen,) = behind.seen
    assert seen["path"] == "/XrdAdapter/RestService/forward/bndp/public/v1/login"
    assert seen["query"] == "dstcode=VN:GOV:000.00.00.G22:vpcpdvcprovider&providerurl=https%3A%2F%2Fkho.example%3A8443%2Fapi%3Fa%3Db"


FAULTS = [
    ("server.clientproxy.network_error", (Unreachable, "provider-unreachable", "network", True)),
    ("server.clientproxy.global_conf_outdated", (Unreachable, "xroad-not-ready", "platform", True)),
    ("server.clientproxy.something_new", (OutcomeUnknown, "xroad-not-ready", "platform", True)),
    ("server.serverproxy.access_denied", (Unreachable, "provider-denied", "platform", False)),
    ("server.serverproxy.unknown_service", (Unreachable, "xroad-misdeclared", "provider", False)),
    ("server.serverproxy.maintenance_mode", (Unreachable, "provider-busy", "provider", True)),
    ("server.serverproxy.service_failed.http_error", (OutcomeUnknown, "provider-failed", "provider", True)),
    ("server.serverproxy.service_failed.missing_body", (Fault, "provider-not-understood", "provider", True)),
    ("client.invalid_xml", (Unreachable, "xroad-refused", "platform", False)),
    ("signer.token_not_active", (Unreachable, "xroad-not-ready", "platform", True)),
]


@pytest.mark.parametrize("kind", ["rest", "soap"])
@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize(("code", "meaning"), FAULTS)
async def test_each_fault_means_the_same_in_either_spelling_and_either_tongue(
    code: str, meaning: tuple[type[Fault], str, str, bool], is_old: bool, kind: str, folder: Path
) -> None:
    scene = rest_scene() if kind == "rest" else soap_scene()
    scene.server.fault = replace(scene.server, old_spelling=is_old)._spelled(code)

    with pytest.raises(Fault) as caught:
        await (scene.ask_rest() if kind == "rest" else scene.ask_soap(folder))

    fault = caught.value
    assert (type(fault), fault.slug, fault.blame, fault.retryable) == meaning
    assert scene.behind.seen == []


async def test_a_right_that_is_missing_at_the_server_is_told_as_ours_to_arrange() -> None:
    scene = Scene(SecurityServer(rights={("VN/GOV/H99/khac", f"{LAND}/thửa đất")}))

    with pytest.raises(Unreachable) as caught:
        await scene.ask_rest()

    assert caught.value.slug == "provider-denied"


@pytest.mark.parametrize(
    "tamper",
    [
        lambda answer: answer.replace(b"requestHash algorithmId", b'requestHash x="" algorithmId').replace(b"==<", b"=A<"),
        lambda answer: answer.replace(b">m-1<", b">m-2<"),
        lambda answer: answer.replace(b"memberCode>G01<", b"memberCode>G02<"),
    ],
)
async def test_an_answer_to_something_else_is_not_taken(tamper: Callable[[bytes], bytes], folder: Path) -> None:
    scene = soap_scene()
    scene.server.tamper = tamper

    with pytest.raises(OutcomeUnknown) as caught:
        await scene.ask_soap(folder)

    assert caught.value.slug == "provider-not-understood"


async def test_a_service_that_does_not_repeat_the_header_has_failed(folder: Path) -> None:
    scene = soap_scene()
    scene.behind.echoes = False

    with pytest.raises(Fault) as caught:
        await scene.ask_soap(folder)

    assert caught.value.slug == "provider-failed"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("xroad: {client: us, provider: nobody}", "not declared"),
        ("xroad: {client: us, provider: population, service: x}", "operation's name"),
        ("forward: {destination: us, provider_url: us}", "is for REST"),
    ],
)
def test_a_road_that_leads_nowhere_is_told_with_its_line(line: str, reason: str, folder: Path) -> None:
    path = folder / "adapter.yaml"
    path.write_text(path.read_text("utf-8").replace("xroad: {client: us, provider: population, version: v1}", line), "utf-8")

    findings = check_adapter(folder, ROOT / "contracts")

    assert [(finding.rule, reason in finding.reason, finding.line > 0) for finding in findings] == [("xroad", True, True)]
