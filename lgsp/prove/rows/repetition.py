"""Rows of repetition: the same thing several times, from the sender or from the broker, and what comes in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.prove.rows.provider import misbehaving
from lgsp.prove.rows.row import BROKER_LINE, PG, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.prove.scene import Scene

DEAF_S = 1.5
TWINS, FIFTY = 5, 50


async def redeliver(scene: Scene) -> None:
    """F38: acknowledgements are swallowed and the connection cut, so that the broker delivers every ring again."""
    for _ in range(max(2, scene.kills)):
        with scene.strike("rings twice"):
            scene.broker_line.set("deaf")
            await scene.calm(DEAF_S)
            scene.broker_line.set("refuse")
            scene.broker_line.set("pass")
        await scene.calm(1)


async def one_result(scene: Scene) -> None:
    """F38: whoever sends under one key is told of one message."""
    several = [entry.number for entry in scene.desk.book if len(entry.ids) > 1]
    scene.must(not several, f"{len(several)} requests were told of several messages")


async def nothing(scene: Scene) -> None:
    """The load itself is the fault."""
    await scene.calm(3)


ROWS: Mapping[str, Row] = {
    "F38": Row("each request by five at once, each ring twice", redeliver, PG, BROKER_LINE, load={"twins": TWINS}, after=one_result),
    "F38b": Row("each request by fifty at once under one key", nothing, load={"twins": FIFTY, "messages": 40, "rate": 5}, after=one_result),
    "F39": Row(
        "delayed retries within a few matters", misbehaving("failed", "busy", "lost", share=0.4), load={"matters": 8, "unkeyed_every": 0}
    ),
}
