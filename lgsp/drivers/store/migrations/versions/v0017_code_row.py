"""Rows of code tables that people propose and approve."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

TEXTS = ("provider", "code_table", "ours", "theirs", "valid_from", "valid_to", "way", "reason", "author")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "code_row",
        sa.Column("id", sa.Uuid().with_variant(sa.LargeBinary(16), "sqlite"), primary_key=True),
        *[sa.Column(name, sa.Text, nullable=False) for name in TEXTS],
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False, server_default=""),
        sa.Column("decided_at", sa.Double),
    )
