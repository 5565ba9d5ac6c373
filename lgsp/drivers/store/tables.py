"""The tables: one schema for SQLite and PostgreSQL; `migrations/` builds it, and a test holds the two together.

Message ids are stored in 16 bytes (`uuid` on PostgreSQL, BLOB on SQLite), times as POSIX seconds. Identifiers of people (official,
dossier) stand in `log.purpose` and `message.purpose` only, in no index; order and business keys are kept as keyed digests; what a
message or an answer says is ciphertext. In `log` nothing is NULL: what a row does not tell is empty or 0 (see rows.py).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    false,
    text,
)

from lgsp.policy import lifecycle

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

metadata = MetaData()
RowId = BigInteger().with_variant(Integer, "sqlite")

DUE = "state IN ('waiting', 'delivering')"
READY, UNRIPE = f"ready AND {DUE}", f"NOT ready AND {DUE}"
"""What a claim may take, and what is to become so (claims.py)."""
UNSETTLED = f"state NOT IN ({', '.join(sorted(repr(state.value) for state in lifecycle.SETTLED))})"
SUPERSEDABLE = f"state IN ({', '.join(sorted(repr(state.value) for state in lifecycle.SUPERSEDABLE))})"
AT_REST = "state IN ('dead', 'held', 'unknown')"
TO_ASK = "state = 'unknown' AND due_at IS NOT NULL"
OPEN_KEY = "state = 'open'"
HAS_KEY = "business_mark IS NOT NULL"
FED = "feed_no IS NOT NULL"
IS_PART = "part_of IS NOT NULL"
UNFED = "settled_at IS NOT NULL AND feed_no IS NULL AND part_of IS NULL"
"""At rest, and not yet in its consumer's feed of receipts; the parts of a publication never are."""


class MessageId(TypeDecorator[str]):
    """A UUID, a string in Python; 16 bytes in the database."""

    impl = Uuid(as_uuid=False)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(LargeBinary(16) if dialect.name == "sqlite" else Uuid(as_uuid=False))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name != "sqlite" else uuid.UUID(value).bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        if value is None or dialect.name != "sqlite":
            return None if value is None else str(value)
        return str(uuid.UUID(bytes=value))


def partial(only: str, name: str, *columns: str) -> Index:
    """An index of the rows that fulfil a condition."""
    return Index(name, *columns, sqlite_where=text(only), postgresql_where=text(only))


