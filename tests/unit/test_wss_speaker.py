"""Who speaks in an envelope: certificates and passwords of consumers, each message once, nobody by guessing."""

from __future__ import annotations

import pytest
from lxml import etree

from lgsp.codec.soap.fragment import parse
from lgsp.codec.wss.write import Proof, secured
from lgsp.drivers.doors.wss import prove
from lgsp.drivers.memory import MemoryStore
from lgsp.errors import Fault
from lgsp.model.parties import Consumer, Enrolled, Proven, SubsystemId
from tests.security.pki import pair
from tests.security.wrapping import NOW, WRAPPINGS, envelope

DESK, HEALTH = SubsystemId("VN/GOV/H99/onestop"), SubsystemId("VN/GOV/H99/y-te")
SECRET = "mật khẩu của một cửa"


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore(lambda: NOW)
    for code, name in ((DESK, "mot-cua"), (HEALTH, "y-te")):
        await store.add_consumer(Consumer(code, name, name), b"", "test", NOW)
        found = pair(name).signer.certificate
        await store.enrol(Enrolled(code, found.fingerprint, found.subject, pair(name).certificate, found.not_after), "test", NOW)
    await store.add_wss_password(DESK, SECRET, "test", NOW)
    return store


async def heard(store: MemoryStore, document: bytes, now: float = NOW) -> Proven | None:
    return await prove(parse(document), document, store, now)


async def refusal(store: MemoryStore, document: bytes, now: float = NOW) -> str:
    with pytest.raises(Fault) as caught:
        await heard(store, document, now)
    return caught.value.slug


def by_signature(name: str, nonce: bytes = b"n" * 16, now: float = NOW) -> bytes:
    return secured(envelope(), Proof(signer=pair(name).signer), now, nonce)


def by_password(user: str, password: str, *, is_digest: bool = True, nonce: bytes = b"n" * 16) -> bytes:
    return secured(envelope(), Proof(user, password, is_digest), NOW, nonce)


@pytest.mark.parametrize(("name", "consumer"), [("mot-cua", DESK), ("y-te", HEALTH)])
async def test_a_signature_says_whose_certificate_it_was(store: MemoryStore, name: str, consumer: SubsystemId) -> None:
    proven = await heard(store, by_signature(name))

    assert proven is not None
    assert proven.consumer == consumer
    assert b"Signature" not in proven.document
    assert "Nguyễn Văn An" in proven.document.decode()


@pytest.mark.parametrize("is_digest", [True, False])
async def test_a_password_says_who_speaks_as_text_or_digest(store: MemoryStore, is_digest: bool) -> None:
    document = by_password(DESK, SECRET, is_digest=is_digest)

    proven = await heard(store, document)

    assert proven == Proven(DESK, document)


async def test_an_envelope_without_a_security_header_proves_nobody_and_nothing_is_wrong(store: MemoryStore) -> None:
    assert await heard(store, envelope()) is None


async def test_the_same_message_counts_once_however_it_was_proven(store: MemoryStore) -> None:
    for document in (by_signature("mot-cua"), by_password(DESK, SECRET)):
        await heard(store, document)

        assert await refusal(store, document) == "wss-replayed"
        assert await refusal(store, document, NOW + 300) == "wss-replayed"
        assert await refusal(store, document, NOW + 3600) == "wss-expired"


async def test_a_signature_that_is_only_written_otherwise_is_the_same_message(store: MemoryStore) -> None:
    document = by_signature("mot-cua")
    await heard(store, document)
    start = document.index(b"<SignatureValue>") + len(b"<SignatureValue>")

    assert await refusal(store, document[:start] + b"\n \n" + document[start:]) == "wss-replayed"


async def test_a_wrong_password_burns_no_nonce_and_names_no_user(store: MemoryStore) -> None:
    with pytest.raises(Fault) as unknown:
        await heard(store, by_password("VN/GOV/H99/nobody", SECRET))
    with pytest.raises(Fault) as wrong:
        await heard(store, by_password(DESK, "đoán"))

    assert unknown.value.detail == wrong.value.detail
    assert (await heard(store, by_password(DESK, SECRET))) is not None


async def test_both_proofs_must_be_of_one_consumer_and_bound_together(store: MemoryStore) -> None:
    of_two = secured(envelope(), Proof(DESK, SECRET, signer=pair("y-te").signer), NOW, b"n" * 16)
    of_one = secured(envelope(), Proof(DESK, SECRET, signer=pair("mot-cua").signer), NOW, b"m" * 16)
    borrowed = parse(by_signature("mot-cua"))
    borrowed[0][0].append(parse(by_password(DESK, SECRET, nonce=b"o" * 16))[0][0][1])

    assert await refusal(store, of_two) == "wss-invalid"
    assert await refusal(store, etree.tostring(borrowed)) == "wss-invalid"
    proven = await heard(store, of_one)
    assert proven is not None
    assert proven.consumer == DESK


async def test_who_is_not_enrolled_or_no_longer_is_refused(store: MemoryStore) -> None:
    assert await refusal(store, by_signature("nguoi-la")) == "wss-invalid"

    await store.end_enrolment(DESK, pair("mot-cua").signer.certificate.fingerprint, "test", NOW)

    assert await refusal(store, by_signature("mot-cua")) == "wss-invalid"


async def test_a_header_that_shows_no_proof_is_refused(store: MemoryStore) -> None:
    assert await refusal(store, secured(envelope(), Proof(), NOW, b"n" * 16)) == "wss-invalid"


@pytest.mark.parametrize("attack", WRAPPINGS)
async def test_a_wrapped_message_is_never_handed_on(store: MemoryStore, attack: str) -> None:
    forged = etree.tostring(WRAPPINGS[attack](by_signature("mot-cua")))

    assert await refusal(store, forged, NOW + 3600 if "Timestamp" in attack else NOW) in {"wss-invalid", "wss-expired"}


async def test_where_nobody_can_know_whether_a_nonce_was_shown_nobody_is_let_in() -> None:
    class Away(MemoryStore):
        async def first_shown(self, mark: bytes, until: float) -> bool:  # noqa: ARG002  # the port's signature
            raise Fault("record-unavailable")

    away = Away(lambda: NOW)
    await away.add_consumer(Consumer(DESK, "c", ""), b"", "test", NOW)
    await away.add_wss_password(DESK, SECRET, "test", NOW)

    assert await refusal(away, by_password(DESK, SECRET)) == "record-unavailable"
