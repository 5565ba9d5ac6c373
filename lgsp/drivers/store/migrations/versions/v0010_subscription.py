"""Who is subscribed to what is published, and by which channel; the parts of a publication are found by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

IS_PART = "part_of IS NOT NULL"


def upgrade() -> None:
    """Create the table and the index."""
    op.create_table(
        "subscription",
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["consumer"], ["consumer.id"]),
        sa.PrimaryKeyConstraint("service", "operation", "consumer"),
    )
    op.create_index("message_parts", "message", ["part_of"], sqlite_where=sa.text(IS_PART), postgresql_where=sa.text(IS_PART))
