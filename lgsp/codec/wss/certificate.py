"""X.509 certificates and keys of those whose signatures count; they come from settings and the register, never from a message."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from lgsp.errors import WssError

if TYPE_CHECKING:
    import xmlsec

RSA_BITS = 2048
CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that was registered; `fingerprint` is SHA-256 of `der` in hex, times are POSIX seconds, `key` the public one."""

    der: bytes = field(repr=False)
    fingerprint: str
    subject: str
    serial: int
    key_id: bytes | None
    not_before: float
    not_after: float
    is_rsa: bool
    key: xmlsec.Key = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its certificate."""

    certificate: Certificate
    key: xmlsec.Key = field(repr=False)


def read_certificate(pem: str) -> Certificate:
    """The one certificate of a PEM text; WssError if it is none or has a weak key (RSA below 2048 bits, a curve that is not NIST's)."""
    try:
        found = x509.load_pem_x509_certificate(_lines(pem))
        public = found.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise WssError("this is no X.509 certificate in PEM") from error
    strong = (isinstance(public, rsa.RSAPublicKey) and public.key_size >= RSA_BITS) or (
        isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in CURVES
    )
    if not strong:
        raise WssError(f"the certificate's key is neither RSA of {RSA_BITS} bits or more nor on a NIST curve")
    import xmlsec  # noqa: PLC0415  # 10 MB that only who meets a signature needs

    der = found.public_bytes(Encoding.DER)
    return Certificate(
        der=der,
        fingerprint=hashlib.sha256(der).hexdigest(),
        subject=found.subject.rfc4514_string(),
        serial=found.serial_number,
        key_id=_key_id(found),
        not_before=found.not_valid_before_utc.timestamp(),
        not_after=found.not_valid_after_utc.timestamp(),
        is_rsa=isinstance(public, rsa.RSAPublicKey),
        key=xmlsec.Key.from_memory(found.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatCertPem),
    )


def read_signer(key_pem: str, certificate_pem: str) -> Signer:
    """A private key in PEM (PKCS#8 or older forms, no passphrase) and its certificate; WssError if they do not belong together."""
    certificate = read_certificate(certificate_pem)
    try:
        private = load_pem_private_key(_lines(key_pem), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise WssError("this is no private key in PEM without a passphrase") from error
    if private.public_key() != x509.load_der_x509_certificate(certificate.der).public_key():
        raise WssError("the private key does not belong to the certificate")
    import xmlsec  # noqa: PLC0415  # as above

    return Signer(certificate, xmlsec.Key.from_memory(_lines(key_pem), xmlsec.constants.KeyDataFormatPem))


def _lines(pem: str) -> bytes:
    """PEM as it is written; in a setting of one line, backslash and n may stand for a line feed."""
    return pem.replace("\\n", "\n").encode()


def _key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None
