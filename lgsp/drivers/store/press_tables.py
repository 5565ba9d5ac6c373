"""The tables of publishing: bundles by digest, editions, nodes, lifespans, and what a hub binds; a part of the schema in tables.py.

`edition.facts` is JSON: what was said about an edition and is never searched. `bundle.content` is compressed.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, Table, Text

from lgsp.drivers.store.tables import MessageId, metadata

bundle = Table(
    "bundle",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("adapter", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
)

edition = Table(
    "edition",
    metadata,
    Column("id", MessageId, primary_key=True),
    Column("adapter", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("until", Double, nullable=False, server_default="0"),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("decided_at", Double),
    Column("live_at", Double),
    Column("facts", Text, nullable=False),
    Index("ix_edition_adapter", "adapter", "at"),
)

node = Table(
    "node",
    metadata,
    Column("id", Text, primary_key=True),
    Column("roles", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("staged", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("until", Double, nullable=False),
)

lifespan = Table(
    "lifespan",
    metadata,
    Column("service", Text, primary_key=True),
    Column("major", Integer, primary_key=True, autoincrement=False),
    Column("stage", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("sunset", Double),
    Column("successor", Integer),
    Column("author", Text, nullable=False),
)

binding = Table(
    "binding",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
)
