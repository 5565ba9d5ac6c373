"""The X-Road message protocol (pr-mess 4.0, pr-rest r1): identifiers, addresses, headers in SOAP and REST, and the hash of a request.

An identifier is `instance/class/member/subsystem`, with a service code and perhaps a version after it. What a service gives back must
repeat the header of its request unchanged and in order; what comes back to us is held against what we sent.
"""

from __future__ import annotations

import base64
import hashlib
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from lxml import etree

from lgsp.codec.soap.fragment import parse
from lgsp.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

HEAD, IDS = "http://x-road.eu/xsd/xroad.xsd", "http://x-road.eu/xsd/identifiers"
REPRESENTATION = "http://x-road.eu/xsd/representation.xsd"
PROTOCOL = "4.0"
SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
HASHES = {SHA512: hashlib.sha512, "http://www.w3.org/2001/04/xmlenc#sha256": hashlib.sha256}
CLIENT, SERVICE, ID, USER, ISSUE = (f"{{{HEAD}}}{name}" for name in ("client", "service", "id", "userId", "issue"))
VERSION, REQUEST_HASH = f"{{{HEAD}}}protocolVersion", f"{{{HEAD}}}requestHash"
PARTY = f"{{{REPRESENTATION}}}representedParty"
COMPARED = frozenset({CLIENT, SERVICE, ID, USER, ISSUE, PARTY})
"""What a security server compares between request and answer."""
PARTS = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode", "serviceVersion")
FEWEST, SUBSYSTEM, LONGEST = 3, 4, 256
_NAMES = {"xrd": HEAD, "id": IDS}


@dataclass(frozen=True, slots=True)
class Passport:
    """What a request says about itself: client and service as identifiers, its id, and what is known of user, issue and party."""

    client: str
    service: str
    id: str
    user: str | None = None
    issue: str | None = None
    party: str | None = None


def parts(identifier: str) -> Sequence[str]:
    """The parts of an identifier, each of them not empty; CodecError."""
    found = identifier.split("/")
    if not FEWEST <= len(found) <= len(PARTS) or not all(found) or len(identifier) > LONGEST:
        raise CodecError("an X-Road identifier has three to six parts with / between them")
    return found


# ---- REST ----------------------------------------------------------------------------------------------------------------------------


def rest_path(service: str) -> str:
    """`/r1/instance/class/member/subsystem/service`, each part encoded on its own."""
    return "/r1/" + "/".join(quote(part, safe="") for part in parts(service))


def rest_headers(passport: Passport) -> dict[str, str]:
    """The headers of a request; texts beyond ASCII are percent-encoded, as in the path."""
    client = {"X-Road-Client": "/".join(quote(part, safe="") for part in parts(passport.client))}
    values = {
        "X-Road-Id": passport.id,
        "X-Road-UserId": passport.user,
        "X-Road-Issue": passport.issue,
        "X-Road-Represented-Party": passport.party,
    }
    return client | {name: quote(value, safe="/:.-_~ +,()'=?") for name, value in values.items() if value}


def forwarded(address: str, path: str, destination: str, provider: str) -> str:
    """The address of an adapter that forwards: the provider's path below it, destination and the provider's own address in the query."""
    joint = "&" if "?" in path else "?"
    return f"{address}{path}{joint}dstcode={quote(destination, safe=':.')}&providerurl={quote(provider, safe='')}"


# ---- SOAP ----------------------------------------------------------------------------------------------------------------------------


def with_header(document: bytes, passport: Passport) -> bytes:
    """The envelope with the X-Road header of this request before its other blocks."""
    envelope = parse(document)
    version = etree.QName(envelope).namespace
    if len(envelope) == 1:
        envelope.insert(0, etree.Element(f"{{{version}}}Header"))
    envelope[0][:0] = _blocks(passport)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _blocks(passport: Passport) -> list[_Element]:
    texts = {ID: passport.id, USER: passport.user, ISSUE: passport.issue, VERSION: PROTOCOL}
    blocks = [_identifier(CLIENT, passport.client), _identifier(SERVICE, passport.service)]
    for tag, text in texts.items():
        if text:
            block = etree.Element(tag, nsmap=_NAMES)
            block.text = text
            blocks.append(block)
    if passport.party:
        block = etree.Element(PARTY, nsmap={"repr": REPRESENTATION})
        *kind, code = passport.party.split("/")[-2:]
        if kind:
            etree.SubElement(block, f"{{{REPRESENTATION}}}partyClass").text = kind[0]
        etree.SubElement(block, f"{{{REPRESENTATION}}}partyCode").text = code
        blocks.append(block)
    return blocks


