"""Deduplicate: one Idempotency-Key is served once (EIP Idempotent Receiver; draft-ietf-httpapi-idempotency-key-header).

A client that sends no key (generated SOAP clients do not) may still repeat itself: where the manifest says `deduplicate: business_key`, the
same body about the same matter is the same message for 24 hours, and any other body about it is a new one. The key is claimed in the same
transaction that makes the exchange durable; here stand the key's grammar, its fingerprint, and what to answer when somebody holds it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lgsp.codec import json
from lgsp.errors import Fault
from lgsp.model.happening import KeyClaim, Reply

if TYPE_CHECKING:
    from lgsp.model.happening import Exchange, KeyHolder, Message
    from lgsp.ports.engine import Ports

KEY = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"|([\x21\x23-\x7e]{1,255})')
BUSINESS = "#business_key"
"""Ends the scope of claims that the hub makes itself, so that no consumer's key meets them."""

KEEP_S = 86_400.0
"""How long a finished key is remembered; told in the published contract."""


def key_claim(message: Message, exchange: Exchange, ports: Ports) -> KeyClaim | None:
    """The claim for this message's key, or for its business key where the operation deduplicates by that; None where it has neither."""
    operation = exchange.operation
    matter = exchange.key_at(operation.business_key) if operation.deduplicates else None
    if message.idempotency_key is None and operation.requires_key:
        raise Fault("idempotency-key-missing")
    if message.idempotency_key is None and matter is None:
        return None
    fingerprint = ports.digest(b"\n".join((message.method.encode(), message.path.encode(), *_meant(exchange))))
    scope, key = f"{operation.service}/{operation.major}/{operation.name}", f"{matter}\n{fingerprint.hex()}"
    if message.idempotency_key is None:
        scope += BUSINESS
    elif match := KEY.fullmatch(message.idempotency_key.strip()):
        key = match[1] or match[2]
    else:
        raise Fault("idempotency-key-invalid")
    return KeyClaim(exchange.consumer, scope, key, fingerprint, message.received_at + KEEP_S)


def _meant(exchange: Exchange) -> tuple[bytes, ...]:
    """What the request says, however its JSON is laid out, and the message whose place it takes."""
    gives_way = () if exchange.supersedes is None else (exchange.supersedes.lower().encode(),)
    return json.canonical(exchange.parameters), json.canonical(exchange.request), *gives_way


def answer_of(holder: KeyHolder, claim: KeyClaim | None) -> Reply:
    """The stored answer of the exchange that holds the key, marked as a repetition; or the Fault that says why there is none."""
    if claim is None or holder.fingerprint != claim.fingerprint:
        raise Fault("idempotency-key-reused")
    if holder.unknown:
        raise Fault("key-outcome-unknown", f"ask for message {holder.message_id}", extra={"messageId": holder.message_id})
    if holder.reply is None:
        raise Fault("request-in-progress", retry_after_s=1)
    return Reply(holder.reply.status, holder.reply.body, (*holder.reply.headers, ("Idempotent-Replayed", "true")))
