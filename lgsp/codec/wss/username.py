"""WS-Security UsernameToken (profile 1.1): read, judged, written; in clear or as Base64(SHA-1(nonce + created + password)).

The digest needs the password itself on both sides. It proves who speaks and not what is said: only the transport keeps the Body whole.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from lgsp.codec.wss.header import BASE64, PASSWORD_DIGEST, PASSWORD_TEXT, USERNAME_TOKEN, WSSE, WSU, check_fresh, only_text
from lgsp.errors import WssError

if TYPE_CHECKING:
    from lxml.etree import _Element

NONCE_BYTES = range(8, 65)
CREATED, PASSWORD, NONCE = f"{{{WSU}}}Created", f"{{{WSSE}}}Password", f"{{{WSSE}}}Nonce"


@dataclass(frozen=True, slots=True)
class UsernameToken:
    """Who somebody says to be, and what they show for it; `nonce` and `created` are there whenever the password is a digest."""

    user: str
    shown: str
    is_digest: bool
    nonce: bytes | None
    created: str | None

    def __repr__(self) -> str:
        return f"UsernameToken({self.user!r}, ***)"

    def proves(self, password: str) -> bool:
        """Whether the password was known to whoever made this."""
        wanted = digest_of(self.nonce or b"", self.created or "", password) if self.is_digest else password
        return hmac.compare_digest(wanted.encode(), self.shown.encode())


def read_username_token(token: _Element, now: float) -> UsernameToken:
    """The token, fresh where it says when it was made; a digest without nonce or time is refused, since it could be sent again for ever."""
    user, shown = only_text(token, f"{{{WSSE}}}Username"), only_text(token, PASSWORD)
    if not user or not shown:
        raise WssError("the UsernameToken lacks its name or password")
    kind = token[[child.tag for child in token].index(PASSWORD)].get("Type", PASSWORD_TEXT)
    if kind not in {PASSWORD_TEXT, PASSWORD_DIGEST}:
        raise WssError("the password is neither PasswordText nor PasswordDigest")
    nonce, created = _nonce(only_text(token, NONCE)), only_text(token, CREATED)
    if kind == PASSWORD_DIGEST and (nonce is None or created is None):
        raise WssError("a PasswordDigest needs Nonce and Created")
    if created is not None:
        check_fresh(created, None, now)
    return UsernameToken(user, shown, kind == PASSWORD_DIGEST, nonce, created)


def _nonce(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        nonce = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WssError("the Nonce is not Base64") from error
    if len(nonce) not in NONCE_BYTES:
        raise WssError("the Nonce has fewer than 8 or more than 64 bytes")
    return nonce


def digest_of(nonce: bytes, created: str, password: str) -> str:
    """Base64(SHA-1(nonce + created + password)); the profile knows no other hash."""
    return base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False).digest()).decode()


def write_username_token(parent: _Element, token: UsernameToken) -> _Element:
    """Append the token to a Security header; `shown` is the password or its digest."""
    written = etree.SubElement(parent, USERNAME_TOKEN)
    etree.SubElement(written, f"{{{WSSE}}}Username").text = token.user
    password = etree.SubElement(written, PASSWORD, Type=PASSWORD_DIGEST if token.is_digest else PASSWORD_TEXT)
    password.text = token.shown
    if token.nonce is not None:
        etree.SubElement(written, NONCE, EncodingType=BASE64).text = base64.b64encode(token.nonce).decode()
    if token.created is not None:
        etree.SubElement(written, CREATED).text = token.created
    return written
