"""Fill: put the content of files where their stand-ins are, when a document leaves the hub; never all of it in memory."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.files import MARK, STAND_IN, ref_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from lgsp.model.parties import SubsystemId
    from lgsp.ports.engine import Vault


@dataclass(frozen=True, slots=True)
class Attachment:
    """Content that stands in a document: its size, its media type, and what reads it anew."""

    size_bytes: int
    media_type: str
    read: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A document cut where attachments stand in it: text, attachment, text, ..."""

    texts: Sequence[bytes]
    attachments: Sequence[Attachment]

    @property
    def size_bytes(self) -> int:
        """With every attachment as base64."""
        return sum(map(len, self.texts)) + sum((each.size_bytes + 2) // 3 * 4 for each in self.attachments)

    async def filled(self) -> AsyncIterator[bytes]:
        """The document with every attachment as base64."""
        for text, attachment in zip(self.texts, self.attachments, strict=False):
            yield text
            left = b""
            async for piece in attachment.read():
                whole = left + piece
                end = len(whole) // 3 * 3
                left = whole[end:]
                yield base64.b64encode(whole[:end])
            yield base64.b64encode(left)
        yield self.texts[-1]


async def cut_at_files(document: bytes, consumer: SubsystemId, vault: Vault) -> Outgoing:
    """Cut out every file that a document names; Fault("file-unknown") for one that is not this consumer's."""
    found = []
    for match in STAND_IN.finditer(document) if MARK in document else ():
        ref = ref_in(match[0])
        file = await vault.find(ref, consumer) if ref is not None else None
        if file is None:
            raise Fault("file-unknown", ref or "")
        found.append((match.span(), Attachment(file.size_bytes, file.media_type, partial(vault.read, file))))
    return cut(document, found)


def cut(document: bytes, found: Sequence[tuple[tuple[int, int], Attachment]]) -> Outgoing:
    """The document without these places."""
    ends = [0, *(end for (_, end), _ in found)]
    starts = [*(start for (start, _), _ in found), len(document)]
    return Outgoing([document[one:other] for one, other in zip(ends, starts, strict=True)], [each for _, each in found])
