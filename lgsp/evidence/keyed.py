"""HMAC-SHA256 (RFC 2104) of many short texts under one key: its two padded blocks are hashed once, which halves the time of each."""

from __future__ import annotations

import hashlib

BLOCK_BYTES = 64
INNER, OUTER = (bytes(each ^ pad for each in range(256)) for pad in (0x36, 0x5C))


class Keyed:
    """One key, of at most a block."""

    def __init__(self, key: bytes) -> None:
        if len(key) > BLOCK_BYTES:
            raise ValueError(f"a key has at most {BLOCK_BYTES} bytes")
        block = key.ljust(BLOCK_BYTES, b"\0")
        self._inner, self._outer = (hashlib.sha256(block.translate(pad)) for pad in (INNER, OUTER))

    def digest(self, content: bytes) -> bytes:
        """The 32 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(content)
        outer.update(inner.digest())
        return outer.digest()
