"""Moves what SQLite's write-ahead log holds into the database, beside the commits and not within one.

SQLite would do it in the commit that fills the log, and who waits for that commit would wait for two syncs of a whole database file. So
the automatic checkpoint is off: a thread with a connection of its own moves what is there, which hinders neither readers nor the writer
(SQLite documentation, "Write-Ahead Logging", PASSIVE). The log begins anew only when nothing is left in it; while commits never pause that
takes the writer, for whom there is little left to move right after the thread. The file never shrinks, and what it holds is written over,
which a disk syncs in half the time of what is appended: so its size tells only at first how much there is in it.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PERIOD_S = 0.25
MOVED_BATCHES, MOVED_BYTES = 256, 4 << 20
"""After so many batches, or when the file grew by so much, the thread moves what was written, at most once a period."""
EMPTIED_BYTES = 32 << 20
"""From this size on the writer empties the log between two batches."""
LOOK_BATCHES = 64
"""So often the writer looks at the file itself, which large rows may fill before the thread sees it."""
FRAME_BYTES = 4096 + 24
MOVE = "PRAGMA wal_checkpoint(PASSIVE)"
OFF = "wal_autocheckpoint = 0"


class Checkpoints:
    """The thread; `close` when done. The writer tells it of each batch, and empties the log when told to."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        self._path, self._log = path, path.with_name(path.name + "-wal")
        self._timeout_s = timeout_s
        self._batches, self._is_long, self._begun_bytes = 0, False, 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lgsp-sqlite-checkpoints", daemon=True)
        self._thread.start()

    def wrote(self, connection: sqlite3.Connection) -> None:
        """Called by the writer after each batch."""
        self._batches += 1
        if self._is_long or (self._batches % LOOK_BATCHES == 0 and self._log_bytes() >= self._begun_bytes + EMPTIED_BYTES):
            self._empty(connection)

    def _empty(self, connection: sqlite3.Connection) -> None:
        """Where the thread is in the way, again after the next batch; where a reader is, after the thread's next look."""
        try:
            busy, frames, moved = connection.execute(MOVE).fetchone()
        except sqlite3.Error:  # the next batch meets the same, and is told
            return
        self._is_long = bool(busy)
        if not busy and frames == moved:
            self._begun_bytes = self._log_bytes()

    def _log_bytes(self) -> int:
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
        batches, size_bytes = 0, 0
        while not self._closing.wait(PERIOD_S):
            if self._batches < batches + MOVED_BATCHES and self._log_bytes() < size_bytes + MOVED_BYTES:
                continue
            batches, size_bytes = self._batches, self._log_bytes()
            try:
                connection = connection or sqlite3.connect(self._path, timeout=self._timeout_s, isolation_level=None)
                _, frames, _ = connection.execute(MOVE).fetchone()
            except sqlite3.Error:  # full or failing: the writer meets the same and tells those who wait
                continue
            self._is_long = frames * FRAME_BYTES >= EMPTIED_BYTES
        if connection is not None:
            connection.close()
