"""Callback addresses of consumers: their secrets, sealed, and the last receipt that each was told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "callback",
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("former", sa.LargeBinary, nullable=True),
        sa.Column("former_until", sa.Double, nullable=True),
        sa.Column("fed", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["consumer"], ["consumer.id"]),
        sa.PrimaryKeyConstraint("consumer"),
    )
