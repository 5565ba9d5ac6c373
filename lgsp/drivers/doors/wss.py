"""Who sent an envelope, by its WS-Security header: a certificate or a password of a registered consumer; and as much as that proves.

A signature proves what it covers, and only that is handed on. A UsernameToken proves who speaks; the envelope is as whole as its transport
kept it. Each nonce and each signature counts once, at whichever node; where that cannot be known, the request is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from lgsp.codec.wss.certificate import read_certificate
from lgsp.codec.wss.header import REMEMBERED_S, check_timestamp, read_security
from lgsp.codec.wss.signature import verify
from lgsp.codec.wss.username import read_username_token
from lgsp.errors import Fault, WssError
from lgsp.model.parties import Proven, SubsystemId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

    from lgsp.codec.wss.certificate import Certificate
    from lgsp.codec.wss.header import Security
    from lgsp.codec.wss.hint import Hint
    from lgsp.codec.wss.signature import Signed
    from lgsp.ports.engine import Proofs

LARGE_BYTES = 65_536
"""From here on a signature takes more than a few milliseconds and leaves the loop."""

_certificate = lru_cache(1024)(read_certificate)


async def prove(root: _Element, document: bytes, proofs: Proofs, now: float) -> Proven | None:
    """Who speaks, and the document that counts from here on; None where no Security header is for us. Raises Fault wss-*."""
    try:
        security = read_security(root)
        return None if security is None else await _prove(security, document, proofs, now)
    except WssError as error:
        raise Fault(error.slug, error.reason) from error


async def _prove(security: Security, document: bytes, proofs: Proofs, now: float) -> Proven:
    signed = await _signed(security, len(document), proofs, now) if security.signature is not None else None
    by_signature = _owner(signed.certificate, proofs) if signed is not None else None
    by_password, nonce = _by_password(security, signed, proofs, now)
    consumer = by_signature or by_password
    if consumer is None:
        raise WssError("the Security header shows neither a signature nor a UsernameToken")
    if by_signature and by_password and by_signature != by_password:
        raise WssError("signature and UsernameToken are of different consumers")
    for mark in (signed.mark if signed else None, nonce):
        if mark is not None and not await proofs.first_shown(mark, now + REMEMBERED_S):
            raise WssError("its nonce or signature was shown before", slug="wss-replayed")
    return Proven(consumer, signed.envelope if signed else document)


async def _signed(security: Security, size_bytes: int, proofs: Proofs, now: float) -> Signed:
    def known(hint: Hint) -> Sequence[Certificate]:
        return [found for each in proofs.certificates() if hint.fits(found := _certificate(each.pem))]

    if size_bytes >= LARGE_BYTES:
        return await asyncio.to_thread(verify, security, known, now)
    return verify(security, known, now)


def _owner(certificate: Certificate, proofs: Proofs) -> SubsystemId:
    return next(each.consumer for each in proofs.certificates() if each.fingerprint == certificate.fingerprint)


def _by_password(security: Security, signed: Signed | None, proofs: Proofs, now: float) -> tuple[SubsystemId | None, bytes | None]:
    """The consumer whose password was shown, and the mark of the nonce if there is one."""
    if security.username_token is None:
        return None, None
    if signed is None and security.timestamp is not None:
        check_timestamp(security, now)
    if signed is not None and not signed.covers_username:
        raise WssError("the UsernameToken beside a signature must be signed")
    token = read_username_token(security.username_token, now)
    consumer = SubsystemId(token.user)
    if not any(token.proves(password) for password in proofs.wss_passwords(consumer)):
        raise WssError("unknown name or wrong password")
    if token.nonce is None:
        return consumer, None
    return consumer, hashlib.sha256(f"{token.user}\n{token.created}\n".encode() + token.nonce).digest()
