"""Big list of naughty strings: each comes back unchanged from REST to SOAP to REST, or is refused because XML cannot hold it (S16)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from lgsp.codec.soap.lexical import careful
from tests.e2e.soap import envelope, say

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.hub import Running
    from tests.security.archive import Archive

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MARKUP = ["]]>", "a]]>b", "<x>&amp;</x>", "&#0;", "<!--", "-->", "<?xml?>", "<![CDATA["]
BLANKS = ["\r", "a\r\nb", "\t\n", " x ", "\u0085\u2028", "\x7f"]
UNHELD = ["\x00", "a\x1bb", "\ufffe", "\uffff"]


def naughty(corpora: Path) -> list[str]:
    return [*json.loads((corpora / "naughty-strings" / "blns.json").read_text(encoding="utf-8")), *MARKUP, *BLANKS, *UNHELD]


async def test_every_string_crosses_unchanged_or_is_refused_by_name(hub: Running, archive: Archive, corpora: Path) -> None:
    strings = naughty(corpora)

    answers = {text: await hub.post("/notes/1/notes", {"name": "x", "text": text}) for text in strings}

    unheld = {text for text in answers if NOT_IN_XML.search(text)}
    assert len(strings) > 500
    assert {text: answer.status_code for text, answer in answers.items() if text not in unheld and answer.status_code != 200} == {}
    assert [text for text, answer in answers.items() if text not in unheld and answer.json()["text"] != text] == []
    assert {problem_of(answers[text]) for text in unheld} == {(422, "native-invalid", "/text")}
    assert all(etree.fromstring(seen) is not None for seen in archive.seen)


async def test_every_string_that_xml_can_hold_comes_back_to_a_soap_consumer(hub: Running, archive: Archive, corpora: Path) -> None:
    strings = [text for text in naughty(corpora) if not NOT_IN_XML.search(text)]
    body = '<a:store xmlns:a="urn:archive:1"><a:name>x</a:name><a:text>%s</a:text></a:store>'

    answers = {text: await say(hub, envelope(body % careful(text)), path="/archive/1/soap") for text in strings}

    assert {text: answer.slug for text, answer in answers.items() if answer.status != 200} == {}
    assert [text for text, answer in answers.items() if answer.text("text") != text] == []
    assert len(archive.seen) == len(strings)


def problem_of(answer: Any) -> tuple[int, str, str]:
    problem = answer.json()
    return answer.status_code, problem["type"].rpartition("/")[2], problem["errors"][0]["pointer"]
