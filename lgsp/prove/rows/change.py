"""Rows of change under load: rights, holds and circuits are ordered again and again, and a node with a broken bundle tries to join."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lgsp.prove.nodes import BUNDLE, CONSUMER, PURPOSE, Node, free_port
from lgsp.prove.rows.row import Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.prove.scene import Scene

NEIGHBOUR = "neighbour"
ENDS_WITHIN_S = 30.0
UNUSABLE = 2
"""How `lgsp serve` ends when it cannot start."""
BROKEN = {
    "adapters/prove/adapter.yaml": "system: [\n",
    "adapters/prove/mapping.yaml": "record:\n  request: {MaYeuCau: $nothing}\n",
    "contracts/openapi/prove/v1/openapi.yaml": "openapi: 3.1.0\npaths: {}\n",
}


async def change_everything(scene: Scene) -> None:
    """F45: orders come and go while the load runs; nodes with a broken bundle or a broken setting refuse to start."""
    with scene.strike("orders"):
        for number in range(max(2, scene.kills)):
            await scene.steer("grant", CONSUMER, "neighbour", "--purpose", PURPOSE)
            await scene.steer("circuit", NEIGHBOUR, "--closed", "--for", "1m", "--reason", f"thử lần {number}")
            await scene.steer("circuit", NEIGHBOUR, "--auto")
    for place, text in BROKEN.items():
        with scene.strike(f"broken {place}"):
            await _refuses(scene, *_spoiled(scene, place, text))
    with scene.strike("broken setting"):
        await _refuses(scene, "LGSP_EXCHANGES_LIMIT=viele")


def _spoiled(scene: Scene, place: str, text: str) -> tuple[str, str]:
    """The settings of a node whose bundle is broken at one place."""
    copy = scene.folder / "broken"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(BUNDLE, copy)
    (copy / place).write_text(text, encoding="utf-8")
    return f"LGSP_ADAPTERS={copy / 'adapters'}", f"LGSP_CONTRACTS={copy / 'contracts'}"


async def _refuses(scene: Scene, *settings: str) -> None:
    """A node with these settings ends by itself, with a sentence and without having listened."""
    like, port = scene.hub.nodes[0], free_port()
    env = {**like.env, **dict(each.split("=", 1) for each in settings), "LGSP_ADMIN_PORT": str(port), "LGSP_DATA_PORT": str(free_port())}
    node = Node("broken", like.command, env, port, scene.folder / "broken.out")
    node.start()
    try:
        ended = await scene.died(node, ENDS_WITHIN_S)
        scene.must(ended and node.process is not None and node.process.returncode == UNUSABLE, f"a node did not refuse {settings[0]}")
    finally:
        node.kill()
    scene.must(bool(node.log.read_text(encoding="utf-8", errors="replace").strip()), "a node refused to start without a word")


async def nobody_noticed(scene: Scene) -> None:
    """F45: no request failed, none was judged by two versions."""
    scene.must(not any(entry.doubts for entry in scene.desk.book), "requests failed while orders changed")


ROWS: Mapping[str, Row] = {
    "F45": Row(
        "orders change under load; broken bundles are refused", change_everything, load={"neighbour_every": 4}, after=nobody_noticed
    ),
}
