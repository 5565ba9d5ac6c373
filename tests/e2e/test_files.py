"""Files kept and given back at the data door: streamed, by reference, to their owner only."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lgsp.acts import register
from lgsp.model.parties import SubsystemId
from tests.e2e.hub import Running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTENT = bytes(range(256)) * 3000
LARGE_BYTES, PIECE = 100 << 20, bytes(1 << 20)
FLAT_MB = 48


async def keep(hub: Running, content: Any, **headers: str) -> Any:
    sent = {"Content-Type": "application/pdf", **hub.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return await hub.client.post(f"{hub.data}/files", content=content, headers=sent)


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


async def test_a_file_comes_back_with_its_digest(hub: Running) -> None:
    kept = await keep(hub, CONTENT, Content_Digest=digest(CONTENT))

    given = await hub.client.get(hub.data + kept.headers["location"], headers=hub.headers)

    assert kept.status_code == 201
    assert (kept.json()["size"], kept.json()["digest"], kept.json()["media_type"]) == (len(CONTENT), digest(CONTENT), "application/pdf")
    assert (given.status_code, given.content) == (200, CONTENT)
    assert (given.headers["content-digest"], given.headers["content-type"]) == (digest(CONTENT), "application/pdf")
    assert (given.headers["content-disposition"], given.headers["x-content-type-options"]) == ("attachment", "nosniff")


@pytest.mark.parametrize(
    ("wanted", "status", "span"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=262140-262150", 206, slice(262140, 262151)),
        ("bytes=767999-", 206, slice(767999, None)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=0-9,20-29", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=768000-", 416, None),
    ],
)
async def test_a_range_of_it_can_be_fetched(hub: Running, wanted: str, status: int, span: slice | None) -> None:
    kept = await keep(hub, CONTENT)

    given = await hub.client.get(hub.data + kept.headers["location"], headers={**hub.headers, "Range": wanted})

    assert given.status_code == status
    if span is not None:
        assert given.content == CONTENT[span]


async def test_somebody_elses_file_is_not_there(hub: Running) -> None:
    location = (await keep(hub, b"x")).headers["location"]
    other = await register.add_consumer(hub.hub.office, SubsystemId("VN/GOV/H98/health"), "Y tế", "test")
    await hub.hub.store.refresh()
    token = hub.hub.tokens.issue(other.client_id, "default", hub.hub.ports.now())

    theirs = await hub.client.get(hub.data + location, headers={"Authorization": f"Bearer {token}"})
    nobodys = await hub.client.get(hub.data + location)

    assert (theirs.status_code, nobodys.status_code) == (404, 401)


@pytest.mark.parametrize(
    "path", ["/files/", "/files/x", "/files/0192f000-0000-7000-8000-000000000001", "/files/..%2f..%2fhub.db", "/files/a/b"]
)
async def test_what_is_no_reference_is_not_found(hub: Running, path: str) -> None:
    assert (await hub.client.get(hub.data + path, headers=hub.headers)).status_code == 404


async def test_what_is_not_what_its_digest_says_is_refused(hub: Running) -> None:
    answer = await keep(hub, CONTENT, Content_Digest=digest(b"something else"))

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (400, "malformed-body")


async def test_nobody_we_do_not_know_keeps_anything(hub: Running) -> None:
    answer = await keep(hub, b"x", Authorization="Bearer nonsense")

    assert answer.status_code == 401


async def test_100_mb_pass_in_flat_memory(hub: Running) -> None:
    async def content() -> AsyncIterator[bytes]:
        for _ in range(LARGE_BYTES // len(PIECE)):
            yield PIECE

    before = peak_mb()
    kept = await keep(hub, content())
    size = 0
    async with hub.client.stream("GET", hub.data + kept.headers["location"], headers=hub.headers) as given:
        async for piece in given.aiter_bytes():
            size += len(piece)

    assert (kept.status_code, size) == (201, LARGE_BYTES)
    assert peak_mb() - before < FLAT_MB


async def test_a_file_beyond_the_limit_is_refused(hub: Running) -> None:
    async def content() -> AsyncIterator[bytes]:
        for _ in range(129):
            yield PIECE

    answer = await keep(hub, content())

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (413, "body-too-large")


def peak_mb() -> float:
    """The process's peak of resident memory; hub and client share it here."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
