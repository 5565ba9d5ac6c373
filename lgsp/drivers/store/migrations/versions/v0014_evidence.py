"""Evidence: leaves of the tree, by what they are found, signed heads, the sealer's turn, what recipients confirmed, heads of others."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Six tables. Sealing begins with what happens from now on: a long log would hold up what is new until all of it has leaves.

    The first act that is sealed tells where that was.
    """
    _leaves()
    newest = (sa.select(sa.func.max(sa.table(name, sa.column("id")).c.id)) for name in ("log", "act"))
    log_id, act_id = (op.get_bind().scalar(query) or 0 for query in newest)
    _heads(log_id, act_id)
    if log_id or act_id:
        act = sa.table("act", *(sa.column(name) for name in ("at", "author", "verb", "subject", "facts")))
        begin = {"author": "lgsp", "verb": "evidence_begin", "subject": "", "facts": json.dumps({"log": log_id, "act": act_id})}
        op.execute(sa.insert(act).values(at=sa.extract("epoch", sa.func.now()), **begin))


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


def _heads(log_id: int, act_id: int) -> None:
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
    begin = {"id": 1, "holder": "", "until": 0.0, "fence": 0, "size": 0, "batch": 0, "log_id": log_id, "act_id": act_id}
    op.bulk_insert(turn, [begin])
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
