"""Large base64 in a provider's answer: out of the document and into the vault while it arrives, in bounded memory."""

from __future__ import annotations

import base64
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from lgsp.drivers.memory.vault import MemoryVault
from lgsp.drivers.outbound.sift import is_large, sifted
from lgsp.errors import Fault, OutcomeUnknown
from lgsp.model.files import File, stand_in
from lgsp.model.parties import SubsystemId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DESK = SubsystemId("VN/GOV/H99/desk")
CONTENT = bytes(range(256)) * 1_000
TEXT = base64.b64encode(CONTENT).decode()
MOST_MB = 4


async def cut(document: bytes, step: int) -> AsyncIterator[bytes]:
    for place in range(0, len(document), step):
        yield document[place : place + step]


async def sift(document: str | bytes, step: int = 4_093, limit: int = 1 << 30) -> tuple[str, dict[str, bytes]]:
    """The document that is left, and the content of each file by its stand-in."""
    refs = iter(f"00000000-0000-0000-0000-{number:012}" for number in range(9))
    vault = MemoryVault(time.time, lambda: next(refs))
    whole = document.encode() if isinstance(document, str) else document
    left = await sifted(cut(whole, step), frozenset({"Scan"}), lambda content: vault.keep(content, DESK, "application/pdf", limit))
    return left.decode(), {stand_in(ref): content for ref, (_, content) in vault.kept.items()}


@pytest.mark.parametrize("step", [61, 4_093, 1 << 20])
async def test_what_is_long_and_base64_by_contract_leaves_and_all_else_stays_as_it_came(step):
    head = '<?xml version="1.0" encoding="utf-8"?>\n<a:R xmlns:a="urn:a" note="é">  <!-- {0} --><Other>{0}</Other>'
    kept = head + '\n<a:Scan x="1">{1}</a:Scan ><Scan>YQ==</Scan>{2}</a:R>\n'
    lines = "\r\n".join(TEXT[place : place + 76] for place in range(0, len(TEXT), 76))
    second = "<Scan>{}</Scan>"
    document = kept.format("A" * 100, lines, second.format(TEXT))

    left, files = await sift(document, step)

    assert list(files.values()) == [CONTENT, CONTENT]
    one, other = files
    assert left == kept.format("A" * 100, one, second.format(other))


async def test_a_text_in_cdata_and_with_references_leaves_too():
    spelled = TEXT.replace("+", "&#43;")

    left, files = await sift(f"<R><Scan><![CDATA[{TEXT}]]></Scan><Scan>{spelled}</Scan></R>")

    assert list(files.values()) == [CONTENT, CONTENT]
    assert left == "<R>{}</R>".format("".join(f"<Scan>{each}</Scan>" for each in files))


@pytest.mark.parametrize("document", [f"<R><Scan>{TEXT[:1000]}</Scan></R>", f"<R><Text>{TEXT}</Text></R>"])
async def test_what_is_short_or_no_base64_by_contract_stays(document):
    assert await sift(document) == (document, {})


async def test_another_encoding_is_left_alone():
    document = f"<R><Scan>{TEXT}</Scan></R>".encode("utf-16")
    vault = MemoryVault(time.time, str)

    left = await sifted(cut(document, 4_096), frozenset({"Scan"}), lambda content: vault.keep(content, DESK, "x/y", 1))

    assert (left, vault.kept) == (document, {})


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (f"<R><Scan>{TEXT}", "not well-formed XML"),
        (f"<R><Scan>{TEXT}*</Scan></R>", "base64"),
        (f"<R><Scan>{TEXT}A</Scan></R>", "base64"),
        (f"<R><Scan>{TEXT}YQ=={TEXT}</Scan></R>", "base64"),
        (f"<R><Scan>{TEXT}<b/></Scan></R>", "stands within base64"),
        ('<!DOCTYPE R [<!ENTITY a "b">]><R/>', "DOCTYPE"),
        (f"<R>{'<x/>' * (5 << 20)}</R>", "is larger than"),
    ],
)
async def test_what_is_no_such_answer_is_not_understood(document, reason):
    with pytest.raises(OutcomeUnknown) as caught:
        await sift(document, 1 << 20)

    assert (caught.value.slug, reason in caught.value.detail) == ("provider-not-understood", True)


async def test_a_file_beyond_the_limit_is_the_providers_fault():
    with pytest.raises(OutcomeUnknown, match="provider-not-understood"):
        await sift(f"<R><Scan>{TEXT}</Scan></R>", limit=1_000)


async def test_a_vault_that_fails_is_not_the_providers_fault():
    async def keep(content: Any) -> File:
        async for _ in content:
            raise Fault("record-unavailable")
        raise AssertionError

    with pytest.raises(Fault, match="record-unavailable"):
        await sifted(cut(f"<R><Scan>{TEXT * 9}</Scan></R>".encode(), 4_096), frozenset({"Scan"}), keep)


async def test_a_hundred_megabytes_pass_in_a_few():
    block = base64.b64encode(bytes(48 << 10))
    seen = 0

    async def answer() -> AsyncIterator[bytes]:
        yield b"<R><Scan>"
        for _ in range(1_600):
            yield block
        yield b"</Scan></R>"

    async def keep(content: AsyncIterator[bytes]) -> File:
        nonlocal seen
        async for piece in content:
            seen += len(piece)
        return File("00000000-0000-0000-0000-000000000001", DESK, "x/y", seen, b"", 0.0)

    tracemalloc.start()
    left = await sifted(answer(), frozenset({"Scan"}), keep)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (seen, len(left) < 200) == (1_600 * (48 << 10), True)
    assert peak < MOST_MB << 20


@pytest.mark.parametrize(
    ("status", "headers", "large"),
    [
        (200, {"Content-Type": "text/xml; charset=utf-8", "Content-Length": "99999"}, True),
        (200, {"Content-Type": "application/soap+xml"}, True),
        (200, {"Content-Type": "text/xml", "Content-Length": "900"}, False),
        (200, {"Content-Type": "text/xml; charset=iso-8859-1"}, False),
        (500, {"Content-Type": "text/xml"}, False),
        (200, {"Content-Type": "text/html"}, False),
    ],
)
def test_only_large_envelopes_are_sifted(status, headers, large):
    assert is_large(status, headers) is large
