"""Adds a WS-Security header to an envelope of ours: a Timestamp, a UsernameToken, a signature over Body, tokens and header blocks."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from lgsp.codec.wss.header import BASE64, BINARY_TOKEN, DS, ID, LIFE_S, SECURITY, TIMESTAMP, WSSE, WSU, X509_TOKEN, text_of
from lgsp.codec.wss.username import UsernameToken, digest_of, write_username_token

if TYPE_CHECKING:
    from lxml.etree import _Element

    from lgsp.codec.wss.certificate import Signer

NAMES = {"wsse": WSSE, "wsu": WSU}
TOKEN_ID = "lgsp-token"  # noqa: S105  # an id within the document


@dataclass(frozen=True, slots=True)
class Proof:
    """What an envelope is to show: a user with a password (as a digest or in clear), a signature, or both."""

    user: str = ""
    password: str = ""
    is_digest: bool = True
    signer: Signer | None = None

    def __repr__(self) -> str:
        return f"Proof({self.user!r}, ***)"


def secured(document: bytes, proof: Proof, now: float, nonce: bytes) -> bytes:
    """The envelope with its Security header; `nonce`: 16 random bytes of this message alone."""
    envelope = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    version, body = etree.QName(envelope).namespace, envelope[-1]
    header = envelope[0] if len(envelope) > 1 else etree.Element(f"{{{version}}}Header")
    envelope.insert(0, header)
    blocks = list(header)
    security = etree.SubElement(header, SECURITY, attrib={f"{{{version}}}mustUnderstand": "1"}, nsmap=NAMES)
    parts = [_timestamp(security, now), body, *blocks]
    if proof.user:
        created = text_of(now)
        shown = digest_of(nonce, created, proof.password) if proof.is_digest else proof.password
        parts.append(write_username_token(security, UsernameToken(proof.user, shown, proof.is_digest, nonce, created)))
    if proof.signer is not None:
        _sign(security, parts, proof.signer)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _timestamp(security: _Element, now: float) -> _Element:
    written = etree.SubElement(security, TIMESTAMP)
    etree.SubElement(written, f"{{{WSU}}}Created").text = text_of(now)
    etree.SubElement(written, f"{{{WSU}}}Expires").text = text_of(now + LIFE_S)
    return written


def _sign(security: _Element, parts: list[_Element], signer: Signer) -> None:
    import xmlsec  # noqa: PLC0415  # 10 MB that only who meets a signature needs

    token = etree.Element(BINARY_TOKEN, attrib={"EncodingType": BASE64, "ValueType": X509_TOKEN})
    token.text = base64.b64encode(signer.certificate.der).decode()
    security.insert(0, token)
    named = {TOKEN_ID: token, **{f"lgsp-{place}": part for place, part in enumerate(parts)}}
    method = xmlsec.constants.TransformRsaSha256 if signer.certificate.is_rsa else xmlsec.constants.TransformEcdsaSha256
    template = xmlsec.template.create(security, xmlsec.constants.TransformExclC14N, method)
    context = xmlsec.SignatureContext()
    context.key = signer.key
    for name, part in named.items():
        part.set(ID, name)
        context.register_id(part, "Id", WSU)
        _refer(template, name, part)
    info = etree.SubElement(template, f"{{{DS}}}KeyInfo")
    pointer = etree.SubElement(etree.SubElement(info, f"{{{WSSE}}}SecurityTokenReference"), f"{{{WSSE}}}Reference")
    pointer.attrib.update({"URI": f"#{TOKEN_ID}", "ValueType": X509_TOKEN})
    security.append(template)
    context.sign(template)


def _refer(template: _Element, name: str, part: _Element) -> None:
    """One reference; the prefixes in scope are signed too, since texts (xsi:type) may use them and canonical XML cannot see that."""
    import xmlsec  # noqa: PLC0415  # as above

    reference = xmlsec.template.add_reference(template, xmlsec.constants.TransformSha256, uri=f"#{name}")
    transform = xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    prefixes = sorted(prefix for prefix in part.nsmap if prefix)
    if prefixes:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(transform, prefixes)
