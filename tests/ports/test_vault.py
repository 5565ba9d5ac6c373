"""The promises of the vault, for files in memory, in a folder and in a database that several nodes share."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, update

from lgsp.drivers.memory import MemoryVault
from lgsp.drivers.store import tables
from lgsp.drivers.vault import CHUNK_BYTES, TAG_BYTES, FolderShelf, SealedVault, SharedShelf
from lgsp.errors import Fault
from lgsp.model.files import refs_in, stand_in
from lgsp.model.happening import Reply, State
from lgsp.model.parties import SubsystemId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.ports.conftest import Clock, Make

CONSUMER, OTHER = SubsystemId("VN/GOV/H99/onestop"), SubsystemId("VN/GOV/H98/health")
LIMIT = 4 << 20
BIG = bytes(range(256)) * (CHUNK_BYTES // 256 * 2) + "hồ sơ".encode()
SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 7]


async def pieces(content: bytes, size: int = 50_000) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def content_of(vault: Any, file: Any, *span: Any) -> bytes:
    return b"".join([piece async for piece in vault.read(file, *span)])


@pytest.fixture
def vault(store: Any, store_url: str | None, tmp_path: Path, new_id: Any, clock: Clock) -> Any:
    """In memory, in a folder beside SQLite, in PostgreSQL."""
    if store_url is None:
        return MemoryVault(clock, new_id, lambda message, _: store._owed[message].state != State.DELIVERED)
    shelf = FolderShelf(tmp_path / "vault") if store_url.startswith("sqlite") else SharedShelf(store)
    return SealedVault(store, shelf, new_id)


def remains(folder: Path) -> list[Path]:
    return list(folder.glob("vault/*/*"))


@pytest.fixture
def sealed(vault: Any) -> SealedVault:
    if not isinstance(vault, SealedVault):
        pytest.skip("what lies in memory is not sealed")
    return vault


async def test_a_file_comes_back_as_it_was(vault: Any) -> None:
    for size in SIZES:
        file = await vault.keep(pieces(BIG[:size]), CONSUMER, "application/pdf", LIMIT)

        assert await vault.find(file.ref, CONSUMER) == file
        assert (file.size_bytes, file.digest, file.media_type) == (size, hashlib.sha256(BIG[:size]).digest(), "application/pdf")
        assert await content_of(vault, file) == BIG[:size]


async def test_a_part_of_it_can_be_read(vault: Any) -> None:
    file = await vault.keep(pieces(BIG), CONSUMER, "application/pdf", LIMIT)

    for start, end in ((0, 10), (5, 6), (CHUNK_BYTES - 3, CHUNK_BYTES + 3), (CHUNK_BYTES, None), (len(BIG) - 1, None)):
        assert await content_of(vault, file, start, end) == BIG[start:end]


async def test_nobody_else_finds_it(vault: Any) -> None:
    file = await vault.keep(pieces(b"x"), CONSUMER, "text/plain", LIMIT)

    assert await vault.find(file.ref, OTHER) is None
    assert await vault.find("../../etc/passwd", CONSUMER) is None
    assert await vault.find("", CONSUMER) is None


async def test_what_is_too_large_leaves_nothing_behind(vault: Any, clock: Clock, tmp_path: Path) -> None:
    with pytest.raises(Fault) as caught:
        await vault.keep(pieces(BIG), CONSUMER, "text/plain", CHUNK_BYTES + 1)

    assert caught.value.slug == "body-too-large"
    assert remains(tmp_path) == []
    clock.at += 10
    assert await vault.sweep(clock.at) == 0


async def test_a_sender_that_breaks_off_leaves_nothing_behind(vault: Any, clock: Clock, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield BIG
        raise Fault("malformed-request", "the connection ended within the body")

    with pytest.raises(Fault):
        await vault.keep(broken(), CONSUMER, "text/plain", LIMIT)

    assert remains(tmp_path) == []
    clock.at += 10
    assert await vault.sweep(clock.at) == 0


async def test_orphans_are_swept_and_files_of_unsettled_messages_are_not(vault: Any, store: Any, make: Make, clock: Clock) -> None:
    kept = [await vault.keep(pieces(b"%d" % n), CONSUMER, "text/plain", LIMIT) for n in range(2)]
    stored = make.stored()
    await store.accept(stored, None, Reply(202, b"{}"))
    await vault.hold([kept[1].ref], stored.message_id)
    clock.at += 100

    early = await vault.sweep(clock.at - 200)
    swept = await vault.sweep(clock.at)

    assert (early, swept) == (0, 1)
    assert await vault.find(kept[0].ref, CONSUMER) is None
    assert await content_of(vault, kept[1]) == b"1"
    with pytest.raises(Fault, match="not-found"):
        await content_of(vault, kept[0])


async def test_content_does_not_lie_in_the_clear(sealed: SealedVault, store: Any, tmp_path: Path) -> None:
    secret = "Nguyễn Văn An".encode() * 1000

    file = await sealed.keep(pieces(secret), CONSUMER, "text/plain", LIMIT)

    shelved = [path.read_bytes() for path in remains(tmp_path)] or [await store.chunk(file.ref, 0)]
    assert len(shelved) == 1
    assert secret[:20] not in shelved[0]


class Damage:
    """What somebody who can write to the folder or the database may do to a file of three chunks."""

    def __init__(self, store: Any, ref: str, path: Path) -> None:
        self.store, self.ref, self.path, self.lies_in_a_folder = store, ref, path, path.exists()

    async def cut(self) -> None:
        """Drop the last chunk."""
        if self.lies_in_a_folder:
            self.path.write_bytes(self.path.read_bytes()[: 2 * (CHUNK_BYTES + TAG_BYTES)])
        await self._execute(delete(tables.file_chunk).where(tables.file_chunk.c.ref == self.ref, tables.file_chunk.c.number == 2))

    async def swap(self) -> None:
        """Exchange the first two chunks."""
        size, number = CHUNK_BYTES + TAG_BYTES, tables.file_chunk.c.number
        if self.lies_in_a_folder:
            content = self.path.read_bytes()
            self.path.write_bytes(content[size : 2 * size] + content[:size] + content[2 * size :])
        for old, new in ((0, 9), (1, 0), (9, 1)):
            await self._execute(update(tables.file_chunk).where(tables.file_chunk.c.ref == self.ref, number == old).values(number=new))

    async def flip(self) -> None:
        """Change one bit of the second chunk."""
        if self.lies_in_a_folder:
            content = bytearray(self.path.read_bytes())
            content[CHUNK_BYTES + TAG_BYTES + 5] ^= 1
            self.path.write_bytes(content)
        where = (tables.file_chunk.c.ref == self.ref, tables.file_chunk.c.number == 1)
        await self._execute(update(tables.file_chunk).where(*where).values(sealed=b"x" * CHUNK_BYTES))

    async def shorten(self) -> None:
        """Say in the index that the file ends with its second chunk."""
        await self._execute(update(tables.file).where(tables.file.c.ref == self.ref).values(size_bytes=2 * CHUNK_BYTES))

    async def _execute(self, statement: Any) -> None:
        async with self.store.core.transaction() as connection:
            await connection.execute(statement)


@pytest.mark.parametrize("kind", ["cut", "swap", "flip", "shorten"])
async def test_damage_is_seen(sealed: SealedVault, store: Any, tmp_path: Path, kind: str) -> None:
    file = await sealed.keep(pieces(BIG), CONSUMER, "text/plain", LIMIT)
    await getattr(Damage(store, file.ref, tmp_path / "vault" / file.ref[-2:] / file.ref), kind)()

    with pytest.raises(Fault) as caught:
        await content_of(sealed, file)

    assert caught.value.slug == "record-unavailable"


def test_stand_ins_are_base64_and_are_found_in_any_document() -> None:
    ref = "0192f000-0000-7000-8000-000000000001"
    document = f'{{"scan": "{stand_in(ref)}", "again": "{stand_in(ref)}", "other": "dXJuOmxnc3A6ZmlsZXM6short"}}'.encode()

    assert len(stand_in(ref)) % 4 == 0
    assert refs_in(document) == (ref,)
    assert refs_in(b"no file here") == ()
    assert refs_in(f"{stand_in(ref)}AAAA".encode()) == ()
