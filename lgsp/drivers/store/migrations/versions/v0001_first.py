"""The first schema: message log, outbox, register."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lgsp.drivers.store.tables import MessageId, RowId

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _log()
    _exchanges()
    _outbox()
    _outbox_indexes()
    _outbox_parts()
    _register()
    _people()
    epoch = sa.table("epoch", sa.column("name"), sa.column("value"))
    op.bulk_insert(epoch, [{"name": "directory", "value": 0}, {"name": "keys", "value": 0}])


def _log() -> None:
    op.create_table(
        "log",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("message_id", MessageId, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("trace_id", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("blame", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("duration_us", sa.BigInteger, nullable=False),
        sa.Column("stages", sa.Text, nullable=False),
        sa.Column("settled", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("log_message", "log", ["message_id"])


def _exchanges() -> None:
    op.create_table(
        "idempotency",
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("key_mark", sa.LargeBinary, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("message_id", MessageId, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reply", sa.LargeBinary, nullable=True),
        sa.Column("claimed_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "operation", "key_mark"),
    )
    op.create_table(
        "quota",
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("window_at", sa.BigInteger, nullable=False),
        sa.Column("allowed", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.Column("granted", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "service", "window_at"),
    )
    op.create_table(
        "refusal_count",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("minute", sa.BigInteger, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("source", "minute", "slug"),
    )


def _outbox() -> None:
    op.create_table(
        "message",
        sa.Column("seq", RowId, autoincrement=True, nullable=False),
        sa.Column("message_id", MessageId, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("major", sa.Integer, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("order_mark", sa.LargeBinary, nullable=True),
        sa.Column("business_mark", sa.LargeBinary, nullable=True),
        sa.Column("accepted_at", sa.Double, nullable=False),
        sa.Column("deadline_at", sa.Double, nullable=False),
        sa.Column("trace_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", sa.Double, nullable=True),
        sa.Column("lease", sa.BigInteger, server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("settled_at", sa.Double, nullable=True),
        sa.Column("blame", sa.Text, server_default="", nullable=False),
        sa.Column("cause", sa.Text, server_default="", nullable=False),
        sa.Column("detail", sa.Text, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("message_id"),
    )


def _outbox_indexes() -> None:
    op.create_index(
        "message_at_rest",
        "message",
        ["state", "provider"],
        sqlite_where=sa.text("state IN ('dead', 'held', 'unknown')"),
        postgresql_where=sa.text("state IN ('dead', 'held', 'unknown')"),
    )
    op.create_index(
        "message_due",
        "message",
        ["provider", "due_at"],
        sqlite_where=sa.text("state IN ('waiting', 'delivering')"),
        postgresql_where=sa.text("state IN ('waiting', 'delivering')"),
    )
    op.create_index(
        "message_order",
        "message",
        ["provider", "order_mark", "seq"],
        sqlite_where=sa.text("order_mark IS NOT NULL AND state NOT IN ('cancelled', 'delivered', 'expired', 'refused', 'superseded')"),
        postgresql_where=sa.text("order_mark IS NOT NULL AND state NOT IN ('cancelled', 'delivered', 'expired', 'refused', 'superseded')"),
    )


def _outbox_parts() -> None:
    op.create_table(
        "payload",
        sa.Column("message_id", MessageId, nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("reply", sa.LargeBinary, nullable=True),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_table(
        "call",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("message_id", MessageId, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lease", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("finished", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_call_message_id", "call", ["message_id"])


def _register() -> None:
    op.create_table(
        "consumer",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client_id"),
    )
    op.create_table(
        "secret",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.Column("added_at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["consumer"], ["consumer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_secret_consumer", "secret", ["consumer"])
    op.create_table(
        "access_right",
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("purposes", sa.Text, nullable=False),
        sa.Column("fields", sa.Text, nullable=True),
        sa.Column("not_before", sa.Double, nullable=True),
        sa.Column("not_after", sa.Double, nullable=True),
        sa.Column("quota_q", sa.Integer, nullable=True),
        sa.Column("quota_w", sa.Integer, nullable=True),
        sa.ForeignKeyConstraint(["consumer"], ["consumer.id"]),
        sa.PrimaryKeyConstraint("consumer", "service", "operation"),
    )


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "act",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_act_subject", "act", ["subject"])
    op.create_table(
        "key",
        sa.Column("id", RowId, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "epoch",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
