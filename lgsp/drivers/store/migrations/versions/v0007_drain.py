"""What each provider is owed and how much was settled, counted for all nodes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """One row for each provider."""
    op.create_table(
        "drain",
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("owed", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.BigInteger, nullable=False),
        sa.Column("counted_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("provider"),
    )
