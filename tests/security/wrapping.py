"""Makes signed envelopes, and from each the ways in which one may try to keep its signature and change what it says (SECURITY row S8)."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import xmlsec
from lxml import etree

from lgsp.codec.wss.header import DS, ID, WSSE, WSU
from lgsp.codec.wss.write import Proof, secured

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

    from lgsp.codec.wss.certificate import Signer

NOW = 1_800_000_000.0
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
ORDER = "urn:lgsp:test"
WRAPPER = f"{{{ORDER}}}Wrapper"


def envelope(name: str = "Nguyễn Văn An", version: str = SOAP_11, header: str = "") -> bytes:
    head = f"<soap:Header>{header}</soap:Header>" if header else ""
    return (
        f'<soap:Envelope xmlns:soap="{version}" xmlns:o="{ORDER}">{head}'
        f'<soap:Body><o:ask><o:name>{name}</o:name><o:row id="1"/><o:row id="1"/></o:ask></soap:Body></soap:Envelope>'
    ).encode()


def signed(signer: Signer, document: bytes | None = None, *, now: float = NOW) -> bytes:
    return secured(document or envelope(header="<o:purpose>xac-minh</o:purpose>"), Proof(signer=signer), now, b"n" * 16)


def parts(document: bytes) -> tuple[_Element, _Element, _Element, _Element]:
    """Envelope, Header, Security, Body."""
    root = etree.fromstring(document)
    header, body = root[0], root[1]
    return root, header, header.find(f"{{{WSSE}}}Security"), body


def evil(body: _Element) -> _Element:
    """The same Body, saying something else, without an id."""
    changed = deepcopy(body)
    changed.attrib.clear()
    changed[0][0].text = "Kẻ Gian"
    return changed


def changed_name(document: bytes) -> bytes:
    """The same envelope about somebody else."""
    return document.replace("Nguyễn Văn An".encode(), "Kẻ Gian".encode())


def _wrapped_in_header(document: bytes) -> _Element:
    root, header, _, body = parts(document)
    root.append(evil(body))
    etree.SubElement(header, WRAPPER).append(body)
    return root


def _same_id_beside(document: bytes) -> _Element:
    root, header, _, body = parts(document)
    other = evil(body)
    other.set(ID, body.get(ID, ""))
    root.append(other)
    etree.SubElement(header, WRAPPER).append(body)
    return root


def _in_the_security_header(document: bytes) -> _Element:
    root, _, security, body = parts(document)
    other = evil(body)
    other.set(ID, body.get(ID, ""))
    root.append(other)
    security.append(body)
    return root


def _in_an_object(document: bytes) -> _Element:
    root, _, security, body = parts(document)
    root.append(evil(body))
    etree.SubElement(security.find(f"{{{DS}}}Signature"), f"{{{DS}}}Object").append(body)
    return root


def _evil_body_first(document: bytes) -> _Element:
    root, _, _, body = parts(document)
    root.insert(1, evil(body))
    return root


def _evil_body_last(document: bytes) -> _Element:
    root, _, _, body = parts(document)
    root.append(evil(body))
    return root


def _evil_ancestor(document: bytes) -> _Element:
    root, _, _, body = parts(document)
    other = evil(body)
    root.append(other)
    etree.SubElement(other[0], WRAPPER).append(body)
    return root


def _whole_envelope_inside(document: bytes) -> _Element:
    root, header, security, body = parts(document)
    new = etree.Element(root.tag, nsmap=root.nsmap)
    head = etree.SubElement(new, header.tag)
    head.append(deepcopy(security))
    other = evil(body)
    other.set(ID, body.get(ID, ""))
    new.append(other)
    etree.SubElement(other[0], WRAPPER).append(root)
    return new


def _fresh_timestamp(document: bytes) -> _Element:
    """An old message with a new Timestamp; the signed one rests in a wrapper."""
    root, header, security, _ = parts(document)
    old = security.find(f"{{{WSU}}}Timestamp")
    new = deepcopy(old)
    security.insert(1, new)
    for child in new:
        child.text = child.text.replace("08:0", "09:0")
    etree.SubElement(header, WRAPPER).append(old)
    return root


def _other_attribute(name: str) -> Callable[[bytes], _Element]:
    def forge(document: bytes) -> _Element:
        root, header, _, body = parts(document)
        other = evil(body)
        other.set(name, body.get(ID, ""))
        root.append(other)
        etree.SubElement(header, WRAPPER).append(body)
        return root

    return forge


def _id_in_the_content(name: str) -> Callable[[bytes], _Element]:
    def forge(document: bytes) -> _Element:
        root, header, _, body = parts(document)
        etree.SubElement(header, WRAPPER).set(name, body.get(ID, ""))
        return root

    return forge


WRAPPINGS: dict[str, Callable[[bytes], _Element]] = {
    "XSW1 signed Body in a header wrapper": _wrapped_in_header,
    "XSW2 the same id beside it": _same_id_beside,
    "XSW3 signed Body in the Security header": _in_the_security_header,
    "XSW4 signed Body in an Object of the signature": _in_an_object,
    "XSW5 another Body before it": _evil_body_first,
    "XSW6 another Body after it": _evil_body_last,
    "XSW7 another Body around it": _evil_ancestor,
    "XSW8 the whole envelope inside another": _whole_envelope_inside,
    "an old message under a new Timestamp": _fresh_timestamp,
    "another Body whose id is ID": _other_attribute("ID"),
    "another Body whose id is Id": _other_attribute("Id"),
    "another Body whose id is xml:id": _other_attribute("{http://www.w3.org/XML/1998/namespace}id"),
    "a second element with the id": _id_in_the_content(ID),
    "a second element with the id in xml:id": _id_in_the_content("{http://www.w3.org/XML/1998/namespace}id"),
}


def resigned(document: bytes, signer: Signer, change: Callable[[_Element, _Element], None]) -> bytes:
    """The envelope changed (Signature, Body) and signed anew by somebody who holds a registered key."""
    root, header, security, body = parts(document)
    signature = security.find(f"{{{DS}}}Signature")
    change(signature, body)
    context = xmlsec.SignatureContext()
    context.key = signer.key
    for part in [body, *header.iter()]:
        if part.get(ID):
            context.register_id(part, "Id", WSU)
    context.sign(signature)
    return etree.tostring(root)
