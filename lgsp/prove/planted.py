"""Three small hubs with one bug each, and one without: the oracle must flag the three and acquit the fourth, else it proves nothing.

`python -m lgsp.prove.planted BUG PORT PROVIDER DATABASE` speaks to sender and provider as a hub does, and keeps the tables that the
reckoning reads. The bugs: `early` acknowledges before it commits; `rekeyed` repeats a call under another key; `dropping` forgets what the
provider did not take.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from lgsp.prove import record
from lgsp.prove.nodes import Hub, Node, free_port, outside
from lgsp.prove.oracle import reconcile
from lgsp.prove.scene import Scene, make_provider
from lgsp.prove.sender import Desk, Load, send_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from lgsp.prove.oracle import Verdict

EARLY, REKEYED, DROPPING, SOUND = "early", "rekeyed", "dropping", "sound"
FLAGGED_AS = {EARLY: "lost", REKEYED: "doubled_keyed", DROPPING: "lost"}
TABLES = """
CREATE TABLE IF NOT EXISTS message (message_id TEXT PRIMARY KEY, key TEXT UNIQUE, body TEXT, kind TEXT, state TEXT, cause TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS log (message_id TEXT, event TEXT);
"""
COMMIT_S, SWEEP_S, CALL_S = 0.3, 0.05, 2.0
LOOK_S, REST_S = 0.1, 90.0
LOAD = Load(200, 200.0, matters=200, patience_s=20.0, unkeyed_every=0)


class Faulty:
    """A hub of a hundred lines."""

    def __init__(self, bug: str, provider: str, file: str) -> None:
        self.bug, self.provider = bug, provider
        self.store = sqlite3.connect(file, isolation_level=None)
        self.store.execute("PRAGMA journal_mode = WAL")
        self.store.executescript(TABLES)
        self.tasks: set[asyncio.Task[None]] = set()

    async def accept(self, request: web.Request) -> web.Response:
        """One entry; a key that is known gets its message's id again."""
        key, body, kind = request.headers["Idempotency-Key"], (await request.read()).decode(), request.match_info["kind"]
        known = self.store.execute("SELECT message_id FROM message WHERE key = ?", (key,)).fetchone()
        message_id = known[0] if known else str(uuid.uuid5(uuid.NAMESPACE_OID, key))
        if not known and self.bug == EARLY:
            task = asyncio.create_task(self.keep_later(message_id, key, body, kind))
            self.tasks.add(task)
        elif not known:
            self.keep(message_id, key, body, kind)
        return web.json_response({"id": message_id}, status=202)

    async def keep_later(self, message_id: str, key: str, body: str, kind: str) -> None:
        """The planted bug: the consumer has its answer already."""
        await asyncio.sleep(COMMIT_S)
        self.keep(message_id, key, body, kind)

    def keep(self, message_id: str, key: str, body: str, kind: str) -> None:
        """Durable when it returns."""
        self.store.execute("INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, 'waiting', '')", (message_id, key, body, kind))

    async def deliver(self) -> None:
        """For ever: each message that waits, once."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_S)) as session:
            while True:
                for row in self.store.execute("SELECT message_id, body, kind FROM message WHERE state = 'waiting'").fetchall():
                    await self.attempt(session, *row)
                await asyncio.sleep(SWEEP_S)

    async def attempt(self, session: aiohttp.ClientSession, message_id: str, body: str, kind: str) -> None:
        """One call; the planted bugs are in its key and in what a refusal leads to."""
        self.store.execute("INSERT INTO log VALUES (?, 'opened')", (message_id,))
        key = str(uuid.uuid4()) if self.bug == REKEYED else message_id
        entry = json.loads(body)
        native = {"MaYeuCau": key, "SoThuTu": entry["number"], "VuViec": entry["matter"], "NoiDung": entry["note"]}
        status = 0
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with session.post(f"{self.provider}/{kind}", json=native) as answer:
                status = answer.status
        if self.bug == DROPPING and status >= 500:  # noqa: PLR2004  # 5xx
            self.store.execute("DELETE FROM message WHERE message_id = ?", (message_id,))
        if status == 200:  # noqa: PLR2004  # OK
            self.store.execute("INSERT INTO log VALUES (?, 'closed')", (message_id,))
            self.store.execute("UPDATE message SET state = 'delivered' WHERE message_id = ?", (message_id,))


async def serve(bug: str, port: int, provider: str, file: str) -> None:
    """Until the process ends."""
    hub = Faulty(bug, provider, file)
    app = web.Application()
    app.router.add_post("/prove/1/{kind}", hub.accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await hub.deliver()


async def missed(say: Callable[[str], None]) -> list[str]:
    """The planted bugs that the oracle does not see, and `sound` if it accuses the hub that has none."""
    blind = []
    for bug in (EARLY, REKEYED, DROPPING, SOUND):
        verdict = await try_bug(bug)
        found = {name: count for name, count in verdict.counts().items() if count}
        seen = found.get(FLAGGED_AS[bug], 0) > 0 if bug in FLAGGED_AS else not found
        say(f"planted {bug}: {', '.join(f'{name} {count}' for name, count in found.items()) or 'no violation'}")
        blind += [] if seen else [bug]
    return blind


async def try_bug(bug: str) -> Verdict:
    """The verdict over one of the small hubs, killed once, at a provider that is busy and loses answers."""
    with tempfile.TemporaryDirectory(prefix="lgsp-prove-") as name:
        folder = Path(name)
        provider, port = make_provider(folder), free_port()
        file = folder / "planted.db"
        command = [sys.executable, "-m", "lgsp.prove.planted", bug, str(port), f"http://127.0.0.1:{provider.port}", str(file)]
        node = Node("hub", command, outside(), port, folder / "planted.log")
        desk = Desk([f"http://127.0.0.1:{port}"], {})
        scene = Scene(folder, provider, Hub([node], list(desk.gateways), "", ""), desk, LOAD, f"sqlite:///{file}", random.Random(bug))
        try:
            await _struck(scene, node)
            return reconcile(desk.book, scene.ledger(), await record.read_record(scene.database))
        finally:
            node.kill()
            provider.kill()


async def _struck(scene: Scene, node: Node) -> None:
    """Send, be busy and lose answers for a while, kill, and wait until everything is at rest."""
    for each in (scene.provider, node):
        each.start()
        await each.listening()
    sending: Any = asyncio.create_task(send_all(scene.desk, scene.load))
    for mode in ("busy", "lost"):
        await scene.misbehave(mode, 0.5)
        await scene.calm(0.3)
    await scene.misbehave()
    await scene.kill(node)
    scene.desk.struck.set()
    await sending
    for _ in range(int(REST_S / LOOK_S)):
        if not await record.under_way(scene.database):
            return
        await scene.calm(LOOK_S)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))
