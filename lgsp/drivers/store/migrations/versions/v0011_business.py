"""Receipts by business key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

HAS_KEY = sa.text("business_mark IS NOT NULL")


def upgrade() -> None:
    """One index; a mark is of one consumer's matter nearly always, so the consumer need not stand in it."""
    op.create_index("message_business", "message", ["business_mark"], sqlite_where=HAS_KEY, postgresql_where=HAS_KEY)
