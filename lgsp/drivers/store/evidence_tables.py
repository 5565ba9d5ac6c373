"""The tables of the evidence: leaves, by what they are found, heads, whose turn it is to seal, what recipients confirmed, others' heads."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, LargeBinary, Table, Text

from lgsp.drivers.store.tables import metadata

leaf = Table(
    "evidence_leaf",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("consumer", Text, nullable=False),
    Column("nodes", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Column("seed", LargeBinary, nullable=False),
    Column("fields", Text, nullable=False),
    Column("erased", Text, nullable=False),
    Index("evidence_leaf_at", "at"),
)

topic = Table(
    "evidence_topic",
    metadata,
    Column("mark", LargeBinary, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

head = Table(
    "evidence_head",
    metadata,
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False, unique=True),
    Column("root", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

turn = Table(
    "evidence_turn",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("holder", Text, nullable=False),
    Column("until", Double, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("log_id", BigInteger, nullable=False),
    Column("act_id", BigInteger, nullable=False),
)

sending = Table(
    "evidence_sending",
    metadata,
    Column("recipient", Text, primary_key=True),
    Column("confirmed", BigInteger, nullable=False),
    Column("confirmed_at", Double, nullable=False),
    Column("until", Double, nullable=False),
)

witnessed = Table(
    "evidence_witnessed",
    metadata,
    Column("hub", Text, primary_key=True),
    Column("size", BigInteger, primary_key=True),
    Column("batch", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
