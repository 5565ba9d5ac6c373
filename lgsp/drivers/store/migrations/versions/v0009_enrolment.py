"""What consumers prove themselves with in WS-Security, and what was shown once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lgsp.drivers.store.tables import RowId

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Three tables."""
    op.create_table(
        "certificate",
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("consumer", sa.Text, sa.ForeignKey("consumer.id"), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("pem", sa.Text, nullable=False),
        sa.Column("not_after", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
    )
    op.create_index("ix_certificate_consumer", "certificate", ["consumer"])
    op.create_table(
        "wss_password",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("consumer", sa.Text, sa.ForeignKey("consumer.id"), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("added_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_wss_password_consumer", "wss_password", ["consumer"])
    op.create_table(
        "shown",
        sa.Column("mark", sa.LargeBinary, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("mark"),
    )
    op.create_index("ix_shown_until", "shown", ["until"])
