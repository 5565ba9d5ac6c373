"""UsernameToken: what proves a name, and what could be sent again."""

from __future__ import annotations

import pytest
from lxml import etree

from lgsp.codec.soap.fragment import parse
from lgsp.codec.wss.header import PASSWORD_DIGEST, PASSWORD_TEXT, WSSE, WSU, read_security, text_of
from lgsp.codec.wss.username import UsernameToken, digest_of, read_username_token
from lgsp.codec.wss.write import Proof, secured
from lgsp.errors import WssError

NOW = 1_800_000_000.0
ENVELOPE = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a/></s:Body></s:Envelope>'
SECRET = "mật khẩu của một cửa"


def read(document: bytes, now: float = NOW) -> UsernameToken:
    security = read_security(parse(document))
    assert security is not None
    return read_username_token(security.username_token, now)


def token(*children: str) -> bytes:
    inner = "".join(children)
    head = f'<w:Security xmlns:w="{WSSE}" xmlns:u="{WSU}"><w:UsernameToken>{inner}</w:UsernameToken></w:Security>'
    return ENVELOPE.replace(b"<s:Body>", f"<s:Header>{head}</s:Header><s:Body>".encode())


USER = "<w:Username>VN/GOV/H99/onestop</w:Username>"
NONCE = "<w:Nonce>bm9uY2Utbm9uY2U=</w:Nonce>"
CREATED = f"<u:Created>{text_of(NOW)}</u:Created>"


def password(shown: str, kind: str = PASSWORD_DIGEST) -> str:
    return f'<w:Password Type="{kind}">{shown}</w:Password>'


@pytest.mark.parametrize("is_digest", [True, False])
def test_what_we_write_proves_the_password_and_no_other(is_digest: bool) -> None:
    document = secured(ENVELOPE, Proof("một cửa", SECRET, is_digest), NOW, b"n" * 16)

    found = read(document)

    assert (found.user, found.is_digest, found.proves(SECRET), found.proves(SECRET + "?")) == ("một cửa", is_digest, True, False)
    assert (SECRET.encode() in document) is not is_digest


def test_the_digest_is_that_of_the_profile() -> None:
    """Made once by hand: (head -c 16 /dev/zero; printf 2010-01-01T00:00:00Zsecret) | openssl sha1 -binary | base64."""
    assert digest_of(b"\x00" * 16, "2010-01-01T00:00:00Z", "secret") == "PkGmrzToOxyCFx/wqtSfQlvQcRg="


@pytest.mark.parametrize(
    "document",
    [
        token(password("x")),
        token(USER),
        token(USER, password("x"), CREATED),
        token(USER, password("x"), NONCE),
        token(USER, password("x"), "<w:Nonce>bm8=</w:Nonce>", CREATED),
        token(USER, password("x"), "<w:Nonce>?</w:Nonce>", CREATED),
        token(USER, password("x", "urn:other"), NONCE, CREATED),
        token(USER, USER, password("x"), NONCE, CREATED),
        token(USER, password("<w:x/>"), NONCE, CREATED),
        token(USER, password("x"), NONCE, "<u:Created>yesterday</u:Created>"),
        token(USER, password("x"), NONCE, "<u:Created>2027-01-15T08:00:00</u:Created>"),
        token(USER, password("x"), NONCE, f"<u:Created>{text_of(NOW - 500)}</u:Created>"),
        token(USER, password("x"), NONCE, f"<u:Created>{text_of(NOW + 61)}</u:Created>"),
        token(USER, password("x", PASSWORD_TEXT), f"<u:Created>{text_of(NOW - 500)}</u:Created>"),
    ],
)
def test_a_token_that_lacks_something_or_is_not_fresh_is_refused(document: bytes) -> None:
    with pytest.raises(WssError):
        read(document)


@pytest.mark.parametrize("change", [b"s:Envelope", b"s:Body"])
def test_an_envelope_of_another_form_is_not_looked_into(change: bytes) -> None:
    document = token(USER, password("x", PASSWORD_TEXT)).replace(change, b"s:Other")

    with pytest.raises(WssError):
        read_security(parse(document))


def test_a_token_that_is_not_known_is_refused_rather_than_passed_over() -> None:
    root = etree.fromstring(token(USER, password("x", PASSWORD_TEXT)))
    etree.SubElement(root[0][0], "{http://www.w3.org/2001/04/xmlenc#}EncryptedKey")

    with pytest.raises(WssError, match="EncryptedKey"):
        read_security(parse(etree.tostring(root)))


def test_no_password_shows_when_a_token_or_proof_is_printed() -> None:
    assert SECRET not in repr(Proof("a", SECRET)) + repr(UsernameToken("a", SECRET, is_digest=False, nonce=None, created=None))
