"""Model values to rows and back; pure. Rows are as plan.py and statements.py name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from lgsp.codec import json
from lgsp.drivers.store.plan import Work
from lgsp.drivers.store.statements import LOG
from lgsp.model.agreed import Quota
from lgsp.model.evidence import NOTHING_DISCLOSED
from lgsp.model.happening import KeyHolder, Opened, Receipt, Reply, State, Stored
from lgsp.model.parties import Consumer, Purpose, Right, SubsystemId
from lgsp.policy.lifecycle import EXCHANGE_ENDS, lets_pass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row as Record

    from lgsp.drivers.store.core import Cipher
    from lgsp.drivers.store.statements import Row
    from lgsp.model.happening import Closed, Due, KeyAnswer, KeyClaim, Settlement

OPEN, FINISHED, UNKNOWN = "open", "finished", "unknown"
"""States of an idempotency key."""

ABANDONED_S = 900.0
"""An exchange that holds its key for longer than any deadline died: nobody knows its outcome until somebody finds out."""

_facts = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder(decimal_format="number").encode


def id_in(message_id: str) -> bytes:
    """The 16 bytes of a UUID; ValueError for anything else."""
    found = bytes.fromhex(message_id.replace("-", ""))
    if len(found) != 16:  # noqa: PLR2004 -- the size of a UUID (RFC 9562)
        raise ValueError(f"{message_id!r} is no UUID")
    return found


def id_out(message_id: bytes) -> str:
    """The text form of RFC 9562."""
    text = message_id.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_id(message_id: str) -> bool:
    """Whether it can be the id of a message at all."""
    try:
        id_in(message_id)
    except ValueError:
        return False
    return True


# ---- the message log -----------------------------------------------------------------------------------------------------------------
# Each None and each `bytes` costs sqlite3 a search for an adapter, 0.4 us, 4 us a row here; str, int, float, bytearray it knows at sight.


def opened_row(row: Opened) -> Row:
    """An OPENED row of `log`."""
    return (
        bytearray(id_in(row.message_id)),
        "opened",
        row.attempt,
        row.at,
        row.consumer,
        row.service,
        row.operation,
        row.trace_id,
        bytearray(row.request_digest),
        row.provider,
        _told(row),
        "",
        0,
        "",
        "",
        0,
        "",
        "",
    )


def _told(row: Opened | Closed) -> str:
    """Why it is asked, and for the evidence on what ground, which fields and whom."""
    if row.purpose is None:
        return "" if row.disclosed is NOTHING_DISCLOSED else _encode(row.disclosed).decode()
    why = _encode(row.purpose)
    return (why if row.disclosed is NOTHING_DISCLOSED else why[:-1] + b"," + _encode(row.disclosed)[1:]).decode()


def closed_row(row: Closed, settlement: Settlement | None = None) -> Row:
    """A CLOSED row of `log`; `settled` tells where a stored message stands after it."""
    return (
        bytearray(id_in(row.message_id)),
        "closed",
        row.attempt,
        row.at,
        row.consumer,
        row.service,
        row.operation,
        row.trace_id,
        bytearray(row.reply_digest),
        "",
        _told(row),
        row.outcome.value,
        row.status,
        str(row.blame),
        row.cause,
        row.duration_us,
        ",".join([f"{stage}:{us}" for stage, us in row.stages]),
        "" if settlement is None else _settled(settlement),
    )


def _settled(settlement: Settlement) -> str:
    facts = {"state": settlement.state.value, "due_at": settlement.due_at, "blame": str(settlement.blame)}
    return _encode({**facts, "cause": settlement.cause, "detail": settlement.detail}).decode()


def named(row: Row) -> dict[str, Any]:
    """A row of LOG by its columns."""
    values = dict(zip((name for name, _ in LOG.columns), row, strict=True))
    return {**values, "message_id": id_out(bytes(values["message_id"]))}  # type: ignore[call-overload] # bytes column


def opened_of(record: Record[Any]) -> Opened:
    """From an OPENED row, as far as its end needs it; the purpose and the digest stay where they are."""
    message_id = record.message_id
    return Opened(
        message_id=id_out(message_id) if isinstance(message_id, bytes) else str(message_id),
        attempt=record.attempt,
        at=record.at,
        consumer=SubsystemId(record.consumer),
        provider=record.provider,
        service=record.service,
        operation=record.operation,
        purpose=Purpose(),
        request_digest=b"",
        trace_id=record.trace_id,
    )


def exchange_receipt(opened: Record[Any], closed: Sequence[Record[Any]]) -> Receipt:
    """What the rows of a request-reply tell: still under way, or how it ended; never its answer, which nobody kept."""
    last = closed[-1] if closed else None
    state = State.DELIVERING if last is None else EXCHANGE_ENDS.get(last.outcome, State.REFUSED)
    return Receipt(
        message_id=opened.message_id,
        service=opened.service,
        operation=opened.operation,
        state=state,
        attempts=1,
        accepted_at=opened.at,
        settled_at=None if last is None else last.at,
        due_at=None,
        blame="" if last is None else last.blame,
        cause="" if last is None else last.cause,
        detail="",
        reply=None,
    )


def stages_of(text: str) -> tuple[tuple[str, int], ...]:
    """The stages of a CLOSED row; without those that are damaged."""
    found = (part.rpartition(":") for part in text.split(",") if part)
    return tuple((stage, int(us)) for stage, _, us in found if us.isdecimal())


def facts_of(text: str) -> dict[str, Any]:
    """What a row tells as JSON; nothing where that is damaged, so that the rows beside it are read all the same."""
    try:
        return _facts.decode(text)
    except msgspec.DecodeError:
        return {}


# ---- idempotency keys ----------------------------------------------------------------------------------------------------------------


def key_columns(claim: KeyClaim, cipher: Cipher) -> Row:
    """The primary key of `idempotency`; the key itself may hold anything, so only its mark is kept."""
    return claim.consumer, claim.operation, cipher.mark(claim.key)


def take_key_row(claim: KeyClaim, message_id: str, at: float, cipher: Cipher, reply: Reply | None = None) -> Row:
    """A claim; already finished if its reply is given."""
    sealed = None if reply is None else seal_reply(reply, message_id, cipher)
    state = OPEN if reply is None else FINISHED
    return (*key_columns(claim, cipher), claim.fingerprint, id_in(message_id), state, sealed, at, claim.expires_at)


def answer_work(log: Row, message_id: str, answer: KeyAnswer, cipher: Cipher) -> Work:
    """CLOSED with what becomes of its key."""
    columns = (*key_columns(answer.claim, cipher), id_in(message_id))
    if answer.reply is not None:
        return Work(log=log, finish_key=(*columns, FINISHED, seal_reply(answer.reply, message_id, cipher)))
    return Work(log=log, finish_key=(*columns, UNKNOWN, None)) if answer.unknown else Work(log=log, release_key=columns)


def seal_reply(reply: Reply, message_id: str, cipher: Cipher) -> bytes:
    """Status and headers in one line of JSON, then the body; sealed for this message."""
    return cipher.seal(_encode((reply.status, reply.headers)) + b"\n" + reply.body, _aad("answer", message_id))


def key_holder(row: Row, plaintext: bytes | None, now: float) -> KeyHolder:
    """From (message id, fingerprint, state, sealed reply, time of the claim) and the opened reply."""
    message_id, fingerprint, state, _, claimed_at = row
    died = state == OPEN and float(str(claimed_at)) + ABANDONED_S < now
    reply = None
    if plaintext is not None:
        head, _, body = plaintext.partition(b"\n")
        status, headers = json.decode(head)
        reply = Reply(status, body, tuple((name, value) for name, value in headers))
    return KeyHolder(id_out(bytes(message_id)), bytes(fingerprint), reply, state == UNKNOWN or died)  # type: ignore[call-overload] # bytes column


# ---- stored messages -----------------------------------------------------------------------------------------------------------------


def _aad(part: str, message_id: str) -> bytes:
    return f"{part} {message_id}".encode()


def request_aad(message_id: str) -> bytes:
    """What a sealed request belongs to."""
    return _aad("request", message_id)


def reply_aad(message_id: str) -> bytes:
    """What a sealed provider's reply belongs to."""
    return _aad("reply", message_id)