def _identifier(tag: str, identifier: str) -> _Element:
    found = parts(identifier)
    kind = "SERVICE" if tag == SERVICE else "SUBSYSTEM" if len(found) == SUBSYSTEM else "MEMBER"
    block = etree.Element(tag, attrib={f"{{{IDS}}}objectType": kind}, nsmap=_NAMES)
    for name, part in zip(PARTS, found, strict=False):
        etree.SubElement(block, f"{{{IDS}}}{name}").text = part
    return block


def request_hash(content: bytes) -> str:
    """Base64(SHA-512) of a POST's body."""
    return base64.b64encode(hashlib.sha512(content).digest()).decode()


def check_answer(request: bytes, answer: bytes) -> None:
    """The answer repeats the header of the request, and its requestHash, where there is one, is that of the bytes we sent; CodecError."""
    sent, envelope = _compared(parse(request)), parse(answer)
    if not _is_fault(envelope) and sent != _compared(envelope):
        raise CodecError("the answer does not repeat the X-Road header of the request")
    found = envelope.find(f"*/{REQUEST_HASH}")
    if found is None:
        return
    algorithm = HASHES.get(found.get("algorithmId", SHA512))
    if algorithm is None or base64.b64encode(algorithm(request).digest()).decode() != "".join((found.text or "").split()):
        raise CodecError("the X-Road request hash is not that of what was sent")


def _compared(envelope: _Element) -> list[tuple[str, Sequence[str]]]:
    header = envelope[0] if len(envelope) > 1 else ()
    return [(str(block.tag), _texts(block)) for block in header if block.tag in COMPARED]


def _texts(block: _Element) -> Sequence[str]:
    return [found for text in block.itertext() if (found := str(text).strip())]


def _is_fault(envelope: _Element) -> bool:
    return len(envelope[-1]) == 1 and str(envelope[-1][0].tag).endswith("}Fault")


def speaker(envelope: _Element) -> Passport:
    """Who asks for what, by the header of a request; CodecError names the field that is missing, doubled or broken."""
    blocks: dict[str, _Element] = {}
    for block in envelope[0] if len(envelope) > 1 else ():
        tag = str(block.tag)
        if tag in blocks and tag.startswith((f"{{{HEAD}}}", f"{{{REPRESENTATION}}}")):
            raise CodecError(f"the X-Road header has {tag.rpartition('}')[2]} twice")
        blocks[tag] = block
    missing = [tag.rpartition("}")[2] for tag in (CLIENT, SERVICE, ID, VERSION) if tag not in blocks]
    if missing:
        raise CodecError(f"the X-Road header lacks {', '.join(missing)}")
    texts = {tag: (block.text or "").strip() for tag, block in blocks.items()}
    if texts[VERSION] != PROTOCOL:
        raise CodecError("the X-Road protocol version is not 4.0")
    party = blocks.get(PARTY)
    represented = None if party is None else "/".join(_texts(party))
    return Passport(_read(blocks[CLIENT]), _read(blocks[SERVICE]), texts[ID], texts.get(USER), texts.get(ISSUE), represented)


def _read(block: _Element) -> str:
    found = [child.tag.rpartition("}")[2] for child in block]
    if found != [name for name in PARTS if name in found] or len(set(found)) != len(found):
        raise CodecError("an X-Road identifier has parts in another order than instance, class, member, subsystem, service, version")
    return "/".join(parts("/".join((child.text or "").strip() for child in block)))


def repeated(envelope: _Element) -> bytes:
    """The X-Road header blocks of a request as they came, in their order, for the answer; a requestHash is the server's to add."""
    spaces = (f"{{{HEAD}}}", f"{{{REPRESENTATION}}}", "{http://x-road.eu/xsd/security-token.xsd}")
    header = envelope[0] if len(envelope) > 1 else ()
    blocks = [deepcopy(block) for block in header if str(block.tag).startswith(spaces) and block.tag != REQUEST_HASH]
    for block in blocks:
        block.tail = None
    return b"".join(etree.tostring(block) for block in blocks)
