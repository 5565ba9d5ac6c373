"""Opening a database: its address, its schema, its soundness; and the Store that satisfies every port of the record."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Text, event, insert, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from lgsp.drivers.store import tables
from lgsp.drivers.store.bindings import Bindings
from lgsp.drivers.store.channels import Channels
from lgsp.drivers.store.code_tables import RecordedCodeRows
from lgsp.drivers.store.commit import GroupCommit
from lgsp.drivers.store.conformity import Judgements
from lgsp.drivers.store.core import COMMAND_S, CONNECT_S, RETAIN_S, Cipher, Core
from lgsp.drivers.store.corrections import Corrections
from lgsp.drivers.store.directory import Directory
from lgsp.drivers.store.drains import Drains
from lgsp.drivers.store.editions import Editions
from lgsp.drivers.store.enrolment import Enrolment
from lgsp.drivers.store.erasure import Erasure
from lgsp.drivers.store.evidence import Evidence
from lgsp.drivers.store.files import Files
from lgsp.drivers.store.inspection import Inspection
from lgsp.drivers.store.keys import Keys
from lgsp.drivers.store.log import Log
from lgsp.drivers.store.mailboxes import Mailboxes
from lgsp.drivers.store.outbox import Outbox
from lgsp.drivers.store.providers import Providers
from lgsp.drivers.store.receipts import Receipts
from lgsp.drivers.store.register import Register
from lgsp.drivers.store.sqlite import BUSY_TIMEOUT_S, PRAGMAS, SqliteWriter, text_of
from lgsp.drivers.store.steering import ManyMessages
from lgsp.drivers.store.trials import RecordedTrials
from lgsp.drivers.store.usage import RecordedUses
from lgsp.drivers.store.witnesses import Witnesses
from lgsp.errors import Fault, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from lgsp.drivers.store.postgres import PostgresWriter
    from lgsp.model.happening import Due

POLL_S = 1.0
ANSWERS_S, WELL_S = 0.8, 10.0
_NOTHING = {"message_id": str(UUID(int=0)), "digest": bytes(600)}
TRIAL_ROW = {c.name: _NOTHING.get(c.name, "" if isinstance(c.type, Text) else 0) for c in tables.log.columns if not c.primary_key}
"""A row of the log that says nothing and takes more room than any that does; it is never committed."""
MIGRATION_LOCK = 0x16_59_2026
"""Advisory lock of PostgreSQL: of several nodes that start together, one migrates."""


class Store(
    Log,
    ManyMessages,
    Outbox,
    Mailboxes,
    Drains,
    Receipts,
    Directory,
    Enrolment,
    Channels,
    Register,
    Providers,
    Judgements,
    RecordedUses,
    RecordedCodeRows,
    RecordedTrials,
    Inspection,
    Corrections,
    Erasure,
    Evidence,
    Files,
    Keys,
    Editions,
    Bindings,
    Witnesses,
):
    """Every port of the record.

    MessageLog, QuotaLeases, Outbox, Receipts, Directory, Proofs, Register, Enrolments, Rights, People, ProviderStates,
    Patience, Drains, Enforcements, Quarantine, Uses, CodeRows, Trials, Inspection, Steering.
    """

    def __init__(self, core: Core, writers: Sequence[SqliteWriter | PostgresWriter]) -> None:
        Log.__init__(self, core)
        Directory.__init__(self)
        Drains.__init__(self)
        Editions.__init__(self)
        Bindings.__init__(self)
        Evidence.__init__(self)
        self.served = {}
        self._writers = writers
        self._asked_at, self._answered = float("-inf"), True
        self._ticker = asyncio.get_running_loop().create_task(self._tick())

    async def answers(self) -> bool:
        """Whether the record can be read and a row of the log be written, which is tried and taken back every WELL_S while all is well.

        Where one was written just now, nothing is tried: on SQLite a trial would have to wait for those who write.
        """
        now = asyncio.get_running_loop().time()
        if now < self.core.hot.logged_at + ANSWERS_S:
            return True
        try:
            await self.refresh()
        except Fault:
            return False
        if now >= self._asked_at + (WELL_S if self._answered else ANSWERS_S):
            self._asked_at, self._answered = now, await self._takes_a_row()
        return self._answered

    async def _takes_a_row(self) -> bool:
        try:
            async with asyncio.timeout(ANSWERS_S), self.core.engine.connect() as connection:
                await connection.execute(insert(tables.log).values(TRIAL_ROW))
                await connection.rollback()
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    async def claim(self, provider: str, limit: int, now: float, lease_s: float) -> Sequence[Due]:
        """Outbox; a right that this node has not heard of is looked for now: another may have accepted the message under it just now."""
        claimed = await super().claim(provider, limit, now, lease_s)
        stored = [due.stored for due in claimed]
        if any(self.right(each.consumer, each.service, each.operation) is None for each in stored):
            with suppress(Fault):
                await self.refresh()
        return claimed

    async def close(self) -> None:
        """Write what is queued, then close every connection."""
        self._ticker.cancel()
        with suppress(asyncio.CancelledError):
            await self._ticker
        with suppress(Fault):
            await self.flush_refusals()
        await self.core.hot.close()
        await self.core.claims.close()
        for writer in self._writers:
            await writer.close()
        await self.core.engine.dispose()

    async def _tick(self) -> None:
        """Each second: see what other nodes changed, write what was counted. A database that is away is asked again a second later."""
        while True:
            await asyncio.sleep(POLL_S)
            with suppress(Fault):
                await self.refresh()
                await self.flush_refusals()


@dataclass(frozen=True, slots=True)
class _Address:
    """A database's URL, taken apart: what SQLAlchemy takes, what asyncpg takes, its file if it is one, PostgreSQL's session settings."""

    engine_url: str
    dsn: str
    file: Path | None
    settings: dict[str, str]


async def migrate(url: str) -> None:
    """Bring the schema of this database to the release's; creates an SQLite file that is not there."""
    address = _address(url)
    engine = _engine(address, None)  # an index over millions of rows takes its time, and so does waiting for the node that builds it
    try:
        if address.file is not None:
            address.file.touch(mode=0o600)  # for the hub's own account only; the files beside it follow
        async with engine.begin() as connection:
            if address.file is None:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            await connection.run_sync(_upgrade)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise SettingsError(f"LGSP_DATABASE_URL: the schema cannot be brought up to date: {_reason(error)}") from error
    finally:
        await engine.dispose()


