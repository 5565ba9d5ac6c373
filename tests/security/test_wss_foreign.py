"""Signatures that other stacks make and read: xmlsec1 (Debian) and the JDK's javax.xml.crypto."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lgsp.codec.wss.header import BASE64, WSSE, WSU, X509_TOKEN, text_of
from tests.conftest import missing
from tests.security.pki import Pair, pair
from tests.security.test_wss_signature import DESK, check, name_in
from tests.security.wrapping import NOW, ORDER, SOAP_11, changed_name, envelope, signed

HERE = Path(__file__).parent
DSIG, EXCLUSIVE = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/10/xml-exc-c14n#"


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        missing(f"no {name} here; install Debian's xmlsec1 and default-jdk-headless")
    return found


def unsigned(security: str) -> bytes:
    """An envelope that waits for somebody's signature."""
    header = (
        f'<w:Security xmlns:w="{WSSE}" xmlns:u="{WSU}" soap:mustUnderstand="1"><u:Timestamp u:Id="ts"><u:Created>{text_of(NOW)}</u:Created>'
        f"<u:Expires>{text_of(NOW + 60)}</u:Expires></u:Timestamp>{security}</w:Security>"
    )
    return envelope(header=header).replace(b"<soap:Body>", f'<soap:Body xmlns:u="{WSU}" u:Id="body">'.encode())


def files(folder: Path, pair: Pair) -> tuple[str, str]:
    (folder / "key.pem").write_text(pair.key, encoding="utf-8")
    (folder / "certificate.pem").write_text(pair.certificate, encoding="utf-8")
    return str(folder / "key.pem"), str(folder / "certificate.pem")


def ids(*elements: str) -> list[str]:
    return [word for element in elements for word in ("--id-attr:Id", element)]


OURS = (f"{SOAP_11}:Body", f"{WSU}:Timestamp", f"{WSSE}:BinarySecurityToken", f"{ORDER}:purpose")


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_xmlsec1_verifies_what_we_sign(kind: str, tmp_path: Path) -> None:
    xmlsec1, (_, certificate) = tool("xmlsec1"), files(tmp_path, pair(DESK, kind))
    document = signed(pair(DESK, kind).signer)
    (tmp_path / "ours.xml").write_bytes(document)
    (tmp_path / "forged.xml").write_bytes(changed_name(document))

    verify = [xmlsec1, "--verify", "--pubkey-cert-pem", certificate, *ids(*OURS)]
    results = [subprocess.run([*verify, tmp_path / name], check=False, capture_output=True) for name in ("ours.xml", "forged.xml")]

    assert [result.returncode == 0 for result in results] == [True, False], results[0].stderr.decode()


def test_what_xmlsec1_signs_is_verified(tmp_path: Path) -> None:
    xmlsec1, (key, certificate) = tool("xmlsec1"), files(tmp_path, pair(DESK))
    references = "".join(
        f'<Reference URI="#{name}"><Transforms><Transform Algorithm="{EXCLUSIVE}"/></Transforms>'
        '<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue/></Reference>'
        for name in ("body", "ts")
    )
    template = (
        f'<Signature xmlns="{DSIG}"><SignedInfo><CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        f'<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>{references}</SignedInfo>'
        "<SignatureValue/><KeyInfo><X509Data/></KeyInfo></Signature>"
    )
    (tmp_path / "template.xml").write_bytes(unsigned(template))
    sign = [xmlsec1, "--sign", "--privkey-pem", f"{key},{certificate}", *ids(f"{SOAP_11}:Body", f"{WSU}:Timestamp")]

    subprocess.run([*sign, "--output", tmp_path / "signed.xml", tmp_path / "template.xml"], check=True)

    assert name_in(check((tmp_path / "signed.xml").read_bytes()).envelope) == "Nguyễn Văn An"


def test_java_verifies_what_we_sign_and_we_what_java_signs(tmp_path: Path) -> None:
    java, (key, certificate) = tool("java"), files(tmp_path, pair(DESK))
    tool("javac")
    document = signed(pair(DESK).signer)
    (tmp_path / "ours.xml").write_bytes(document)
    (tmp_path / "forged.xml").write_bytes(changed_name(document))
    token = f'<w:BinarySecurityToken u:Id="java-token" ValueType="{X509_TOKEN}" EncodingType="{BASE64}"/>'
    (tmp_path / "plain.xml").write_bytes(unsigned(token))

    words = ["verify", "ours.xml", certificate, "verify", "forged.xml", certificate, "sign", "plain.xml", key, certificate, "java.xml"]
    done = subprocess.run([java, HERE / "WssPeer.java", *words], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["true", "false"]
    assert name_in(check((tmp_path / "java.xml").read_bytes()).envelope) == "Nguyễn Văn An"
