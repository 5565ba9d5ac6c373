"""WSDLs that nobody here wrote, as stand-ins: a request made up for each operation gets an answer that the WSDL allows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import httpx

from lgsp.contract.wsdl.files import read_documents
from lgsp.contract.wsdl.invent import invented
from lgsp.contract.wsdl.read import contract_of
from lgsp.contract.wsdl.source import open_source
from lgsp.errors import ContractError
from lgsp.twin.soap import SoapTwin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lgsp.codec.soap.speech import Speech
    from lgsp.contract.wsdl.read import Port

STEP, OPERATIONS = (1, 20) if os.environ.get("CI") == "true" else (12, 4)
TYPES = {"http://schemas.xmlsoap.org/soap/envelope/": "text/xml", "http://www.w3.org/2003/05/soap-envelope": "application/soap+xml"}


def twins(folder: Path) -> Iterator[tuple[str, SoapTwin]]:
    for path in sorted(folder.rglob("*.wsdl"))[::STEP]:
        try:
            documents = read_documents(*open_source(path, folder))
            yield path.relative_to(folder).as_posix(), SoapTwin(contract_of(documents), documents)
        except ContractError:
            continue


async def flaw(client: httpx.AsyncClient, path: str, name: str, speech: Speech) -> Any:
    """What is wrong with the answer to a request that was made up; None where nothing is."""
    value, violations = invented(speech.request, speech, name, 1)
    if violations:
        return name, "request", violations
    content = speech.request.write(value)[0]
    headers = {"Content-Type": TYPES[speech.operation.version], "SOAPAction": f'"{speech.operation.action}"'}
    answer = await client.post(path, content=content, headers=headers)
    if speech.reply is None:
        return None if (answer.status_code, answer.content) == (202, b"") else (name, answer.status_code)
    if answer.status_code != 200:
        return name, answer.status_code, answer.text[:500]
    return speech.read(answer.content)[1] or None


def told_apart(port: Port) -> list[tuple[str, Speech]]:
    """The operations of a port that body or SOAPAction tell apart; some WSDLs leave that to WS-Addressing alone."""
    marks = {name: (str(speech.operation.request.body), speech.operation.action) for name, speech in port.operations.items()}
    return [(name, speech) for name, speech in port.operations.items() if list(marks.values()).count(marks[name]) == 1]


async def test_every_operation_answers_validly(corpora):
    asked, flaws = 0, []
    for file, twin in twins(corpora / "wsdl"):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(twin), base_url="http://twin") as client:
            for port in twin.contract.ports:
                for name, speech in told_apart(port)[:OPERATIONS]:
                    asked += 1
                    flaws += [(file, found) for found in [await flaw(client, twin.paths[port.name], name, speech)] if found]

    assert flaws == []
    assert asked > 30
