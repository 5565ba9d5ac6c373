"""WS-Security towards a provider, as its manifest declares: our envelopes are sealed, and of signed answers only what is signed is read."""

from __future__ import annotations

import asyncio
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from lgsp.codec.soap.fragment import parse
from lgsp.codec.wss.certificate import read_certificate, read_signer
from lgsp.codec.wss.header import read_security
from lgsp.codec.wss.signature import verify
from lgsp.codec.wss.write import Proof, secured
from lgsp.errors import SettingsError, WssError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.model.agreed import Provider, Wss

NONCE_BYTES = 16
LARGE_BYTES = 65_536
"""From here on sealing takes more than a few milliseconds and leaves the loop."""

_signer, _certificate = lru_cache(64)(read_signer), lru_cache(64)(read_certificate)


async def seal(document: bytes, rule: Wss | None, bound: Mapping[str, str], now: float) -> bytes:
    """The envelope with what the provider wants to see; as it is where it wants nothing."""
    if rule is None:
        return document
    signer = _signer(bound[rule.key], bound[rule.certificate]) if rule.key else None
    user, password = (bound[rule.user], bound[rule.password]) if rule.user else ("", "")
    proof, nonce = Proof(user, password, rule.is_digest, signer), os.urandom(NONCE_BYTES)
    if len(document) >= LARGE_BYTES:
        return await asyncio.to_thread(secured, document, proof, now, nonce)
    return secured(document, proof, now, nonce)


def unseal(answer: bytes, rule: Wss | None, bound: Mapping[str, str], now: float) -> bytes:
    """The answer as far as it is signed by the provider's certificate, where it must be; WssError if it is not."""
    if rule is None or not rule.answered_by:
        return answer
    security = read_security(parse(answer))
    if security is None:
        raise WssError("the answer is not signed")
    trusted = _certificate(bound[rule.answered_by])
    return verify(security, lambda hint: [trusted] if hint.fits(trusted) else [], now).envelope


def check_bound(bound: Callable[[Provider, str | None], Mapping[str, str]], providers: Sequence[Provider]) -> None:
    """Every bound key and certificate can be used; SettingsError names the providers whose cannot, before any door opens."""
    complaints = []
    for provider in providers:
        rule = provider.auth.wss
        if rule is None:
            continue
        values = bound(provider, None)
        try:
            if rule.key:
                _signer(values[rule.key], values[rule.certificate])
            if rule.answered_by:
                _certificate(values[rule.answered_by])
        except WssError as error:
            complaints.append(f"adapter {provider.code}, auth.wss: {error.reason}")
    if complaints:
        raise SettingsError("\n".join(complaints))
