"""A SOAP provider that wants WS-Security: its manifest declares it, its twin verifies it, and of its signed answers only that is read."""

from __future__ import annotations

import shutil
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lgsp.codec.soap.fragment import parse
from lgsp.codec.wss.header import read_security
from lgsp.codec.wss.signature import verify
from lgsp.codec.wss.username import read_username_token
from lgsp.codec.wss.write import Proof, secured
from lgsp.contract.adapter.check import check_adapter, compile_adapter
from lgsp.drivers.memory import MemoryVault
from lgsp.drivers.outbound.calls import NativeCalls
from lgsp.drivers.outbound.wss import check_bound
from lgsp.errors import OutcomeUnknown, SettingsError, WssError
from lgsp.model.agreed import Prepared
from lgsp.model.happening import Exchange
from lgsp.model.parties import Purpose, Right, SubsystemId
from lgsp.telemetry import Telemetry
from lgsp.twin.serve import serving
from tests.security.pki import pair
from tests.security.wrapping import WRAPPINGS, etree

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000.0
SECRET = "bí mật của tỉnh"
HEADERS = """auth:
  headers:
    Timestamp: now_ms
    ApiKey: api_key
    Authorization: basic(user, sha256hex(url, user, now_ms, secret))
"""
USES = "  api_key: $env.population.api_key\n"
KEYS = "".join(f"  {name}: $env.population.{name}\n" for name in ("signing_key", "signing_certificate", "their_certificate"))
SIGNED = "signature: {key: signing_key, certificate: signing_certificate}"
ANSWERED = "replies: {certificate: their_certificate}"
ANSWER = (ROOT / "adapters/population/examples/found.native_reply.xml").read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """The population adapter, declaring other things under `auth.wss`."""

    def declared(*lines: str) -> Path:
        target = tmp_path / "population"
        shutil.copytree(ROOT / "adapters/population", target, dirs_exist_ok=True)
        path = target / "adapter.yaml"
        text = path.read_text("utf-8").replace(HEADERS, "auth:\n  wss:\n" + "".join(f"    {line}\n" for line in lines))
        path.write_text(text.replace(USES, USES + KEYS), "utf-8")
        return target

    return declared


BOUND = {
    "user": "tỉnh H99",
    "secret": SECRET,
    "api_key": "k",
    "signing_key": pair("tinh").key,
    "signing_certificate": pair("tinh").certificate,
    "their_certificate": pair("bo").certificate,
}


class Twin:
    """Verifies what it is sent, says what it saw, and answers signed, plainly or forged."""

    def __init__(self, form: Callable[[bytes], bytes]) -> None:
        self.form = form
        self.seen: list[str] = []

    async def answer(self, request: Request) -> Response:
        security = read_security(parse(await request.body()))
        if security is None:
            self.seen.append("nothing")
        elif security.signature is not None:
            ours = pair("tinh").signer.certificate
            signed = verify(security, lambda hint: [ours] if hint.fits(ours) else [], NOW)
            self.seen.append("signed " + etree.fromstring(signed.envelope)[-1][0].tag.rpartition("}")[2])
        if security is not None and security.username_token is not None:
            token = read_username_token(security.username_token, NOW)
            self.seen.append(f"{token.user} {'digest' if token.is_digest else 'text'} {token.proves(SECRET)}")
        return Response(self.form(ANSWER), media_type="text/xml")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        async with serving(Starlette(routes=[Route("/{path:path}", self.answer, methods=["POST"])])) as address:
            yield address


def by_them(answer: bytes) -> bytes:
    return secured(answer, Proof(signer=pair("bo").signer), NOW, b"n" * 16)


async def ask(folder: Path, twin: Twin) -> Any:
    provider, (service,) = compile_adapter(folder, ROOT / "contracts")
    operation = service.operations[0]
    desk = SubsystemId("VN/GOV/H99/onestop")
    exchange = Exchange("m1", NOW, desk, operation, Right(desk, "citizens", "find", frozenset()), Purpose(), {}, {}, b"", "ab" * 16)
    native = (ROOT / "adapters/population/examples/found.native.xml").read_bytes()
    async with twin.serving() as address:
        bound = {**BOUND, "address": address}
        check_bound(lambda _provider, _party: bound, [provider])
        calls = NativeCalls(lambda _provider, _party: bound, lambda: NOW, Telemetry(CollectorRegistry()), MemoryVault(time.time, str))
        try:
            return await calls._exchange(operation.calls[0], Prepared({}, native, ""), exchange)
        finally:
            await calls.close()


def plain(answer: bytes) -> bytes:
    return answer


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        ((SIGNED,), ["signed TraCuuThongTinCongDan"]),
        (("username_token: {user: user, password: secret}",), ["tỉnh H99 digest True"]),
        (("username_token: {user: user, password: secret, type: text}",), ["tỉnh H99 text True"]),
        ((SIGNED, "username_token: {user: user, password: secret}"), ["signed TraCuuThongTinCongDan", "tỉnh H99 digest True"]),
    ],
)
async def test_a_provider_is_shown_what_its_manifest_declares(folder: Callable[..., Path], lines: tuple[str, ...], seen: list[str]) -> None:
    declared, twin = folder(*lines), Twin(plain)

    reply = await ask(declared, twin)

    assert check_adapter(declared, ROOT / "contracts") == []
    assert twin.seen == seen
    assert "CongdanCollection" in reply


async def test_an_answer_that_must_be_signed_is_read_as_far_as_it_is(folder: Callable[..., Path]) -> None:
    reply = await ask(folder(SIGNED, ANSWERED), Twin(by_them))

    assert "CongdanCollection" in reply


def by_us(answer: bytes) -> bytes:
    return secured(answer, Proof(signer=pair("tinh").signer), NOW, b"n" * 16)


def forged(answer: bytes) -> bytes:
    return etree.tostring(WRAPPINGS["XSW5 another Body before it"](by_them(answer)))


def old(answer: bytes) -> bytes:
    return secured(answer, Proof(signer=pair("bo").signer), NOW - 3600, b"n" * 16)


@pytest.mark.parametrize("form", [plain, by_us, forged, old])
async def test_an_answer_that_the_provider_did_not_sign_is_not_understood(
    folder: Callable[..., Path], form: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await ask(folder(SIGNED, ANSWERED), Twin(form))

    assert caught.value.slug == "provider-not-understood"
    assert isinstance(caught.value.__cause__, WssError)


def test_a_key_that_does_not_fit_stops_the_start(folder: Callable[..., Path]) -> None:
    provider, _ = compile_adapter(folder(SIGNED), ROOT / "contracts")
    bound = {**BOUND, "signing_key": pair("khac").key}

    with pytest.raises(SettingsError, match=r"population.*does not belong"):
        check_bound(lambda _provider, _party: bound, [provider])


def test_a_name_that_nobody_binds_is_told_with_its_line(folder: Callable[..., Path]) -> None:
    (finding,) = check_adapter(folder("signature: {key: signing_key, certificate: nobody}"), ROOT / "contracts")

    assert (finding.rule, finding.pointer) == ("wss", "/auth/wss/signature/certificate")
    assert finding.line > 0
