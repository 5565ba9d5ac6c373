"""Moves what SQLite's write-ahead log holds into the database, beside the commits and not within one.

SQLite would do it in the commit that fills the log, and who waits for that commit would wait for two syncs of a whole database file. So
the automatic checkpoint is off: a thread with a connection of its own moves what is there, which hinders neither readers nor the writer
(SQLite documentation, "Write-Ahead Logging", PASSIVE). The log begins anew only when nothing is left in it; while commits never pause that
takes the writer, for whom there is little left to move then.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PERIOD_S = 0.25
MOVED_BYTES = 4 << 20
"""From this size of the log on the thread moves it, at most once a period."""
EMPTIED_BYTES = 32 << 20
"""From this size on the writer empties it between two batches."""
MOVE = "PRAGMA wal_checkpoint(PASSIVE)"
OFF = "wal_autocheckpoint = 0"


class Checkpoints:
    """The thread; `close` when done."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        self._path, self._log = path, path.with_name(path.name + "-wal")
        self._timeout_s = timeout_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lgsp-sqlite-checkpoints", daemon=True)
        self._thread.start()

    def log_bytes(self) -> int:
        """How large the write-ahead log is now."""
        try:
            return self._log.stat().st_size
        except FileNotFoundError:
            return 0

    def close(self) -> None:
        """End after what is under way."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while not self._closing.wait(PERIOD_S):
            if self.log_bytes() < MOVED_BYTES:
                continue
            try:
                connection = connection or sqlite3.connect(self._path, timeout=self._timeout_s, isolation_level=None)
                connection.execute(MOVE)
            except sqlite3.Error:  # full or failing: the writer meets the same and tells those who wait
                continue
        if connection is not None:
            connection.close()
