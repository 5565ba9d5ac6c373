"""Encryption at rest: AES-256-GCM under data keys, which the master key wraps.

Sealed bytes are `key number (4 bytes, big endian) | nonce (12) | ciphertext and tag`. Number 0 is the key that wraps the others; the
highest number seals. Nonces are random: at one key for each year's messages they stay far below the 2**32 of NIST SP 800-38D 8.3.
Both the wrapping key and the key of the marks are derived from the master key (HKDF, RFC 5869), so that one secret serves one purpose.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lgsp.errors import Fault, SettingsError
from lgsp.evidence.keyed import Keyed

MASTER_KEY_BYTES = 32
MARK_BYTES = 16
_HEAD = 16


class Cipher:
    """Seals and opens what is stored; knows the master key and the data keys that were adopted."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != MASTER_KEY_BYTES:
            raise SettingsError(f"the master key must have {MASTER_KEY_BYTES} bytes, not {len(master_key)}")
        self._keys = {0: AESGCM(_derived(master_key, b"lgsp wrap"))}
        self._marks = Keyed(_derived(master_key, b"lgsp mark"))
        self._newest = 0

    def __repr__(self) -> str:
        return f"Cipher(keys={sorted(self._keys)})"

    def adopt(self, number: int, wrapped: bytes | None) -> bytes:
        """Use data key `number` from now on, a fresh one if none is given; returns it wrapped.

        SettingsError: another master key wrapped it.
        """
        aad = b"data key %d" % number
        if wrapped is None:
            wrapped = self.seal(AESGCM.generate_key(8 * MASTER_KEY_BYTES), aad, 0)
        try:
            self._keys[number] = AESGCM(self.open(wrapped, aad))
        except (Fault, LookupError) as error:
            raise SettingsError("LGSP_MASTER_KEY is not the key of this database, or the database is damaged") from error
        self._newest = max(self._newest, number)
        return wrapped

    def seal(self, plaintext: bytes, aad: bytes, number: int | None = None) -> bytes:
        """Ciphertext bound to `aad` (what it belongs to), under the newest data key or that of `number`."""
        number = self._newest if number is None else number
        nonce = os.urandom(12)
        return number.to_bytes(4, "big") + nonce + self._keys[number].encrypt(nonce, plaintext, aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext; Fault("record-unavailable") if it was changed or moved, LookupError if its data key was not adopted yet."""
        key = self._keys[int.from_bytes(sealed[:4], "big")]
        try:
            return key.decrypt(sealed[4:_HEAD], sealed[_HEAD:], aad)
        except (InvalidTag, ValueError) as error:
            raise Fault("record-unavailable", "stored ciphertext does not open: it was changed, moved or damaged") from error

    def mark(self, value: str) -> bytes:
        """A keyed digest that tells equal values and nothing else."""
        return self._marks.digest(value.encode())[:MARK_BYTES]


def _derived(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), MASTER_KEY_BYTES, None, purpose).derive(master_key)
