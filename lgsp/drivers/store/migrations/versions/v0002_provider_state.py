"""What people ordered about providers: circuits forced open or closed, holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table and its epoch."""
    op.create_table(
        "provider_state",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("from_at", sa.Double, nullable=False),
        sa.Column("until_at", sa.Double, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    epoch = sa.table("epoch", sa.column("name"), sa.column("value"))
    op.bulk_insert(epoch, [{"name": "providers", "value": 0}])
