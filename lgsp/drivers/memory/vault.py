"""The vault in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.files import File

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from lgsp.model.parties import SubsystemId

PIECE_BYTES = 64 << 10


@dataclass
class MemoryVault:
    """The Vault port; `is_needed` says of a message and a time whether its files must stay."""

    now: Callable[[], float]
    new_id: Callable[[], str]
    is_needed: Callable[[str, float], bool] = lambda _message, _before: True
    kept: dict[str, tuple[File, bytes]] = field(default_factory=dict)
    uses: dict[str, set[str]] = field(default_factory=dict)

    async def keep(self, content: AsyncIterator[bytes], consumer: SubsystemId, media_type: str, limit_bytes: int) -> File:
        """Vault."""
        pieces = bytearray()
        async for piece in content:
            pieces += piece
            if len(pieces) > limit_bytes:
                raise Fault("body-too-large", f"the limit of a file is {limit_bytes} bytes")
        file = File(self.new_id(), consumer, media_type, len(pieces), hashlib.sha256(pieces).digest(), self.now())
        self.kept[file.ref] = (file, bytes(pieces))
        return file

    async def find(self, ref: str, consumer: SubsystemId) -> File | None:
        """Vault."""
        found = self.kept.get(ref)
        return found[0] if found is not None and found[0].consumer == consumer else None

    async def read(self, file: File, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Vault."""
        found = self.kept.get(file.ref)
        if found is None:
            raise Fault("not-found")
        content = found[1][start:end]
        for at in range(0, len(content), PIECE_BYTES):
            yield content[at : at + PIECE_BYTES]

    async def hold(self, refs: Sequence[str], message_id: str) -> None:
        """Vault."""
        for ref in refs:
            self.uses.setdefault(ref, set()).add(message_id)

    async def sweep(self, before: float) -> int:
        """As the real one."""
        old = [ref for ref, (file, _) in self.kept.items() if file.kept_at < before]
        gone = [ref for ref in old if not any(self.is_needed(message, before) for message in self.uses.get(ref, ()))]
        for ref in gone:
            del self.kept[ref]
        return len(gone)
