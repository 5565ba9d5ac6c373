"""Keyed digests: HMAC-SHA256 (RFC 2104) under a key of its own for each purpose, derived from the master key."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_BYTES = 64
"""Of SHA-256 (FIPS 180-4); HMAC fills its key up to one."""


def keyed(master_key: bytes, purpose: bytes) -> Callable[[bytes], bytes]:
    """The digest of a content, as `hmac.digest` has it; both of its hashes begin with the key, which is hashed here, and not each time."""
    key = hmac.digest(master_key, purpose, "sha256").ljust(BLOCK_BYTES, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))

    def digest(content: bytes) -> bytes:
        within, around = inner.copy(), outer.copy()
        within.update(content)
        around.update(within.digest())
        return around.digest()

    return digest
