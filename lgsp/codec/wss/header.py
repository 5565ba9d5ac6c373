"""WS-Security 1.1: its names, and the Security header of an envelope taken apart with suspicion.

The rules that keep a signature from being wrapped (SECURITY row S8): Header and Body are the envelope's own children and nothing else is;
one Security header is ours; each token stands in it at most once; what it does not know, it refuses. Whatever looks like a Security header
or a signature elsewhere is content and proves nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lgsp.codec.soap.tables import SOAP_11, SOAP_12
from lgsp.errors import WssError

if TYPE_CHECKING:
    from lxml.etree import _Element

OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE, WSU = f"{OASIS}wssecurity-secext-1.0.xsd", f"{OASIS}wssecurity-utility-1.0.xsd"
DS = "http://www.w3.org/2000/09/xmldsig#"
PASSWORD_TEXT, PASSWORD_DIGEST = f"{OASIS}username-token-profile-1.0#PasswordText", f"{OASIS}username-token-profile-1.0#PasswordDigest"
BASE64 = f"{OASIS}soap-message-security-1.0#Base64Binary"
X509_TOKEN = f"{OASIS}x509-token-profile-1.0#X509v3"

SECURITY, TIMESTAMP, USERNAME_TOKEN = f"{{{WSSE}}}Security", f"{{{WSU}}}Timestamp", f"{{{WSSE}}}UsernameToken"
BINARY_TOKEN, SIGNATURE, ID = f"{{{WSSE}}}BinarySecurityToken", f"{{{DS}}}Signature", f"{{{WSU}}}Id"
TOKENS = {TIMESTAMP: "timestamp", USERNAME_TOKEN: "username_token", BINARY_TOKEN: "binary_token", SIGNATURE: "signature"}

SKEW_S = 60.0
"""How far a sender's clock may be off."""
LIFE_S = 300.0
"""How old a message may be, whatever it says itself; so long its nonce or signature must be remembered."""
REMEMBERED_S = LIFE_S + 2 * SKEW_S

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Security:
    """An envelope with the one Security header that is addressed to us, and that header's tokens."""

    envelope: _Element
    body: _Element
    block: _Element
    timestamp: _Element | None = None
    username_token: _Element | None = None
    binary_token: _Element | None = None
    signature: _Element | None = None

    @property
    def header(self) -> _Element:
        """The envelope's Header."""
        return self.envelope[0]


def read_security(envelope: _Element) -> Security | None:
    """The Security header of a parsed envelope (see fragment.parse: no DOCTYPE, no comments), or None where there is none for us."""
    version = str(envelope.tag).removesuffix("}Envelope").removeprefix("{")
    if version not in {SOAP_11, SOAP_12}:
        raise WssError("the root element is no SOAP envelope")
    parts = [child.tag for child in envelope]
    if parts not in ([f"{{{version}}}Body"], [f"{{{version}}}Header", f"{{{version}}}Body"]):
        raise WssError("the envelope holds more or other than one Header and one Body, in this order")
    ours = [block for block in envelope[0] if block.tag == SECURITY and is_for_us(block, version)]
    if len(parts) == 1 or not ours:
        return None
    if len(ours) > 1:
        raise WssError("there is more than one Security header")
    return Security(envelope, envelope[1], ours[0], **_tokens(ours[0]))


def is_for_us(block: _Element, version: str) -> bool:
    """Whether a header block is addressed to the ultimate receiver or to whoever comes next."""
    if version == SOAP_11:
        return block.get(f"{{{version}}}actor", "") in {"", "http://schemas.xmlsoap.org/soap/actor/next"}
    return block.get(f"{{{version}}}role", "") in {"", f"{version}/role/next", f"{version}/role/ultimateReceiver"}


def _tokens(block: _Element) -> dict[str, _Element]:
    found: dict[str, _Element] = {}
    for child in block:
        name = TOKENS.get(str(child.tag))
        if name is None:
            raise WssError(f"the Security header holds a token that is not supported: {local(child)}")
        if name in found:
            raise WssError(f"the Security header holds {local(child)} twice")
        found[name] = child
    return found


def local(element: _Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def only_text(parent: _Element, name: str) -> str | None:
    """The text of the one child of this name, or None; children of children are no text."""
    found = parent.findall(name)
    if not found:
        return None
    if len(found) > 1 or len(found[0]):
        raise WssError(f"{name.rpartition('}')[2]} is there twice or is no text")
    return (found[0].text or "").strip()


def moment(text: str) -> float:
    """POSIX seconds of an xsd:dateTime with a zone."""
    try:
        return datetime.fromisoformat(_MOMENT.fullmatch(text)[0]).timestamp()  # type: ignore[index]  # no match is a TypeError
    except (TypeError, ValueError) as error:
        raise WssError("a time is no xsd:dateTime with a zone") from error


def text_of(at: float) -> str:
    """The other way round, in UTC and milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check_fresh(created: str, expires: str | None, now: float) -> None:
    """Refuse what was made too long ago, or in the future, or says itself that it is over."""
    since = moment(created)
    ends = min(since + LIFE_S, moment(expires) if expires else since + LIFE_S)
    if since > now + SKEW_S:
        raise WssError("the message was made in the future", slug="wss-expired")
    if now > ends + SKEW_S:
        raise WssError("the message is too old", slug="wss-expired")


def check_timestamp(security: Security, now: float) -> None:
    """The Timestamp is there and fresh."""
    if security.timestamp is None:
        raise WssError("the Timestamp is missing")
    created = only_text(security.timestamp, f"{{{WSU}}}Created")
    if created is None:
        raise WssError("the Timestamp does not say when it was made")
    check_fresh(created, only_text(security.timestamp, f"{{{WSU}}}Expires"), now)
