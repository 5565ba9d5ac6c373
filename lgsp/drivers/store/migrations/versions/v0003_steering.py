"""What the sweep, the questions about unknown outcomes and the replay of many messages need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lgsp.drivers.store.tables import MessageId

revision = "0003"
down_revision = "0002"

ASK = "state = 'unknown' AND due_at IS NOT NULL"
OPEN = "state = 'open'"


def upgrade() -> None:
    """Columns, indexes and the table of replay runs; the sweep begins with what is in the log already."""
    op.add_column("message", sa.Column("denials", sa.Integer, server_default=sa.text("0"), nullable=False))
    op.create_index("message_ask", "message", ["due_at"], sqlite_where=sa.text(ASK), postgresql_where=sa.text(ASK))
    op.create_index("idempotency_open", "idempotency", ["message_id"], sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN))
    op.create_table(
        "replay_run",
        sa.Column("id", MessageId, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=True),
        sa.Column("until", sa.Double, nullable=True),
        sa.Column("rate", sa.Double, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("worked_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    epoch = sa.table("epoch", sa.column("name"), sa.column("value"))
    op.bulk_insert(epoch, [{"name": "swept", "value": 0}])