async def open_store(url: str, cipher: Cipher, now: Callable[[], float], retain_s: float = RETAIN_S) -> Store:
    """The store at `sqlite:///path` or `postgresql://...`; SettingsError if it is unreachable, damaged, of another release or another key.

    On PostgreSQL `?search_path=...` and other session settings may follow. `retain_s`: seconds that a payload is kept after its deadline.
    """
    address = _address(url)
    engine = _engine(address)
    try:
        async with engine.connect() as connection:
            await _check(connection, address)
    except SettingsError:
        await engine.dispose()
        raise
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        await engine.dispose()
        raise SettingsError(f"LGSP_DATABASE_URL: the database cannot be used: {_reason(error)}") from error
    writers = _writers(address)
    core = Core(engine, GroupCommit(writers[:1]), GroupCommit(writers[-1:]), cipher, now, retain_s)
    store = Store(core, writers)
    try:
        await store.ensure_data_key()
        await store.refresh()
    except (SettingsError, Fault):
        await store.close()
        raise
    return store


def _writers(address: _Address) -> Sequence[SqliteWriter | PostgresWriter]:
    if address.file is not None:
        return [SqliteWriter(address.file)]
    from lgsp.drivers.store.postgres import PostgresWriter  # noqa: PLC0415  # asyncpg takes 4 MB, which a hub on SQLite keeps free

    return [PostgresWriter(address.dsn, address.settings) for _ in ("hot", "claims")]


def _address(url: str) -> _Address:
    try:
        parsed = make_url(url)
    except SQLAlchemyError as error:
        raise SettingsError(f"LGSP_DATABASE_URL: {error}") from error
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        if not Path(parsed.database).absolute().parent.is_dir():
            raise SettingsError(f"LGSP_DATABASE_URL: the folder of {parsed.database} does not exist")
        return _Address(str(parsed.set(drivername="sqlite+aiosqlite")), "", Path(parsed.database), {})
    if parsed.get_backend_name() != "postgresql":
        raise SettingsError("LGSP_DATABASE_URL: begins with sqlite:///path or postgresql://")
    plain = parsed.set(drivername="postgresql", query={})
    settings = {name: str(value) for name, value in parsed.query.items()}
    text_of = plain.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
    return _Address(text_of, plain.render_as_string(hide_password=False), None, settings)


def _engine(address: _Address, command_s: float | None = COMMAND_S) -> AsyncEngine:
    if address.file is None:
        arguments = {
            "timeout": CONNECT_S,
            "command_timeout": command_s,
            "server_settings": {"application_name": "lgsp", **address.settings},
        }
        return create_async_engine(address.engine_url, pool_pre_ping=True, pool_timeout=CONNECT_S, connect_args=arguments)
    engine = create_async_engine(address.engine_url, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:
    connection.driver_connection.text_factory = text_of
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


async def _check(connection: AsyncConnection, address: _Address) -> None:
    """Refuse a damaged file (F20: truncated, torn) and a schema of another release, before anything is written."""
    if address.file is not None:
        verdict = await connection.scalar(text("PRAGMA quick_check(1)"))
        if verdict != "ok":
            raise SettingsError(f"LGSP_DATABASE_URL: {address.file.name} is damaged ({verdict}); restore it from a backup")
    found, wanted = await connection.run_sync(_revisions)
    if found != wanted:
        raise SettingsError(f"LGSP_DATABASE_URL: the schema is at {found or 'nothing'}, this release needs {wanted}; migrate first")


def _revisions(connection: Connection) -> tuple[str | None, str | None]:
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 -- alembic takes 100 ms to import and is used once
    from alembic.script import ScriptDirectory  # noqa: PLC0415 -- as above

    return MigrationContext.configure(connection).get_current_revision(), ScriptDirectory.from_config(_config()).get_current_head()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 -- as above

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Any:
    from alembic.config import Config  # noqa: PLC0415 -- as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _reason(error: Exception) -> str:
    """The driver's own words; SQLAlchemy's wrapping adds the statement and its values."""
    return str(getattr(error, "orig", None) or error) or type(error).__name__