def answer_aad(message_id: str) -> bytes:
    """What a sealed answer of an idempotency key belongs to."""
    return _aad("answer", message_id)


def message_row(stored: Stored, cipher: Cipher) -> Row:
    """A row of `message`; due at once if it waits."""
    return (
        bytearray(id_in(stored.message_id)),
        stored.consumer,
        stored.service,
        stored.major,
        stored.operation,
        stored.provider,
        _encode(stored.purpose).decode(),
        stored.digest,
        None if stored.order_key is None else cipher.mark(stored.order_key),
        None if stored.business_key is None else cipher.mark(stored.business_key),
        stored.accepted_at,
        stored.deadline_at,
        stored.trace_id,
        stored.state.value,
        stored.accepted_at if stored.state is State.WAITING else None,
        None if stored.part_of is None else bytearray(id_in(stored.part_of)),
        stored.skips_dead,
        stored.state is State.WAITING,
    )


def payload_row(stored: Stored, cipher: Cipher, retain_s: float) -> Row:
    """A row of `payload`: what may name people is sealed together, parameters and keys in one line of JSON, then the request."""
    head = _encode((stored.parameters, stored.order_key, stored.business_key))
    sealed = cipher.seal(head + b"\n" + stored.request, request_aad(stored.message_id))
    return bytearray(id_in(stored.message_id)), bytearray(sealed), stored.deadline_at + retain_s


