"""SOAP consumers without a token: known by signature or UsernameToken, for what they signed, once."""

from __future__ import annotations

import time
from typing import Any

import pytest
import pytest_asyncio
from lxml import etree

from lgsp.acts import enrol
from lgsp.codec.wss.header import WSSE
from lgsp.codec.wss.write import Proof, secured
from tests.e2e.hub import DESK, Running
from tests.e2e.soap import LOOKUP, SOAP_11, SOAP_12, Heard, envelope, say
from tests.e2e.test_soap_door import NO_HEADERS, PURPOSE_BLOCK
from tests.security.pki import pair
from tests.security.wrapping import WRAPPINGS

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH = pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
NONCES = iter(range(1, 1000))


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def password(hub: Running) -> str:
    """The desk's, whose certificate is enrolled too."""
    await enrol.enrol(hub.hub.office, hub.client_id, pair("mot-cua").certificate, "test")
    return (await enrol.add_password(hub.hub.office, hub.client_id, "test")).password


def proven(proof: Proof, *, body: str = LOOKUP, blocks: str = PURPOSE_BLOCK, version: str = SOAP_11, age_s: float = 0) -> bytes:
    return secured(envelope(body, blocks, version).encode(), proof, time.time() - age_s, next(NONCES).to_bytes(16, "big"))


async def say_bare(hub: Running, content: bytes, version: str = SOAP_11) -> Heard:
    """Neither token nor purpose stands in an HTTP header."""
    return await say(hub, content, version, Authorization="", **NO_HEADERS)


async def opened(hub: Running, answer: Heard) -> int:
    """How often a call of this message was begun at the provider: each has its OPENED row first."""
    entries = await hub.hub.office.inspection.timeline(answer.headers["lgsp-message-id"])
    return sum(entry.event == "opened" for entry in entries)


SIGNED = Proof(signer=pair("mot-cua").signer)


@BOTH
async def test_a_signed_request_is_answered_as_one_with_a_token(hub: Running, version: str) -> None:
    answer = await say_bare(hub, proven(SIGNED, version=version), version)

    assert (answer.status, answer.text("citizen_id")) == (200, "099090000001")


@BOTH
@pytest.mark.parametrize("is_digest", [True, False])
async def test_a_username_token_is_as_good(hub: Running, password: str, is_digest: bool, version: str) -> None:
    answer = await say_bare(hub, proven(Proof(DESK, password, is_digest), version=version), version)

    assert (answer.status, answer.text("citizen_id")) == (200, "099090000001")


async def test_what_was_sent_once_counts_once(hub: Running, password: str) -> None:
    for proof in (SIGNED, Proof(DESK, password)):
        document = proven(proof)

        answers = [await say_bare(hub, document) for _ in range(2)]

        assert [(answer.status, answer.slug) for answer in answers] == [(200, ""), (401, "wss-replayed")]
        assert [await opened(hub, answer) for answer in answers] == [1, 0]


async def test_a_purpose_that_was_not_signed_was_not_said(hub: Running) -> None:
    root = etree.fromstring(proven(SIGNED, blocks=""))
    root[0].append(etree.fromstring(envelope(blocks=PURPOSE_BLOCK))[0][0])

    answer = await say_bare(hub, etree.tostring(root))

    assert answer.slug == "purpose-missing"


def stranger(_password: str) -> bytes:
    return proven(Proof(signer=pair("nguoi-la").signer))


def wrong_password(_password: str) -> bytes:
    return proven(Proof(DESK, "đoán mò"))


def old(_password: str) -> bytes:
    return proven(SIGNED, age_s=3600)


def old_digest(password: str) -> bytes:
    return proven(Proof(DESK, password), age_s=3600)


def unsigned(_password: str) -> bytes:
    return proven(Proof())


def stripped(_password: str) -> bytes:
    root = etree.fromstring(proven(SIGNED))
    root[0].remove(root[0].find(f"{{{WSSE}}}Security"))
    return etree.tostring(root)


@pytest.mark.parametrize(
    ("make", "slug"),
    [
        (stranger, "wss-invalid"),
        (wrong_password, "wss-invalid"),
        (old, "wss-expired"),
        (old_digest, "wss-expired"),
        (unsigned, "wss-invalid"),
        (stripped, "token-missing"),
    ],
)
async def test_who_proves_nothing_is_refused_before_the_provider_hears_of_it(hub: Running, password: str, make: Any, slug: str) -> None:

    answer = await say_bare(hub, make(password))

    assert (answer.slug, answer.code) == (slug, "Client")
    assert "đoán mò" not in answer.content.decode()
    assert await opened(hub, answer) == 0


@pytest.mark.parametrize("attack", [name for name in WRAPPINGS if "Timestamp" not in name])
async def test_a_wrapped_body_is_never_dispatched(hub: Running, attack: str) -> None:
    document = etree.tostring(WRAPPINGS[attack](proven(SIGNED)))

    answer = await say_bare(hub, document)

    assert answer.slug in {"wss-invalid", "malformed-body"}
    assert await opened(hub, answer) == 0


async def test_a_token_of_the_hub_still_comes_first(hub: Running, password: str) -> None:
    plain = await say(hub, envelope(blocks=PURPOSE_BLOCK))
    document = proven(Proof(DESK, password))

    both = await say(hub, document)

    assert plain.status == 200
    assert both.slug == "header-not-understood", "its Security header must be understood, and nobody looked at it"


async def test_a_certificate_that_was_ended_signs_no_more(hub: Running) -> None:
    other = pair("mot-cua-cu")
    found = await enrol.enrol(hub.hub.office, hub.client_id, other.certificate, "test")
    document = proven(Proof(signer=other.signer))

    await enrol.end_enrolment(hub.hub.office, hub.client_id, found.fingerprint, "test")

    assert (await say_bare(hub, document)).slug == "wss-invalid"


async def test_refusals_are_counted_by_source_and_leave_no_message(hub: Running) -> None:
    answer = await say_bare(hub, proven(Proof(signer=pair("nguoi-la").signer)))

    assert await hub.hub.office.inspection.timeline(answer.headers["lgsp-message-id"]) == []
