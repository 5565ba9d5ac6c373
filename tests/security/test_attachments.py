"""MTOM at the SOAP door: attachments both ways, large ones by way of the vault; what is malformed is refused (SECURITY S13)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from tests.e2e.soap import CONTENT_TYPES, SOAP_11, SOAP_12, Heard, envelope, heard, say

if TYPE_CHECKING:
    from tests.e2e.hub import Running
    from tests.security.archive import Archive, Canary

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/archive/1/soap"
XOP = "http://www.w3.org/2004/08/xop/include"
SMALL, LARGE = b"%PDF-1.7 nh\xe1\xbb\x8f", hashlib.sha256(b"scan").digest() * 40_000
INCLUDE = f'<i:Include xmlns:i="{XOP}" href="cid:%s"/>'


def note(scan: str = "", text: str = "", operation: str = "store") -> str:
    inside = "".join(f"<a:{name}>{content}</a:{name}>" for name, content in (("text", text), ("scan", scan)) if content)
    return f'<a:{operation} xmlns:a="urn:archive:1"><a:name>Hồ sơ</a:name>{inside}</a:{operation}>'


def part(content: bytes, *headers: str) -> bytes:
    return "".join(f"{line}\r\n" for line in headers).encode() + b"\r\n" + content


def root(body: str, version: str = SOAP_11) -> bytes:
    kind = f'application/xop+xml; charset=utf-8; type="{CONTENT_TYPES[version].partition(";")[0]}"'
    return part(envelope(body, version=version).encode(), f"Content-Type: {kind}", "Content-ID: <root@x>")


def scan(content: bytes, cid: str = "scan@x", *more: str) -> bytes:
    return part(content, "Content-Type: application/pdf", f"Content-ID: <{cid}>", "Content-Transfer-Encoding: binary", *more)


def packed(*parts: bytes, boundary: str = "b0und") -> bytes:
    return b"".join(f"--{boundary}\r\n".encode() + each + b"\r\n" for each in parts) + f"--{boundary}--\r\n".encode()


def content_type(version: str = SOAP_11, boundary: str = "b0und", start: str = "<root@x>") -> str:
    kind = CONTENT_TYPES[version].partition(";")[0]
    return f'multipart/related; type="application/xop+xml"; start="{start}"; start-info="{kind}"; boundary="{boundary}"'


async def send(hub: Running, content: bytes, kind: str = "") -> Any:
    headers = {**hub.headers, "Content-Type": kind or content_type()}
    return await hub.client.post(hub.data + PATH, content=content, headers=headers)


def unpacked(answer: Any) -> tuple[Heard, list[bytes]]:
    """The envelope and the other parts of a multipart answer."""
    boundary = answer.headers["content-type"].partition('boundary="')[2].partition('"')[0].encode()
    parts = answer.content.removesuffix(b"\r\n--" + boundary + b"--\r\n").removeprefix(b"--" + boundary + b"\r\n")
    first, *rest = parts.split(b"\r\n--" + boundary + b"\r\n")
    xml = first.partition(b"\r\n\r\n")[2]
    return Heard(answer.status_code, answer.headers, xml, etree.fromstring(xml)), [each.partition(b"\r\n\r\n")[2] for each in rest]


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
async def test_a_small_attachment_goes_to_the_provider_as_base64(hub: Running, archive: Archive, version: str) -> None:
    answer = heard(await send(hub, packed(root(note(INCLUDE % "scan%40x"), version), scan(SMALL)), content_type(version)))

    assert (answer.status, answer.text("scan")) == (200, base64.b64encode(SMALL).decode())
    assert base64.b64encode(SMALL) in archive.seen[0]


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
async def test_a_large_attachment_comes_and_goes_beside_the_envelope(hub: Running, archive: Archive, version: str) -> None:
    answer = await send(hub, packed(root(note(INCLUDE % "scan@x"), version), scan(LARGE)), content_type(version))

    envelope_of, attachments = unpacked(answer)
    assert (answer.status_code, attachments) == (200, [LARGE])
    assert envelope_of.root.find(f".//{{{XOP}}}Include").get("href") == "cid:0@lgsp"
    assert base64.b64encode(LARGE) in archive.seen[0]
    assert b"urn:lgsp:files" not in archive.seen[0]


async def test_who_sends_no_attachments_gets_none(hub: Running, archive: Archive) -> None:
    plain = await say(hub, envelope(note(base64.b64encode(SMALL).decode())), path=PATH)

    assert (plain.status, plain.text("scan")) == (200, base64.b64encode(SMALL).decode())
    assert len(archive.seen) == 1


async def test_a_kept_file_is_sent_to_the_provider_where_its_stand_in_is(hub: Running, archive: Archive) -> None:
    kept = (await hub.client.post(f"{hub.data}/files", content=LARGE, headers=hub.headers)).json()

    rest = await hub.post("/notes/1/notes", {"name": "Hồ sơ", "scan": kept["value"]})
    soap = await say(hub, envelope(note(kept["value"])), path=PATH)

    assert base64.b64decode(rest.json()["scan"]) == LARGE
    assert base64.b64decode(soap.text("scan")) == LARGE
    assert all(base64.b64encode(LARGE) in seen for seen in archive.seen)


async def test_a_stand_in_of_nobodys_file_is_refused(hub: Running, archive: Archive) -> None:
    unknown = base64.b64encode(b"urn:lgsp:files:0192f000-0000-7000-8000-000000000001").decode()

    rest = await hub.post("/notes/1/notes", {"name": "Hồ sơ", "scan": unknown})
    soap = await say(hub, envelope(note(unknown)), path=PATH)

    assert (rest.status_code, rest.json()["type"].rpartition("/")[2]) == (422, "file-unknown")
    assert soap.slug == "file-unknown"
    assert archive.seen == []


async def test_a_one_way_operation_is_answered_by_nothing_but_a_receipt(hub: Running) -> None:
    answer = await say(hub, envelope(note(operation="note")), path=PATH)

    assert (answer.status, answer.content) == (202, b"")
    assert (await hub.settled(answer))["state"] == "delivered"


GOOD = packed(root(note(INCLUDE % "scan@x")), scan(SMALL))
MALFORMED = {
    "a part is missing": packed(root(note(INCLUDE % "scan@x"))),
    "a cid names another part": packed(root(note(INCLUDE % "other@x")), scan(SMALL)),
    "a part that nothing names": packed(root(note()), scan(SMALL)),
    "one part for two places": packed(root(note(INCLUDE % "scan@x", INCLUDE % "scan@x")), scan(SMALL)),
    "two parts of one name": packed(root(note(INCLUDE % "scan@x")), scan(SMALL), scan(b"other")),
    "an address in place of a cid": packed(root(note(f'<i:Include xmlns:i="{XOP}" href="http://%(canary)s/scan"/>'))),
    "a file in place of a cid": packed(root(note(f'<i:Include xmlns:i="{XOP}" href="file:///etc/passwd"/>'))),
    "text beside the include": packed(root(note("x" + INCLUDE % "scan@x")), scan(SMALL)),
    "10,000 parts": packed(root(note(INCLUDE % "scan@x")), *[scan(b"", f"{n}@x") for n in range(10_000)]),
    "no end": packed(root(note(INCLUDE % "scan@x")), scan(SMALL)).removesuffix(b"--\r\n"),
    "something after the end": GOOD + b"--b0und\r\nContent-ID: <scan@x>\r\n\r\nother\r\n--b0und--\r\n",
    "something before the beginning": b"POST / HTTP/1.1\r\n\r\n" + GOOD,
    "a boundary that only begins like it": packed(root(note(INCLUDE % "scan@x")), scan(b"a\r\n--b0undX\r\nb")),
    "bare line feeds": GOOD.replace(b"\r\n", b"\n"),
    "a folded header": packed(root(note(INCLUDE % "scan@x")), scan(SMALL, "scan@x", "X-Long: a", " b")),
    "a doubled header": packed(root(note(INCLUDE % "scan@x")), scan(SMALL, "scan@x", "Content-ID: <other@x>")),
    "endless headers": packed(root(note(INCLUDE % "scan@x")), scan(SMALL, "scan@x", *[f"X-{n}: {'a' * 80}" for n in range(500)])),
    "a transfer encoding": packed(
        root(note(INCLUDE % "scan@x")), part(b"AAAA", "Content-ID: <scan@x>", "Content-Transfer-Encoding: base64")
    ),
    "an envelope that is not first": packed(scan(SMALL), root(note(INCLUDE % "scan@x"))),
    "nothing": b"",
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_package_is_refused(hub: Running, archive: Archive, canary: Canary, name: str) -> None:
    answer = heard(await send(hub, MALFORMED[name].replace(b"%(canary)s", canary.address.encode())))

    assert (answer.status, answer.slug) == (400, "malformed-body")
    assert archive.seen == []


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ('multipart/related; type="application/xop+xml"', 400),
        ('multipart/related; type="application/xop+xml"; boundary=""', 400),
        (f'multipart/related; type="application/xop+xml"; boundary="{"x" * 71}"', 400),
        ('multipart/related; type="application/xop+xml"; boundary=b0und; boundary=other', 400),
        ('multipart/related; type="text/html"; boundary=b0und', 415),
        ("multipart/mixed; boundary=b0und", 415),
        ("multipart/form-data; boundary=b0und", 415),
    ],
)
async def test_a_package_whose_content_type_is_none_is_refused(hub: Running, kind: str, status: int) -> None:
    assert heard(await send(hub, GOOD, kind)).status == status


async def test_names_and_addresses_of_parts_lead_nowhere(hub: Running, canary: Canary) -> None:
    headers = (f"Content-Location: http://{canary.address}/scan", 'Content-Disposition: attachment; filename="../../../../etc/passwd"')

    answer = heard(await send(hub, packed(root(note(INCLUDE % "scan@x")), scan(SMALL, "scan@x", *headers))))

    assert (answer.status, answer.text("scan")) == (200, base64.b64encode(SMALL).decode())


async def test_attachments_of_nobody_we_know_are_not_kept(hub: Running) -> None:
    headers = {"Content-Type": content_type(), "Authorization": "Bearer nonsense"}

    answer = await hub.client.post(hub.data + PATH, content=packed(root(note(INCLUDE % "scan@x")), scan(LARGE)), headers=headers)

    assert heard(answer).slug == "token-invalid"


# ---- declared opaque bodies at the REST door ------------------------------------------------------------------------------------------


async def test_an_octet_stream_goes_by_way_of_the_vault(hub: Running, archive: Archive) -> None:
    answer = await hub.post("/notes/1/scans", LARGE, Content_Type="application/octet-stream")

    assert (answer.status_code, base64.b64decode(answer.json()["scan"])) == (200, LARGE)
    assert base64.b64encode(LARGE) in archive.seen[0]


async def test_a_form_is_an_object_of_texts_and_files(hub: Running, archive: Archive) -> None:
    fields, files = {"name": "Hồ sơ", "text": "ghi chú"}, {"scan": ("../../etc/passwd", LARGE, "application/pdf")}

    answer = await hub.client.post(f"{hub.data}/notes/1/forms", data=fields, files=files, headers=hub.headers)

    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["text"]) == ("Hồ sơ", "ghi chú")
    assert base64.b64decode(answer.json()["scan"]) == LARGE
    assert len(archive.seen) == 1


@pytest.mark.parametrize(
    "case",
    [
        ("/notes/1/notes", "application/octet-stream", b"x", 415),
        ("/notes/1/scans", "multipart/form-data; boundary=b0und", b"x", 415),
        ("/notes/1/scans", "application/json", b'"AAAA"', 415),
        ("/notes/1/forms", "multipart/form-data; boundary=b0und", b"x", 400),
        ("/notes/1/forms", "multipart/form-data", b"x", 400),
        ("/notes/1/forms", "multipart/form-data; boundary=b0und", packed(part(b"x", "Content-Disposition: attachment")), 400),
        ("/notes/1/forms", "multipart/form-data; boundary=b0und", packed(part(b"x", 'Content-Disposition: form-data; name="other"')), 422),
        ("/nothing/1/scans", "application/octet-stream", b"x", 404),
    ],
)
async def test_what_is_not_declared_is_not_streamed(hub: Running, archive: Archive, case: tuple[str, str, bytes, int]) -> None:
    path, kind, content, status = case

    answer = await hub.post(path, content, Content_Type=kind)

    assert (answer.status_code, archive.seen) == (status, [])