def settle_row(item: Due, settlement: Settlement) -> Row:
    """A row of SETTLE."""
    waits = settlement.state is State.WAITING
    return (
        id_in(item.stored.message_id),
        item.lease,
        settlement.state.value,
        _due_at(settlement),
        None if waits else settlement.at,
        str(settlement.blame),
        settlement.cause,
        settlement.detail,
    )


def wake_row(item: Due, settlement: Settlement) -> Row | None:
    """A row of WAKE, if this message lets the next of its order key pass."""
    passes = item.stored.order_key is not None and lets_pass(settlement.state, skips_dead=item.stored.skips_dead)
    return (id_in(item.stored.message_id), settlement.at) if passes else None


def resolve_row(item: Due, settlement: Settlement) -> Row:
    """A row of RESOLVE."""
    return *settle_row(item, settlement), settlement.denials


def supersede_row(stored: Stored, cipher: Cipher) -> Row | None:
    """A row of SUPERSEDE, if this message corrects another."""
    if stored.supersedes is None:
        return None
    return (
        id_in(stored.supersedes),
        id_in(stored.message_id),
        stored.accepted_at,
        stored.consumer,
        stored.service,
        stored.major,
        stored.operation,
        None if stored.order_key is None else cipher.mark(stored.order_key),
    )


def _due_at(settlement: Settlement) -> float | None:
    """When it is tried again, or asked about; a message at rest is not due."""
    if settlement.state is State.WAITING:
        return settlement.at if settlement.due_at is None else settlement.due_at
    return settlement.due_at if settlement.state is State.UNKNOWN else None


def receipt(row: Record[Any], reply: bytes | None) -> Receipt:
    """From a row of `message` and the opened reply; a time that is damaged is told as none."""
    state = State(row.state)
    return Receipt(
        message_id=row.message_id,
        service=row.service,
        operation=row.operation,
        state=state,
        attempts=row.attempts,
        accepted_at=time_of(row.accepted_at) or 0.0,
        settled_at=time_of(row.settled_at),
        due_at=time_of(row.due_at) if state is State.WAITING else None,
        blame=row.blame,
        cause=row.cause,
        detail=row.detail,
        reply=reply,
        major=row.major,
        number=row.feed_no,
    )


def time_of(value: object) -> float | None:
    """None for what is no time: SQLite keeps anything in any column."""
    return float(value) if isinstance(value, int | float) else None


# ---- the register --------------------------------------------------------------------------------------------------------------------


def right_values(right: Right) -> Mapping[str, Any]:
    """The columns of `access_right`; no limit is NULL."""
    return {
        "consumer": right.consumer,
        "service": right.service,
        "operation": right.operation,
        "purposes": _encode(sorted(right.purposes)).decode(),
        "fields": None if right.fields is None else _encode(sorted(right.fields)).decode(),
        "not_before": right.not_before or None,
        "not_after": None if right.not_after == float("inf") else right.not_after,
        "quota_q": right.quota.q if right.quota else None,
        "quota_w": right.quota.w if right.quota else None,
    }


def right(row: Record[Any]) -> Right:
    """From a row of `access_right`."""
    return Right(
        consumer=SubsystemId(row.consumer),
        service=row.service,
        operation=row.operation,
        purposes=frozenset(msgspec.json.decode(row.purposes)),
        fields=None if row.fields is None else frozenset(msgspec.json.decode(row.fields)),
        not_before=row.not_before or 0.0,
        not_after=float("inf") if row.not_after is None else row.not_after,
        quota=None if row.quota_q is None else Quota(row.quota_q, row.quota_w),
    )


def consumer(row: Record[Any]) -> Consumer:
    """From a row of `consumer`."""
    return Consumer(SubsystemId(row.id), row.client_id, row.title, bool(row.active))
