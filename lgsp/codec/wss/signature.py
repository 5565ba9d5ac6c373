"""Verifying a WS-Security signature so that only what was signed is used afterwards.

What an attacker may write is read as little as possible. The form of SignedInfo is fixed before any key is touched: exclusive canonical
XML and nothing else, RSA or ECDSA with SHA-2, references to our own Body, Timestamp, tokens and header blocks by wsu:Id. KeyInfo only
says which registered certificate to try. What counts afterwards are not elements that a reference once pointed to, but bytes: for each
reference the canonical form is made once more here, held against the signed digest, and handed on in a new envelope, where nothing else
stands.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree

from lgsp.codec.wss.header import DS, ID, SECURITY, WSU, check_timestamp, local
from lgsp.codec.wss.hint import read_hint
from lgsp.errors import WssError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lxml.etree import _Element

    from lgsp.codec.wss.certificate import Certificate
    from lgsp.codec.wss.header import Security
    from lgsp.codec.wss.hint import Hint

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
PREFIXES = f"{{{EXCLUSIVE}}}InclusiveNamespaces"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_METHODS = frozenset({f"{MORE}rsa-sha256", f"{MORE}rsa-sha384", f"{MORE}rsa-sha512"})
EC_METHODS = frozenset({f"{MORE}ecdsa-sha256", f"{MORE}ecdsa-sha384", f"{MORE}ecdsa-sha512"})
DIGESTS = {
    "http://www.w3.org/2001/04/xmlenc#sha256": hashlib.sha256,
    f"{MORE}sha384": hashlib.sha384,
    "http://www.w3.org/2001/04/xmlenc#sha512": hashlib.sha512,
}
REFERENCES = 20
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
XOP = "{http://www.w3.org/2004/08/xop/include}Include"
NOTHING: Sequence[str] = ()

_LOOKS_LIKE_ID = etree.XPath("//@*[translate(local-name(), 'ID', 'id') = 'id']")
TRANSFORMS = ("ExclC14N", "Sha256", "Sha384", "Sha512")
METHODS = ("ExclC14N", "RsaSha256", "RsaSha384", "RsaSha512", "EcdsaSha256", "EcdsaSha384", "EcdsaSha512")


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature proves: the registered certificate, the envelope of nothing but signed parts, and a mark to know it again by."""

    certificate: Certificate
    envelope: bytes
    mark: bytes
    covers_username: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing that was signed: the element, and its canonical bytes."""

    element: _Element
    canonical: bytes


def verify(security: Security, known: Callable[[Hint], Sequence[Certificate]], now: float) -> Signed:
    """Body and Timestamp are signed by one of the registered certificates that `known` gives for the message's hint; WssError if not."""
    signature = security.signature
    if signature is None:
        raise WssError("the message is not signed")
    info = _checked_form(signature)
    named = {_target(each.get("URI", ""), security): each for each in info.findall(f"{{{DS}}}Reference")}
    if len(named) != len(info) - 2:
        raise WssError("a part is signed twice")
    if security.body not in named or security.timestamp is None or security.timestamp not in named:
        raise WssError("Body and Timestamp must both be signed")
    _refuse_doubled_ids(security, named)
    if next(security.body.iter(XOP), None) is not None:
        raise WssError("attachments lie outside the signature; send them within the Body")
    check_timestamp(security, now)
    candidates = known(read_hint(security))
    if not candidates:
        raise WssError("no registered certificate made this signature")
    references = [_reference(element, node) for element, node in named.items()]  # only now, since a stranger may name much
    certificate = _signed_by(signature, info, candidates, list(named))
    if not certificate.not_before <= now <= certificate.not_after:
        raise WssError("the certificate is not valid at this time")
    mark = hashlib.sha256(certificate.der + _canonical(info, NOTHING)).digest()
    return Signed(certificate, _only_signed(security, references), mark, security.username_token in named)


def _checked_form(signature: _Element) -> _Element:
    """SignedInfo, once it is clear that it holds nothing that could mean something else than it seems."""
    children = [child.tag for child in signature]
    if children != [f"{{{DS}}}SignedInfo", f"{{{DS}}}SignatureValue", f"{{{DS}}}KeyInfo"]:
        raise WssError("the Signature must hold SignedInfo, SignatureValue and KeyInfo, and nothing else")
    info = signature[0]
    forms = [child.tag for child in info]
    if forms[:2] != [f"{{{DS}}}CanonicalizationMethod", f"{{{DS}}}SignatureMethod"] or set(forms[2:]) != {f"{{{DS}}}Reference"}:
        raise WssError("SignedInfo does not have the form of XML Signature")
    if len(forms) - 2 > REFERENCES:
        raise WssError(f"more than {REFERENCES} references are signed")
    _prefixes(info[0], "SignedInfo")
    if info[1].get("Algorithm") not in RSA_METHODS | EC_METHODS or len(info[1]):
        raise WssError("the signature method is not allowed; use RSA or ECDSA with SHA-256 or longer")
    return info


