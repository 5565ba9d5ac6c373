"""The vault: large parts, streamed, encrypted chunk by chunk, in a local folder for one node or in the database for several.

Each file has a key of its own, which goes into the database wrapped (DESIGN decision 12): whoever erases the row has erased the file.
A chunk is sealed with AES-256-GCM under a nonce of its number and a flag that only the last one has (the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizar, CRYPTO 2015), so that chunks that were cut off, moved, doubled or taken from elsewhere do not open.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lgsp.errors import Fault
from lgsp.model.files import File

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from lgsp.model.parties import SubsystemId

R = TypeVar("R")
CHUNK_BYTES = 256 << 10
TAG_BYTES = 16
KEY_BITS = 256
SWEEP = 200
"""Orphans that one sweep takes."""


class Index(Protocol):
    """What is known of files (drivers/store/files.py)."""

    async def begin_file(self, ref: str, consumer: SubsystemId, media_type: str) -> None: ...

    async def finish_file(self, ref: str, size_bytes: int, secret: bytes) -> float: ...

    async def file(self, ref: str, consumer: SubsystemId) -> tuple[File, bytes] | None: ...

    async def use_files(self, refs: Sequence[str], message_id: str) -> None: ...

    async def orphans(self, before: float, limit: int) -> Sequence[str]: ...

    async def forget_files(self, refs: Sequence[str]) -> None: ...


class Shelf(Protocol):
    """Where sealed chunks lie; all but the last of a file have the same size."""

    async def put_chunk(self, ref: str, number: int, sealed: bytes) -> None: ...

    async def settle(self, ref: str) -> None:
        """Whatever was put is durable now."""

    async def chunk(self, ref: str, number: int) -> bytes: ...

    async def remove(self, refs: Sequence[str]) -> None: ...


class SealedVault:
    """The Vault port over an index and a shelf."""

    def __init__(self, index: Index, shelf: Shelf, new_id: Callable[[], str]) -> None:
        self._index = index
        self._shelf = shelf
        self._new_id = new_id

    async def keep(self, content: AsyncIterator[bytes], consumer: SubsystemId, media_type: str, limit_bytes: int) -> File:
        """Vault; what a fault leaves behind is removed at once, what a crash leaves behind by the sweep."""
        ref, key = self._new_id(), AESGCM.generate_key(KEY_BITS)
        await self._index.begin_file(ref, consumer, media_type)
        is_kept = False
        try:
            size_bytes, digest = await self._put(ref, key, content, limit_bytes)
            await self._shelf.settle(ref)
            kept_at = await self._index.finish_file(ref, size_bytes, digest + key)
            is_kept = True
        finally:
            if not is_kept:
                await self._drop([ref])
        return File(ref, consumer, media_type, size_bytes, digest, kept_at)

    async def _put(self, ref: str, key: bytes, content: AsyncIterator[bytes], limit_bytes: int) -> tuple[int, bytes]:
        cipher, hashed, waiting, size_bytes, number = AESGCM(key), hashlib.sha256(), bytearray(), 0, 0
        async for piece in content:
            size_bytes += len(piece)
            if size_bytes > limit_bytes:
                raise Fault("body-too-large", f"the limit of a file is {limit_bytes} bytes", headers=(("Connection", "close"),))
            waiting += piece
            while len(waiting) > CHUNK_BYTES:  # one that is full is put only when more comes: the last one is sealed as the last
                chunk = bytes(waiting[:CHUNK_BYTES])
                del waiting[:CHUNK_BYTES]
                hashed.update(chunk)
                await self._shelf.put_chunk(ref, number, cipher.encrypt(_nonce(number), chunk, ref.encode()))
                number += 1
        hashed.update(waiting)
        await self._shelf.put_chunk(ref, number, cipher.encrypt(_nonce(number, is_last=True), bytes(waiting), ref.encode()))
        return size_bytes, hashed.digest()

    async def find(self, ref: str, consumer: SubsystemId) -> File | None:
        """Vault."""
        found = await self._index.file(ref, consumer)
        return found[0] if found is not None else None

    async def read(self, file: File, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Vault; asked for anew, so that a file that was erased meanwhile is gone."""
        found = await self._index.file(file.ref, file.consumer)
        if found is None:
            raise Fault("not-found")
        end = file.size_bytes if end is None else min(end, file.size_bytes)
        cipher, last = AESGCM(found[1]), max(0, file.size_bytes - 1) // CHUNK_BYTES
        for number in range(start // CHUNK_BYTES, max(start, end - 1) // CHUNK_BYTES + 1):
            sealed = await self._shelf.chunk(file.ref, number)
            chunk = _opened(cipher, sealed, _nonce(number, is_last=number == last), file.ref)
            yield chunk[max(0, start - number * CHUNK_BYTES) : end - number * CHUNK_BYTES]

    async def hold(self, refs: Sequence[str], message_id: str) -> None:
        """Vault."""
        await self._index.use_files(refs, message_id)

    async def sweep(self, before: float) -> int:
        """Erase files older than `before` that no message needs; says how many."""
        refs = await self._index.orphans(before, SWEEP)
        if refs:
            await self._drop(refs)
        return len(refs)

    async def _drop(self, refs: Sequence[str]) -> None:
        await self._index.forget_files(refs)
        await self._shelf.remove(refs)


def _nonce(number: int, *, is_last: bool = False) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _opened(cipher: AESGCM, sealed: bytes, nonce: bytes, ref: str) -> bytes:
    try:
        return cipher.decrypt(nonce, sealed, ref.encode())
    except (InvalidTag, ValueError) as error:
        raise Fault("record-unavailable", "a kept file does not open: it was changed, cut or moved") from error


class FolderShelf:
    """Chunks in a local folder, one file for each; for a hub of one node."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put_chunk(self, ref: str, number: int, sealed: bytes) -> None:
        """Shelf."""
        await self._off_the_loop(self._append, ref, number, sealed)

    async def settle(self, ref: str) -> None:
        """Shelf: file and folder entry are on the disk."""
        await self._off_the_loop(self._sync, ref)

    async def chunk(self, ref: str, number: int) -> bytes:
        """Shelf."""
        return await self._off_the_loop(self._read, ref, number)

    async def remove(self, refs: Sequence[str]) -> None:
        """Shelf."""
        for ref in refs:
            await self._off_the_loop(self._path(ref).unlink, True)  # noqa: FBT003 -- missing_ok

    async def _off_the_loop(self, act: Callable[..., R], *arguments: Any) -> R:
        try:
            return await asyncio.to_thread(act, *arguments)
        except (OSError, RuntimeError) as error:  # the latter: no thread can be started now
            raise Fault("record-unavailable", "the folder of the vault cannot be used", retry_after_s=1) from error

    def _path(self, ref: str) -> Path:
        return self._folder / ref[-2:] / ref

    def _append(self, ref: str, number: int, sealed: bytes) -> None:
        path = self._path(ref)
        if number == 0:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("xb" if number == 0 else "ab") as out:
            out.write(sealed)

    def _sync(self, ref: str) -> None:
        for path in (self._path(ref), self._path(ref).parent):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _read(self, ref: str, number: int) -> bytes:
        with self._path(ref).open("rb") as kept:
            kept.seek(number * (CHUNK_BYTES + TAG_BYTES))
            return kept.read(CHUNK_BYTES + TAG_BYTES)


class Chunks(Protocol):
    """Chunks in a database (drivers/store/files.py), which go with their file's row."""

    async def put_chunk(self, ref: str, number: int, sealed: bytes) -> None: ...

    async def chunk(self, ref: str, number: int) -> bytes: ...


class SharedShelf:
    """Chunks in the database that several nodes share; each is durable when it was put."""

    def __init__(self, chunks: Chunks) -> None:
        self.put_chunk = chunks.put_chunk
        self.chunk = chunks.chunk

    async def settle(self, ref: str) -> None:
        """Shelf."""

    async def remove(self, refs: Sequence[str]) -> None:
        """Shelf: the index took them already."""
