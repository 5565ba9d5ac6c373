"""A provider that answers as an attacker would (SECURITY S42): limits as for consumers, blame where it belongs, nobody is called."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from lgsp.model.parties import Ruling, RulingKind
from tests.e2e.soap import envelope, say
from tests.security.archive import answered, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.hub import Running
    from tests.security.archive import Archive, Canary

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORE = '<a:store xmlns:a="urn:archive:1"><a:name>Hồ sơ</a:name></a:store>'
NAME = "<a:name>Hồ sơ</a:name>"
LONGEST_S = 1.0


def with_dtd(declarations: str, text: str = "&e;") -> bytes:
    return b"<!DOCTYPE x [" + declarations.encode() + b"]>" + reply(f"<a:name>{text}</a:name>")


def endless() -> Iterator[bytes]:
    """A gigabyte, if somebody reads it."""
    yield b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1073741824\r\n\r\n"
    for _ in range(1024):
        yield bytes(1 << 20)


def endless_chunks() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in range(1024):
        yield b"100000\r\n" + bytes(1 << 20) + b"\r\n"


LAUGHS = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(1, 12)) + '<!ENTITY b "ha">'
HOSTILE: dict[str, bytes | Callable[[], Iterator[bytes]]] = {
    "file entity": answered(with_dtd('<!ENTITY e SYSTEM "file:///etc/passwd">')),
    "http entity": answered(with_dtd('<!ENTITY e SYSTEM "http://CANARY:ADDRESS!/x">')),
    "parameter entity": answered(with_dtd('<!ENTITY % p SYSTEM "http://CANARY:ADDRESS!/p.dtd"> %p;')),
    "external subset": answered(b'<!DOCTYPE x SYSTEM "http://CANARY:ADDRESS!/x.dtd">' + reply(NAME)),
    "billion laughs": answered(with_dtd(LAUGHS, "&m;")),
    "quadratic": answered(with_dtd(f'<!ENTITY e "{"x" * 50_000}">', "&e;" * 50_000)),
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: http://CANARY:ADDRESS!/\r\nContent-Length: 0\r\n\r\n",
    "redirect that keeps the method": b"HTTP/1.1 307 Found\r\nLocation: http://CANARY:ADDRESS!/\r\nContent-Length: 0\r\n\r\n",
    "a gigabyte": endless,
    "a gigabyte in chunks": endless_chunks,
    "100,000 nested": answered(reply("<x>" * 100_000 + "</x>" * 100_000)),
    "a packed bomb": answered(gzip.compress(bytes(50 << 20)), "text/xml", "Content-Encoding: gzip"),
    "a script": answered(b"<html><script>alert(1)</script></html>", "text/html"),
    "another charset than it says": answered(reply(NAME).replace("ồ".encode(), b"\xe9")),
    "not the operation": answered(reply(NAME).replace(b"storeResponse", b"deleteResponse")),
    "two bodies": answered(reply(NAME).replace(b"</s:Envelope>", b"<s:Body/></s:Envelope>")),
    "nothing": answered(b""),
    "half an envelope": answered(reply(NAME)[:-20]),
}


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _closed_circuit(hub: Running) -> None:
    """So many failures in a row would spare the provider the rest."""
    now = hub.hub.office.now()
    ruling = Ruling(hub.hub.office.new_id(), "archive", RulingKind.CLOSED, now, now + 600, "hostile answers", "test")
    await hub.hub.office.states.rule(ruling, now)


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_answer_is_the_providers_fault(hub: Running, archive: Archive, canary: Canary, name: str) -> None:
    answer = HOSTILE[name]
    archive.answer = answer.replace(b"CANARY:ADDRESS!", f"{canary.address:15}".encode()) if isinstance(answer, bytes) else answer
    started = time.process_time()

    rest = await hub.post("/notes/1/notes", {"name": "Hồ sơ"})
    soap = await say(hub, envelope(STORE), path="/archive/1/soap")

    assert time.process_time() - started < 2 * LONGEST_S
    assert rest.status_code in {502, 503, 504}
    assert rest.json()["blame"] == soap.text("blame") == "provider"
    assert (soap.status, soap.code, soap.slug) == (500, "Server", rest.json()["type"].rpartition("/")[2])
    assert "root:" not in rest.text


@pytest.mark.parametrize(
    "inside",
    [
        NAME,
        "<!-- x -->" + NAME,
        NAME + "<a:text>&lt;!DOCTYPE x&gt; &lt;script&gt;alert(1)&lt;/script&gt;</a:text>",
        NAME + "<a:text><![CDATA[<!ENTITY e SYSTEM 'file:///etc/passwd'>]]></a:text>",
        NAME + f"<a:text>{'x' * 1_000_000}</a:text>",
    ],
)
async def test_an_answer_that_looks_like_one_is_given_on(hub: Running, archive: Archive, inside: str) -> None:
    archive.answer = answered(reply(inside))

    rest = await hub.post("/notes/1/notes", {"name": "Hồ sơ"})
    soap = await say(hub, envelope(STORE), path="/archive/1/soap")

    assert (rest.status_code, soap.status) == (200, 200)
    assert rest.json()["name"] == soap.text("name") == "Hồ sơ"
    assert rest.json().get("text", "") == soap.text("text")
