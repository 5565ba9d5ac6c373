"""More tables of the same schema: what consumers used, without values, and whom to tell of changes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from lgsp.drivers.store.tables import metadata

usage_count = Table(
    "usage_count",
    metadata,
    Column("service", Text, primary_key=True),
    Column("major", Integer, primary_key=True, autoincrement=False),
    Column("consumer", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
)

usage_field = Table(
    "usage_field",
    metadata,
    Column("service", Text, primary_key=True),
    Column("major", Integer, primary_key=True, autoincrement=False),
    Column("consumer", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("pointer", Text, primary_key=True),
    Column("day", BigInteger, nullable=False),
)

consumer_contact = Table(
    "consumer_contact",
    metadata,
    Column("consumer", Text, ForeignKey("consumer.id"), primary_key=True),
    Column("contact", Text, nullable=False),
)
