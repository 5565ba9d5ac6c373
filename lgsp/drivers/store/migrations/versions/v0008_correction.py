"""Corrections of messages that one person proposes and another approves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lgsp.drivers.store.tables import MessageId

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """One table."""
    op.create_table(
        "correction",
        sa.Column("id", MessageId, nullable=False),
        sa.Column("message_id", MessageId, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text, server_default="", nullable=False),
        sa.Column("decided_at", sa.Double, nullable=True),
        sa.Column("successor", MessageId, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
