"""A provider's large file in base64: through the hub in bounded memory, whole at consumers of either tongue."""

from __future__ import annotations

import base64
import hashlib
import resource
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from lxml import etree
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from contracts.test_wsdl import SCHEMA, wsdl
from lgsp.contract.bridge.draft import Wish, draft_of
from lgsp.twin.serve import serving
from tests.e2e.hub import running_hub
from tests.e2e.soap import envelope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.hub import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCAN = (
    '<xs:element name="In" type="xs:int"/><xs:element name="Out"><xs:complexType><xs:sequence>'
    '<xs:element name="Name" type="xs:string"/><xs:element name="Scan" type="xs:base64Binary"/></xs:sequence></xs:complexType></xs:element>'
)
PIECE = hashlib.sha256(b"giay to").digest() * 3 * 4_096
ENCODED = base64.b64encode(PIECE)
FLAT_MB, LIMIT_BYTES = 24, 40 << 20


def archive() -> Starlette:
    """A provider that answers with a scan of as many pieces (384 KiB) as it is asked for."""

    async def answer(request: Any) -> StreamingResponse:
        count = int(etree.fromstring(await request.body()).findtext(".//{*}In"))

        async def pieces() -> AsyncIterator[bytes]:
            start, end = envelope('<t:Out xmlns:t="urn:t"><t:Name>Đơn</t:Name><t:Scan>|</t:Scan></t:Out>').split("|")
            yield start.encode()
            for _ in range(count):
                yield ENCODED
            yield end.encode()

        return StreamingResponse(pieces(), media_type="text/xml")

    return Starlette(routes=[Route("/archive", answer, methods=["POST"])])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("archive")
    (folder / "archive.wsdl").write_text(wsdl(SCHEMA.format(SCAN)))
    draft_of(folder / "archive.wsdl", Wish(name="kho_giay", data_class="internal")).write(folder)
    places = {"adapters": folder / "adapters", "contracts": folder / "contracts", "file_limit_bytes": LIMIT_BYTES}
    async with (
        serving(archive()) as address,
        running_hub(folder, more_bindings={"KHO_GIAY_URL": f"{address}/archive"}, **places) as running,
    ):
        await running.register()
        yield running


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def test_a_rest_consumer_gets_the_whole_file(hub: Running) -> None:
    answer = await hub.post("/kho-giay/1/Do", 2)

    assert answer.status_code == 200
    assert (answer.json()["Name"], base64.b64decode(answer.json()["Scan"])) == ("Đơn", PIECE * 2)


async def test_a_soap_consumer_gets_the_whole_file(hub: Running) -> None:
    body = envelope('<t:In xmlns:t="urn:t">2</t:In>').encode()

    answer = await hub.client.post(f"{hub.data}/kho-giay/1/soap", content=body, headers={**hub.headers, "Content-Type": "text/xml"})

    root = etree.fromstring(answer.content, etree.XMLParser(huge_tree=True))
    assert (answer.status_code, base64.b64decode(root.findtext(".//{*}Scan"))) == (200, PIECE * 2)


async def test_forty_megabytes_pass_in_flat_memory(hub: Running) -> None:
    await hub.post("/kho-giay/1/Do", 2)
    size, before = 0, peak_mb()
    async with hub.client.stream("POST", f"{hub.data}/kho-giay/1/Do", json=100, headers=hub.headers) as answer:
        async for piece in answer.aiter_bytes():
            size += len(piece)

    assert answer.status_code == 200
    assert size > 100 * len(ENCODED)
    assert peak_mb() - before < FLAT_MB


async def test_a_file_beyond_the_limit_is_not_taken(hub: Running) -> None:
    answer = await hub.post("/kho-giay/1/Do", 120)

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (504, "outcome-unknown")
    assert f"Do: provider-not-understood a file in the answer: the limit of a file is {LIMIT_BYTES} bytes" in answer.json()["detail"]
