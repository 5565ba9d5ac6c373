"""Files: large parts that the vault keeps, and the short text that stands for one wherever a contract has base64.

A stand-in is itself base64 (of `urn:lgsp:files:` and the reference), so that contracts, mappings and codecs carry it as they carry a small
file; whoever has the right gets the content where it leaves the hub. A reference is a UUID; it says nothing and grants nothing.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.parties import SubsystemId

URN = b"urn:lgsp:files:"
STAND_IN = re.compile(rb"dXJuOmxnc3A6ZmlsZXM6[A-Za-z0-9+/]{48}(?![A-Za-z0-9+/=])")
"""15 bytes make exactly 20 characters, 36 more exactly 48."""
MARK = b"dXJuOmxnc3A6ZmlsZXM6"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class File:
    """What is known of a kept file; `digest` is SHA-256 of its content, `kept_at` POSIX seconds."""

    ref: str
    consumer: SubsystemId
    media_type: str
    size_bytes: int
    digest: bytes
    kept_at: float


def stand_in(ref: str) -> str:
    """The text that stands for a file."""
    return base64.b64encode(URN + ref.encode()).decode()


def ref_in(text: bytes) -> str | None:
    """The reference that a stand-in means; None if it only looks like one."""
    ref = base64.b64decode(text)[len(URN) :].decode("ascii", "replace")
    return ref if UUID.fullmatch(ref) else None


def refs_in(document: bytes) -> Sequence[str]:
    """The references of all stand-ins in a document, each once."""
    if MARK not in document:
        return ()
    found = (ref_in(match[0]) for match in STAND_IN.finditer(document))
    return tuple(dict.fromkeys(ref for ref in found if ref is not None))
