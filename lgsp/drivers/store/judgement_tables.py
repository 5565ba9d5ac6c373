"""More tables of the same schema: how answers are judged, which of them are in quarantine, how many keep their contract."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, LargeBinary, Table, Text

from lgsp.drivers.store.tables import MessageId, metadata

enforcement = Table(
    "enforcement",
    metadata,
    Column("id", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("rigour", Text, nullable=False),
    Column("from_at", Double, nullable=False),
    Column("until_at", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
)

suspect = Table(
    "suspect",
    metadata,
    Column("id", MessageId, primary_key=True),
    Column("message_id", MessageId, nullable=False),
    Column("at", Double, nullable=False),
    Column("provider", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("rigour", Text, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("is_ours", Boolean, nullable=False),
    Column("places", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("suspect_at", "at"),
)

conformance = Table(
    "conformance",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("hour", BigInteger, primary_key=True),
    Column("answers", BigInteger, nullable=False),
    Column("invalid", BigInteger, nullable=False),
)
