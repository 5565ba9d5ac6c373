"""How the hub signs what it sends to a registered address: HMAC-SHA256 over id, time stamp and body (Standard Webhooks 1.0).

    Webhook-Id: the message's id, the same at each attempt      Webhook-Timestamp: POSIX seconds of this attempt
    Webhook-Signature: v1,BASE64 [v1,BASE64 ...]                of `id.timestamp.body`, one for each secret that is valid now

A receiver compares one of them in constant time, refuses time stamps that are minutes old, and remembers the ids that it has seen.
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = "whsec_"
"""Begins a secret as it is shown to people; base64 of its bytes follows."""


def shown(secret: bytes) -> str:
    """A secret as people and verification libraries write it."""
    return SHOWN + base64.b64encode(secret).decode()


def signature_headers(secrets: Sequence[tuple[bytes, float]], message_id: str, at: float, body: bytes) -> tuple[tuple[str, str], ...]:
    """The three headers of one attempt at POSIX second `at`; `secrets` with the end of each."""
    stamp = str(int(at))
    signed = b".".join((message_id.encode(), stamp.encode(), body))
    macs = [hmac.digest(secret, signed, "sha256") for secret, until in secrets if until > at]
    marks = " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs)
    return ("Webhook-Id", message_id), ("Webhook-Timestamp", stamp), ("Webhook-Signature", marks)
