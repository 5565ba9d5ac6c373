"""What a row of the fault matrix is: a fault, where it can strike, how it is loaded, and what it checks beside the oracle."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.prove.scene import Scene

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH, SQ, PG = frozenset({SQLITE, POSTGRESQL}), frozenset({SQLITE}), frozenset({POSTGRESQL})

STRACE, CLUSTER, BROKER, RABBIT, DATABASE_LINE, BROKER_LINE, MOUNT, FALSE_CLOCK, PRLIMIT, HAPROXY = (
    frozenset({need})
    for need in ("strace", "cluster", "broker", "rabbit", "database_line", "broker_line", "mount", "false_clock", "prlimit", "haproxy")
)
"""What a row needs: strace; a PostgreSQL or a RabbitMQ of its own; a proxy before database or broker; small file systems; false
clocks; prlimit; HAProxy."""


@dataclass(frozen=True, slots=True)
class Row:
    """A fault: what it does, on which databases, what it needs, how it is loaded, with which settings the hub runs.

    `certain`: no failure of this row leaves in doubt whether the provider acted, so nothing may end as `unknown`.
    `moment`: with a false clock, when the hub is to live (ISO 8601, UTC).
    `after`: the row's own figure, once everything is at rest; what is amiss goes into the scene's complaints.
    """

    title: str
    strike: Callable[[Scene], Awaitable[None]]
    databases: frozenset[str] = BOTH
    needs: frozenset[str] = frozenset()
    load: Mapping[str, int] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    certain: bool = False
    moment: str = ""
    after: Callable[[Scene], Awaitable[None]] | None = None


def together(title: str, *rows: Row) -> Row:
    """The faults of several rows, one after the other in one scene, so that a test starts one hub; their own figures rest."""

    async def strike(scene: Scene) -> None:
        for row in rows:
            await row.strike(scene)
            await scene.misbehave()

    return Row(
        title,
        strike,
        reduce(frozenset.intersection, (row.databases for row in rows)),
        reduce(frozenset.union, (row.needs for row in rows)),
        {key: value for row in rows for key, value in row.load.items()},
        {key: value for row in rows for key, value in row.env.items()},
    )
