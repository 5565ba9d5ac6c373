"""Ids: UUIDv7 (RFC 9562 section 5.7), made in blocks of randomness."""

from __future__ import annotations

import os
import time


class Ids:
    """UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then randomness, which is fetched from the system in blocks."""

    BLOCK = 4096
    SHARE = 20

    def __init__(self) -> None:
        self._random = ""
        self._at = 0

    def __call__(self) -> str:
        """A new id; ids made later sort later."""
        at = self._at
        if at + self.SHARE > len(self._random):
            self._random, at = os.urandom(self.BLOCK).hex(), 0
        self._at = at + self.SHARE
        share, clock = self._random[at : self._at], f"{time.time_ns() // 1_000_000:012x}"
        variant = "89ab"[int(share[3], 16) & 0x3]
        return f"{clock[:8]}-{clock[8:]}-7{share[:3]}-{variant}{share[4:7]}-{share[7:19]}"
