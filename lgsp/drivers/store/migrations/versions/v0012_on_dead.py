"""A message says whether, once dead, it holds back those behind it under its order key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """One column; what was stored before holds, as it always did."""
    op.add_column("message", sa.Column("skips_dead", sa.Boolean, nullable=False, server_default=sa.false()))
