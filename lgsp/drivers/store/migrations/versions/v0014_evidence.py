"""Evidence: leaves of the tree, by what they are found, signed heads, the sealer's turn, what recipients confirmed, heads of others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Six tables; sealing begins with the first row of the log."""
    _leaves()
    _heads()


def _leaves() -> None:
    op.create_table(
        "evidence_leaf",
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("nodes", "mac", "seed")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("fields", "erased")),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("evidence_leaf_at", "evidence_leaf", ["at"])
    op.create_table(
        "evidence_topic",
        sa.Column("mark", sa.LargeBinary, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("mark", "number"),
        sqlite_with_rowid=False,
    )


def _heads() -> None:
    op.create_table(
        "evidence_head",
        sa.Column("batch", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False, unique=True),
        sa.Column("root", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "key")),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("batch"),
    )
    turn = op.create_table(
        "evidence_turn",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("fence", "size", "batch", "log_id", "act_id")),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(turn, [{"id": 1, "holder": "", "until": 0.0, "fence": 0, "size": 0, "batch": 0, "log_id": 0, "act_id": 0}])
    op.create_table(
        "evidence_sending",
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("confirmed", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at", sa.Double, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("recipient"),
    )
    op.create_table(
        "evidence_witnessed",
        sa.Column("hub", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("size", "batch")),
        sa.Column("root", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "key")),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("hub", "size"),
    )
