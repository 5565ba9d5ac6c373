"""Bundles, their editions, the nodes that serve them, lifespans of versions, and what a hub binds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lgsp.drivers.store.tables import MessageId

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Five tables and their epochs."""
    op.create_table(
        "bundle",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("adapter", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "edition",
        sa.Column("id", MessageId, nullable=False),
        sa.Column("adapter", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("until", sa.Double, nullable=False, server_default="0"),
        sa.Column("decided_by", sa.Text, nullable=False, server_default=""),
        sa.Column("decided_at", sa.Double),
        sa.Column("live_at", sa.Double),
        sa.Column("facts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_edition_adapter", "edition", ["adapter", "at"])
    op.create_table(
        "node",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("staged", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _settings()
    epoch = sa.table("epoch", sa.column("name"), sa.column("value"))
    op.bulk_insert(epoch, [{"name": name, "value": 0} for name in ("catalogue", "staging", "bindings")])


def _settings() -> None:
    op.create_table(
        "lifespan",
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("major", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("sunset", sa.Double),
        sa.Column("successor", sa.Integer),
        sa.Column("author", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("service", "major"),
    )
    op.create_table(
        "binding",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
