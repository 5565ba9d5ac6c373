"""Whose turn it is: what is ready stands in an index by consumer and deadline, what is not in one by its time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

DUE = "state IN ('waiting', 'delivering')"
READY, UNRIPE = sa.text(f"ready AND {DUE}"), sa.text(f"NOT ready AND {DUE}")


def upgrade() -> None:
    """What waits already becomes ready with the next claims."""
    op.add_column("message", sa.Column("ready", sa.Boolean, nullable=False, server_default=sa.false()))
    turn = ["provider", "consumer", "deadline_at", "seq"]
    op.create_index("message_turn", "message", turn, sqlite_where=READY, postgresql_where=READY)
    op.create_index("message_unripe", "message", ["provider", "due_at"], sqlite_where=UNRIPE, postgresql_where=UNRIPE)
