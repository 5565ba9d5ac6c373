"""The hub behind an X-Road security server: who asks is what that server says, and nobody else is believed.

Its address (or, behind a proxy that ends TLS, its certificate as the proxy tells it by RFC 9440) stands in the settings. The consumer is
the X-Road client, who must be registered with us like any other; user, issue and represented party fill what our own headers leave open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from lgsp.codec.xroad import CLIENT, COMPARED, VERSION, Passport, parts, repeated, speaker
from lgsp.errors import CodecError, Fault
from lgsp.model.parties import Purpose, SubsystemId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from lgsp.drivers.doors.asgi import Asked, Headers

UNDERSTOOD = COMPARED | {VERSION}
CLIENT_HEADER, CERTIFICATE_HEADER = b"x-road-client", b"client-cert"


@dataclass(frozen=True, slots=True)
class Introduced:
    """Whom a security server introduces, what it adds to the purpose, and the header blocks that the answer repeats."""

    consumer: SubsystemId
    passport: Passport
    blocks: bytes = b""

    def purpose(self, said: Purpose) -> Purpose:
        """What was said, and where nothing was, what X-Road knows."""
        return replace(
            said,
            official=said.official or self.passport.user,
            dossier=said.dossier or self.passport.issue,
            represented_party=said.represented_party or self.passport.party,
        )


def introduced_in_rest(asked: Asked, servers: Mapping[str, str]) -> Introduced | None:
    """By the headers of a request; None where no security server of ours speaks. servers: address to certificate (SHA-256) or ""."""
    client = asked.headers.get(CLIENT_HEADER)
    if client is None or not _is_ours(asked, servers):
        return None
    headers, identifier = asked.headers, "/".join(unquote(part) for part in client.split("/"))
    try:
        parts(identifier)
    except CodecError as error:
        raise Fault("malformed-request", f"X-Road-Client: {error.reason}") from error
    passport = Passport(
        identifier,
        unquote(headers.text(b"x-road-service")),
        headers.text(b"x-road-id"),
        _plain(headers, b"x-road-userid"),
        _plain(headers, b"x-road-issue"),
        _plain(headers, b"x-road-represented-party"),
    )
    return Introduced(SubsystemId(identifier), passport)


def introduced_in_soap(asked: Asked, envelope: _Element, servers: Mapping[str, str]) -> Introduced | None:
    """By the header of an envelope; the service that it names must be the one that the Body asks for."""
    if len(envelope) == 1 or envelope.find(f"*/{CLIENT}") is None or not _is_ours(asked, servers):
        return None
    try:
        passport = speaker(envelope)
    except CodecError as error:
        raise Fault("malformed-body", error.reason) from error
    if not str(envelope[1][0].tag).rpartition("}")[2].startswith(passport.service.split("/")[4]):
        raise Fault("malformed-body", "the X-Road header names another service than the Body")
    return Introduced(SubsystemId(passport.client), passport, repeated(envelope))


def _is_ours(asked: Asked, servers: Mapping[str, str]) -> bool:
    wanted = servers.get(asked.source)
    if not wanted:
        return wanted is not None
    shown = (asked.headers.get(CERTIFICATE_HEADER) or "").strip()
    try:
        der = base64.b64decode(shown.removeprefix(":").removesuffix(":"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hashlib.sha256(der).hexdigest() == wanted


def _plain(headers: Headers, name: bytes) -> str | None:
    return unquote(headers.text(name)) or None
