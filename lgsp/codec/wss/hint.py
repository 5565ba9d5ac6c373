"""What a signature's KeyInfo says about its certificate: a hint which registered one to try, and nothing more."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.codec.wss.header import DS, ID, OASIS, WSSE, X509_TOKEN
from lgsp.errors import WssError

if TYPE_CHECKING:
    from lxml.etree import _Element

    from lgsp.codec.wss.certificate import Certificate
    from lgsp.codec.wss.header import Security

REFERENCE = f"{{{WSSE}}}SecurityTokenReference"
THUMBPRINT = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"
KEY_ID = f"{OASIS}x509-token-profile-1.0#X509SubjectKeyIdentifier"


@dataclass(frozen=True, slots=True)
class Hint:
    """The certificate as the message names it, in one of four ways: whole, by its SHA-1, by its key's identifier, by its serial number."""

    der: bytes | None = None
    thumbprint: bytes | None = None
    key_id: bytes | None = None
    serial: int | None = None

    def fits(self, certificate: Certificate) -> bool:
        """Whether this registered certificate may be meant; of a serial number the issuer is not compared, the signature decides."""
        if self.der is not None:
            return self.der == certificate.der
        if self.thumbprint is not None:
            return self.thumbprint == hashlib.sha1(certificate.der, usedforsecurity=False).digest()
        if self.key_id is not None:
            return self.key_id == certificate.key_id
        return self.serial is not None and self.serial == certificate.serial


def read_hint(security: Security) -> Hint:
    """The hint of the message's signature; a KeyInfo that sends somebody elsewhere for the key is refused."""
    info = None if security.signature is None else security.signature.find(f"{{{DS}}}KeyInfo")
    if info is None or len(info) != 1:
        raise WssError("KeyInfo must name one certificate")
    named = info[0]
    if named.tag == f"{{{DS}}}X509Data":
        return _x509(named)
    if named.tag != REFERENCE or len(named) != 1:
        raise WssError("KeyInfo holds neither a SecurityTokenReference nor X509Data")
    return _token_reference(named[0], security)


def _token_reference(pointer: _Element, security: Security) -> Hint:
    if pointer.tag == f"{{{DS}}}X509Data":
        return _x509(pointer)
    if pointer.tag == f"{{{WSSE}}}Reference":
        return _binary_token(pointer.get("URI", ""), security)
    if pointer.tag != f"{{{WSSE}}}KeyIdentifier":
        raise WssError("a SecurityTokenReference of this kind is not supported")
    content, kind = _decoded(pointer), pointer.get("ValueType")
    if kind == THUMBPRINT:
        return Hint(thumbprint=content)
    if kind == KEY_ID:
        return Hint(key_id=content)
    if kind == X509_TOKEN:
        return Hint(der=content)
    raise WssError("a KeyIdentifier of this kind is not supported")


def _binary_token(uri: str, security: Security) -> Hint:
    token = security.binary_token
    if token is None or not uri or uri != f"#{token.get(ID)}":
        raise WssError("the SecurityTokenReference does not name the BinarySecurityToken of this message")
    if token.get("ValueType") != X509_TOKEN:
        raise WssError("the BinarySecurityToken is no X.509 certificate (X509v3)")
    return Hint(der=_decoded(token))


def _x509(found: _Element) -> Hint:
    certificate = found.find(f"{{{DS}}}X509Certificate")
    if certificate is not None:
        return Hint(der=_decoded(certificate))
    key_id = found.find(f"{{{DS}}}X509SKI")
    if key_id is not None:
        return Hint(key_id=_decoded(key_id))
    serial = (found.findtext(f"{{{DS}}}X509IssuerSerial/{{{DS}}}X509SerialNumber") or "").strip()
    if not serial.isascii() or not serial.isdecimal() or len(serial) > 50:  # noqa: PLR2004  # RFC 5280: 20 octets
        raise WssError("X509Data names no certificate")
    return Hint(serial=int(serial))


def _decoded(element: _Element) -> bytes:
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WssError("a certificate or its name is not Base64") from error
