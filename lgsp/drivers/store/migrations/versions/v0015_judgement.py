"""How answers are judged, which of them are in quarantine, how many keep their contract."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create the tables and the epoch of the orders."""
    message_id = sa.Uuid().with_variant(sa.LargeBinary(16), "sqlite")
    _create("enforcement", "id", text="id service rigour reason author", double="from_at until_at")
    op.create_table(
        "suspect",
        sa.Column("id", message_id, primary_key=True),
        sa.Column("message_id", message_id, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("provider", "service", "operation", "call", "rigour")],
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("is_ours", sa.Boolean, nullable=False),
        sa.Column("places", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("suspect_at", "suspect", ["at"])
    _create("conformance", "provider", "service", "operation", "hour", text="provider service operation", integer="hour answers invalid")
    epoch = sa.table("epoch", sa.column("name"), sa.column("value"))
    op.bulk_insert(epoch, [{"name": "enforcement", "value": 0}])


def _create(name: str, *key: str, text: str = "", double: str = "", integer: str = "") -> None:
    kinds = ((text, sa.Text), (double, sa.Double), (integer, sa.BigInteger))
    columns = [sa.Column(each, kind, nullable=False) for names, kind in kinds for each in names.split()]
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key))