log = Table(
    "log",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("message_id", MessageId, nullable=False),
    Column("event", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Double, nullable=False),
    *[Column(name, Text, nullable=False) for name in ("consumer", "service", "operation", "trace_id")],
    Column("digest", LargeBinary, nullable=False),
    Column("provider", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("blame", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("stages", Text, nullable=False),
    Column("settled", Text, nullable=False),
    Index("log_message", "message_id"),
)

message = Table(
    "message",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=True),
    Column("message_id", MessageId, nullable=False, unique=True),
    Column("consumer", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("major", Integer, nullable=False),
    Column("operation", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("order_mark", LargeBinary),
    Column("business_mark", LargeBinary),
    Column("accepted_at", Double, nullable=False),
    Column("deadline_at", Double, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Double),
    Column("lease", BigInteger, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("settled_at", Double),
    Column("blame", Text, nullable=False, server_default=""),
    Column("cause", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    partial(DUE, "message_due", "provider", "due_at"),
    partial(f"order_mark IS NOT NULL AND {UNSETTLED}", "message_order", "provider", "order_mark", "seq"),
    Column("denials", Integer, nullable=False, server_default=text("0")),
    partial(TO_ASK, "message_ask", "due_at"),
    partial(AT_REST, "message_at_rest", "state", "provider"),
    Column("feed_no", BigInteger),
    Column("part_of", MessageId),
    Column("skips_dead", Boolean, nullable=False, server_default=false()),
    Column("ready", Boolean, nullable=False, server_default=false()),
    partial(READY, "message_turn", "provider", "consumer", "deadline_at", "seq"),
    partial(UNRIPE, "message_unripe", "provider", "due_at"),
    partial(FED, "message_fed", "consumer", "feed_no"),
    partial(IS_PART, "message_parts", "part_of"),
    partial(HAS_KEY, "message_business", "business_mark"),
    partial(UNFED, "message_unfed", "consumer", "settled_at"),
)

feed = Table(
    "feed",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

payload = Table(
    "payload",
    metadata,
    Column("message_id", MessageId, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("reply", LargeBinary),
    Column("expires_at", Double, nullable=False),
)

file = Table(
    "file",
    metadata,
    Column("ref", MessageId, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("secret", LargeBinary),
    Column("kept_at", Double, nullable=False, index=True),
)

file_use = Table(
    "file_use",
    metadata,
    Column("ref", MessageId, primary_key=True),
    Column("message_id", MessageId, primary_key=True),
)

file_chunk = Table(
    "file_chunk",
    metadata,
    Column("ref", MessageId, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

call = Table(
    "call",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("message_id", MessageId, nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("lease", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
    Column("name", Text, nullable=False),
    Column("finished", Boolean, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key_mark", LargeBinary, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("message_id", MessageId, nullable=False),
    Column("state", Text, nullable=False),
    Column("reply", LargeBinary),
    Column("claimed_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    partial(OPEN_KEY, "idempotency_open", "message_id"),
)

consumer = Table(
    "consumer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client_id", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("active", Boolean, nullable=False),
)

secret = Table(
    "secret",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("consumer", Text, ForeignKey("consumer.id"), nullable=False, index=True),
    Column("mac", LargeBinary, nullable=False),
    Column("added_at", Double, nullable=False),
)

certificate = Table(
    "certificate",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("consumer", Text, ForeignKey("consumer.id"), nullable=False, index=True),
    Column("subject", Text, nullable=False),
    Column("pem", Text, nullable=False),
    Column("not_after", Double, nullable=False),
)

wss_password = Table(
    "wss_password",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("consumer", Text, ForeignKey("consumer.id"), nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("added_at", Double, nullable=False),
)

shown = Table(
    "shown",
    metadata,
    Column("mark", LargeBinary, primary_key=True),
    Column("until", Double, nullable=False, index=True),
)

access_right = Table(
    "access_right",
    metadata,
    Column("consumer", Text, ForeignKey("consumer.id"), primary_key=True),
    Column("service", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("purposes", Text, nullable=False),
    Column("fields", Text),
    Column("not_before", Double),
    Column("not_after", Double),
    Column("quota_q", Integer),
    Column("quota_w", Integer),
)

person = Table(
    "person",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
)

callback = Table(
    "callback",
    metadata,
    Column("consumer", Text, ForeignKey("consumer.id"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("former", LargeBinary),
    Column("former_until", Double),
    Column("fed", BigInteger, nullable=False),
)

subscription = Table(
    "subscription",
    metadata,
    Column("service", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("consumer", Text, ForeignKey("consumer.id"), primary_key=True),
    Column("channel", Text, nullable=False),
)

provider_state = Table(
    "provider_state",
    metadata,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("from_at", Double, nullable=False),
    Column("until_at", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
)

act = Table(
    "act",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("author", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("facts", Text, nullable=False),
)

quota = Table(
    "quota",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("window_at", BigInteger, primary_key=True),
    Column("allowed", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("granted", BigInteger, nullable=False),
)

refusal_count = Table(
    "refusal_count",
    metadata,
    Column("source", Text, primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("slug", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

key = Table(
    "key",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("made_at", Double, nullable=False),
)

correction = Table(
    "correction",
    metadata,
    Column("id", MessageId, primary_key=True),
    Column("message_id", MessageId, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("decided_at", Double),
    Column("successor", MessageId),
)

drain = Table(
    "drain",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("owed", BigInteger, nullable=False),
    Column("settled", BigInteger, nullable=False),
    Column("counted_at", Double, nullable=False),
)

epoch = Table(
    "epoch",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

replay_run = Table(
    "replay_run",
    metadata,
    Column("id", MessageId, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("since", Double),
    Column("until", Double),
    Column("rate", Double, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("worked_at", Double, nullable=False),
    Column("ended_at", Double),
)
