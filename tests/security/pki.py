"""Keys and certificates for tests, made in this process and known to nobody."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from lgsp.codec.wss.certificate import Signer, read_signer


class Pair(NamedTuple):
    """A private key and its certificate, in PEM."""

    key: str
    certificate: str

    @property
    def signer(self) -> Signer:
        return read_signer(self.key, self.certificate)


@cache
def pair(name: str, kind: str = "rsa", bits: int = 2048, *, since: int = 2020, until: int = 2040) -> Pair:
    """A self-signed pair; the same name gives the same one within a run."""
    key = rsa.generate_private_key(65537, bits) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(since, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(until, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Pair(private, certificate.public_bytes(Encoding.PEM).decode())