def _prefixes(method: _Element, place: str) -> Sequence[str]:
    """The prefixes that an exclusive canonicalisation keeps; another algorithm is refused."""
    if method.get("Algorithm") != EXCLUSIVE:
        raise WssError(f"{place}: only exclusive canonical XML without comments is allowed")
    if not len(method):
        return NOTHING
    if len(method) > 1 or method[0].tag != PREFIXES:
        raise WssError(f"{place}: the canonicalisation has parameters that are not known")
    return (method[0].get("PrefixList") or "").split()


def _reference(element: _Element, node: _Element) -> Reference:
    """What a reference names, found by us, with its canonical bytes held against the digest."""
    if [child.tag for child in node] != [f"{{{DS}}}Transforms", f"{{{DS}}}DigestMethod", f"{{{DS}}}DigestValue"]:
        raise WssError("a Reference must hold Transforms, DigestMethod and DigestValue")
    transforms, method, value = node
    if len(transforms) != 1 or transforms[0].tag != f"{{{DS}}}Transform" or node.get("Type") is not None:
        raise WssError("a Reference has more or other than one transform")
    algorithm = DIGESTS.get(method.get("Algorithm", ""))
    if algorithm is None or len(method):
        raise WssError("the digest method is not allowed; use SHA-256 or longer")
    canonical = _canonical(element, _prefixes(transforms[0], local(element)))
    if algorithm(canonical).digest() != _decoded(value):
        raise WssError(f"{local(element)} is not what was signed")
    return Reference(element, canonical)


def _decoded(value: _Element) -> bytes:
    try:
        return base64.b64decode("".join((value.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WssError("a digest is not Base64") from error


def _target(uri: str, security: Security) -> _Element:
    """The one part of ours with this wsu:Id: Body, a block of Header, a token of our Security header."""
    name = uri.removeprefix("#")
    if not uri.startswith("#") or not NAME.fullmatch(name):
        raise WssError("a Reference names nothing within the message")
    blocks = [block for block in security.header if block.tag != SECURITY]
    places = [security.body, *blocks, *(token for token in security.block if token is not security.signature)]
    found = [place for place in places if place.get(ID) == name]
    if len(found) != 1:
        raise WssError("a Reference does not name the Body, a header block or a token of this message")
    return found[0]


def _refuse_doubled_ids(security: Security, elements: Iterable[_Element]) -> None:
    """A signed id stands once in the whole document, in whatever attribute somebody might take for an id."""
    signed = {element.get(ID) for element in elements}
    found: Any = _LOOKS_LIKE_ID(security.envelope)
    if sum(value in signed for value in found) != len(signed):
        raise WssError("the id of a signed part is there twice")


def _canonical(element: _Element, prefixes: Sequence[str]) -> bytes:
    """Exclusive canonical XML of the element where it stands.

    lxml cuts the ancestors off before it looks for the prefixes to keep, so then a copy is taken that declares all that is in scope.
    """
    if not prefixes:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    scope: Any = element.nsmap
    whole = etree.Element(element.tag, attrib={str(name): str(value) for name, value in element.attrib.items()}, nsmap=scope)
    whole.text = element.text
    whole.extend([deepcopy(child) for child in element])
    return etree.tostring(whole, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=list(prefixes))


def _signed_by(signature: _Element, info: _Element, certificates: Sequence[Certificate], elements: Sequence[_Element]) -> Certificate:
    """The registered certificate whose key made the signature; KeyInfo is never asked for a key."""
    is_rsa = info[1].get("Algorithm") in RSA_METHODS
    for certificate in certificates:
        if certificate.is_rsa is is_rsa and _holds(signature, certificate, elements):
            return certificate
    raise WssError("no registered certificate made this signature")


def _holds(signature: _Element, certificate: Certificate, elements: Sequence[_Element]) -> bool:
    import xmlsec  # noqa: PLC0415  # 10 MB that only who meets a signature needs

    context = xmlsec.SignatureContext()
    context.key = certificate.key
    for name in TRANSFORMS:
        context.enable_reference_transform(getattr(xmlsec.constants, f"Transform{name}"))
    for name in METHODS:
        context.enable_signature_transform(getattr(xmlsec.constants, f"Transform{name}"))
    try:
        for element in elements:
            context.register_id(element, "Id", WSU)
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


def _only_signed(security: Security, references: Sequence[Reference]) -> bytes:
    """A new envelope of the signed header blocks and the Body, each as the bytes that were signed."""
    version = etree.QName(security.envelope).namespace
    signed = {reference.element: reference.canonical for reference in references}
    blocks = b"".join(signed[block] for block in security.header if block in signed)
    header = b"<s:Header>" + blocks + b"</s:Header>" if blocks else b""
    return f'<s:Envelope xmlns:s="{version}">'.encode() + header + signed[security.body] + b"</s:Envelope>"
