"""Files that the vault keeps: what is known of each, which messages name it, and its chunks where no folder has them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lgsp.drivers.store.tables import MessageId

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Three tables."""
    op.create_table(
        "file",
        sa.Column("ref", MessageId, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=True),
        sa.Column("kept_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("ref"),
    )
    op.create_index("ix_file_kept_at", "file", ["kept_at"])
    op.create_table(
        "file_use",
        sa.Column("ref", MessageId, nullable=False),
        sa.Column("message_id", MessageId, nullable=False),
        sa.PrimaryKeyConstraint("ref", "message_id"),
    )
    op.create_table(
        "file_chunk",
        sa.Column("ref", MessageId, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("ref", "number"),
    )
