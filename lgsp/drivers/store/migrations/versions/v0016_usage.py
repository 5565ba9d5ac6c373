"""What consumers used, without values, and whom to tell of changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the tables."""
    key = ("service", "major", "consumer", "operation")
    op.create_table(
        "usage_count",
        *_columns(),
        sa.Column("day", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(*key, "day"),
    )
    op.create_table(
        "usage_field",
        *_columns(),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("pointer", sa.Text, nullable=False),
        sa.Column("day", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(*key, "side", "pointer"),
    )
    op.create_table(
        "consumer_contact",
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["consumer"], ["consumer.id"]),
        sa.PrimaryKeyConstraint("consumer"),
    )


def _columns() -> list[sa.Column[object]]:
    """What names an operation and its consumer."""
    return [
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("major", sa.Integer, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
    ]
