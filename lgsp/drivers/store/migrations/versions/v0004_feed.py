"""The feed of receipts: a number for each message that came to rest, and the parts of a publication, which have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lgsp.drivers.store.tables import MessageId

revision = "0004"
down_revision = "0003"

FED = "feed_no IS NOT NULL"
UNFED = "settled_at IS NOT NULL AND feed_no IS NULL AND part_of IS NULL"


def upgrade() -> None:
    """Columns, indexes and the table of each feed's last number; what came to rest before is numbered when somebody reads."""
    op.add_column("message", sa.Column("feed_no", sa.BigInteger, nullable=True))
    op.add_column("message", sa.Column("part_of", MessageId, nullable=True))
    op.create_index("message_fed", "message", ["consumer", "feed_no"], sqlite_where=sa.text(FED), postgresql_where=sa.text(FED))
    op.create_index("message_unfed", "message", ["consumer", "settled_at"], sqlite_where=sa.text(UNFED), postgresql_where=sa.text(UNFED))
    op.create_table(
        "feed",
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("consumer"),
    )
