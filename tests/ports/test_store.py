"""What only a database can show: schema, keys, damage, batches that fail, nodes that see one another, what lies on the disk."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from dataclasses import replace

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from lgsp.drivers.cipher import Cipher
from lgsp.drivers.store import migrate, open_store
from lgsp.drivers.store.checkpoint import LOOK_BATCHES, MOVED_BATCHES, PERIOD_S
from lgsp.drivers.store.commit import GroupCommit, Guilty
from lgsp.drivers.store.core import COMMAND_S
from lgsp.drivers.store.engine import MIGRATION_LOCK
from lgsp.drivers.store.sqlite import SqliteWriter
from lgsp.drivers.store.tables import metadata
from lgsp.errors import Fault, SettingsError
from lgsp.model.happening import KeyAnswer, Reply, Settlement, State
from lgsp.model.parties import Consumer, Right, SubsystemId
from tests.conftest import DATABASE_URL

MASTER_KEY = bytes(range(32))
ACCEPTED = Reply(202, b"{}", ())


@pytest.fixture
async def opened(database_url, clock):
    """Opens stores on one database, as many as a test wants nodes."""
    await migrate(database_url)
    stores = []

    async def node(key=MASTER_KEY):
        stores.append(await open_store(database_url, Cipher(key), clock))
        return stores[-1]

    yield node
    for store in stores:
        await store.close()


async def rows_of(url, query):
    """What the database itself says, without the store."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        found = connection.execute(query).fetchall()
        connection.close()
        return found
    connection = await asyncpg.connect(url)
    found = [tuple(row) for row in await connection.fetch(query)]
    await connection.close()
    return found


async def test_migrating_twice_changes_nothing(database_url, opened):
    await migrate(database_url)

    store = await opened()

    assert await store.answers() is True


async def test_the_migrations_build_what_the_tables_say(tmp_path):
    await migrate(f"sqlite:///{tmp_path / 'hub.db'}")
    engine = create_engine(f"sqlite:///{tmp_path / 'hub.db'}")

    with engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), metadata)

    engine.dispose()
    assert difference == []


async def test_the_log_of_a_file_begins_anew_though_commits_never_pause(tmp_path):
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    await migrate(url)
    writer = SqliteWriter(tmp_path / "hub.db")
    row = (bytes(16), "opened", 0, 1.0, "", "", "", "", b"", "", "x" * 60_000, "", 0, "", "", 0, "", "")

    for _ in range(2 * LOOK_BATCHES):
        await writer.log([row] * 10)

    assert (tmp_path / "hub.db-wal").stat().st_size < 1.5 * len(row[10]) * 10 * LOOK_BATCHES
    await writer.close()


async def test_a_node_waits_for_the_one_that_migrates_however_long_that_takes():
    name = f"lgsp_test_{uuid.uuid4().hex[:12]}"
    url = f"{DATABASE_URL.rpartition('/')[0]}/{name}"
    server = await asyncpg.connect(DATABASE_URL)
    await server.execute(f"CREATE DATABASE {name}")
    other = await asyncpg.connect(url)
    await other.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)

    waiting = asyncio.create_task(migrate(url))
    await asyncio.sleep(COMMAND_S + 0.5)
    has_waited = not waiting.done()
    await other.close()
    await waiting

    await server.execute(f"DROP DATABASE {name}")
    await server.close()
    assert has_waited


async def moved_at(path):
    """When the database was last written to, once nothing has been for a while."""
    seen = 0
    while seen != (seen := path.stat().st_mtime_ns):
        await asyncio.sleep(3 * PERIOD_S)
    return seen


async def test_a_large_file_is_not_moved_again_and_again(tmp_path):
    path = tmp_path / "hub.db"
    await migrate(f"sqlite:///{path}")
    writer = SqliteWriter(path)
    row = (bytes(16), "opened", 0, 1.0, "", "", "", "", b"", "", "x" * 60_000, "", 0, "", "", 0, "", "")
    for _ in range(LOOK_BATCHES):
        await writer.log([row] * 10)
    await moved_at(path)
    await writer.log([row])
    before = await moved_at(path)

    for _ in range(MOVED_BATCHES // 2):
        await writer.log([(*row[:10], "", *row[11:])])

    assert await moved_at(path) == before
    await writer.close()


async def test_a_database_without_the_schema_is_refused(tmp_path, clock):
    with pytest.raises(SettingsError, match="migrate first"):
        await open_store(f"sqlite:///{tmp_path / 'empty.db'}", Cipher(MASTER_KEY), clock)


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "sqlite://", "nonsense", "sqlite:////no/such/folder/hub.db", "postgresql://nobody@127.0.0.1:1/none"]
)
async def test_an_address_that_cannot_be_used_is_refused_with_the_setting_s_name(url, clock):
    with pytest.raises(SettingsError, match="LGSP_DATABASE_URL"):
        await open_store(url, Cipher(MASTER_KEY), clock)


async def test_another_master_key_is_refused(opened):
    await opened()

    with pytest.raises(SettingsError, match="LGSP_MASTER_KEY"):
        await opened(bytes(32))


def test_a_master_key_of_another_length_is_refused():
    with pytest.raises(SettingsError, match="32 bytes"):
        Cipher(b"short")


async def test_a_damaged_file_is_refused(tmp_path, clock, make):
    path = tmp_path / "hub.db"
    await migrate(f"sqlite:///{path}")
    store = await open_store(f"sqlite:///{path}", Cipher(MASTER_KEY), clock)
    await asyncio.gather(*[store.opened(make.opened()) for _ in range(500)])
    await store.close()
    whole = path.read_bytes()
    broken = []

    for cut in (len(whole) // 2, len(whole) - 4096, 512):
        path.write_bytes(whole[:cut])
        with pytest.raises(SettingsError) as refused:
            await open_store(f"sqlite:///{path}", Cipher(MASTER_KEY), clock)
        broken.append(str(refused.value))

    assert all("LGSP_DATABASE_URL" in each for each in broken)


async def test_a_file_that_only_its_account_may_read(tmp_path):
    await migrate(f"sqlite:///{tmp_path / 'hub.db'}")

    assert (tmp_path / "hub.db").stat().st_mode & 0o077 == 0


async def test_what_was_acknowledged_is_in_the_database_when_the_node_is_gone(database_url, opened, make):
    store = await opened()
    rows = [make.opened() for _ in range(200)]

    await asyncio.gather(*[store.opened(row) for row in rows])

    found = await rows_of(database_url, "SELECT message_id FROM log")
    assert sorted(uuid.UUID(bytes=i).hex if isinstance(i, bytes) else i.hex for (i,) in found) == sorted(
        row.message_id.replace("-", "") for row in rows
    )


async def test_a_batch_with_guilty_rows_fails_only_them(database_url, opened, make):
    store = await opened()
    rows = [make.opened(attempt=2**70 if number % 25 == 7 else 0) for number in range(100)]

    results = await asyncio.gather(*[store.opened(row) for row in rows], return_exceptions=True)

    slugs = [result.slug if isinstance(result, Fault) else result for result in results]
    assert slugs == ["record-unavailable" if number % 25 == 7 else None for number in range(100)]
    assert await rows_of(database_url, "SELECT count(*) FROM log") == [(96,)]


async def test_a_message_that_cannot_be_stored_leaves_no_half(database_url, opened, make):
    store = await opened()
    stored = make.stored()
    await store.accept(stored, make.key("k-1"), ACCEPTED)

    with pytest.raises(Fault):
        await store.accept(stored, make.key("k-2"), ACCEPTED)

    assert await store.accept(make.stored(), make.key("k-2"), ACCEPTED) is None
    assert await rows_of(database_url, "SELECT count(*) FROM message") == [(2,)]


async def test_a_full_queue_says_come_back():
    class Stuck:
        """A database that never answers."""

        async def open(self):
            pass

        async def log(self, _rows):
            await asyncio.sleep(60)

        async def transact(self, _works):
            await asyncio.sleep(60)

    commit = GroupCommit([Stuck()], queue_rows=10)
    tasks = [asyncio.create_task(commit.write(("row",))) for _ in range(11)]
    await asyncio.sleep(0)

    with pytest.raises(Fault) as refused:
        [await commit.write(("row",)) for _ in range(2)]

    assert (refused.value.slug, refused.value.retry_after_s) == ("overloaded", 1)
    await commit.abandon()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_bisecting_writes_every_innocent_row_once():
    class Picky:
        """Refuses every batch that holds a guilty row."""

        def __init__(self):
            self.written = []

        async def open(self):
            pass

        async def log(self, rows):
            if any(row[0] == "guilty" for row in rows):
                raise Guilty("no")
            self.written += rows

        async def transact(self, _works):
            raise AssertionError("there are log rows only")

    writer = Picky()
    commit = GroupCommit([writer])

    wanted = [("guilty",) if number in {3, 4, 60} else (str(number),) for number in range(64)]
    results = await asyncio.gather(*map(commit.write, wanted), return_exceptions=True)

    await commit.close()
    assert sorted(writer.written) == sorted(row for row in wanted if row != ("guilty",))
    assert [isinstance(result, Fault) for result in results] == [row == ("guilty",) for row in wanted]


async def test_a_database_that_is_locked_for_too_long_is_told_and_comes_back(tmp_path, clock, make):
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    await migrate(url)
    store = await open_store(url, Cipher(MASTER_KEY), clock)
    other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Fault) as refused:
        await store.opened(make.opened())
    other.execute("ROLLBACK")

    other.close()
    assert refused.value.slug == "record-unavailable"
    assert await store.opened(make.opened()) is None
    await store.close()


async def test_a_connection_that_was_cut_is_made_again(postgresql_url, clock, make):
    await migrate(postgresql_url)
    store = await open_store(postgresql_url, Cipher(MASTER_KEY), clock)
    await store.opened(make.opened())
    store._writers[0]._connection.terminate()

    answers = await asyncio.gather(*[store.opened(make.opened()) for _ in range(3)], return_exceptions=True)
    again = await store.opened(make.opened())

    assert all(answer is None or answer.slug in {"record-unavailable", "record-uncertain"} for answer in answers)
    assert again is None
    await store.close()


async def test_another_node_sees_a_grant_within_two_seconds(opened):
    one, other = await opened(), await opened()
    consumer = Consumer(SubsystemId("VN/GOV/H99/onestop"), "c-1", "Một cửa")

    await one.add_consumer(consumer, b"m" * 32, "an", 1.0)

    async with asyncio.timeout(2):
        while other.consumer("c-1") is None:
            await asyncio.sleep(0.05)
    assert other.consumer("c-1") == consumer


async def test_a_node_that_claims_a_message_knows_the_right_under_which_another_one_accepted_it(opened, make, clock):
    gateway, worker = await opened(), await opened()
    await gateway.add_consumer(Consumer(SubsystemId("VN/GOV/H99/onestop"), "c-1", "Một cửa"), b"m" * 32, "test", clock())
    await gateway.grant(Right(SubsystemId("VN/GOV/H99/onestop"), "dossiers", "syncDossier", frozenset({"one-stop"})), "test", clock())
    await gateway.accept(make.stored(), None, ACCEPTED)

    ((due,),) = [await worker.claim("portal", 10, clock(), 60.0)]

    assert worker.right(due.stored.consumer, due.stored.service, due.stored.operation) is not None


async def test_two_nodes_share_keys_and_quotas_and_never_claim_the_same(opened, make, clock):
    one, other = await opened(), await opened()
    await asyncio.gather(*[one.accept(make.stored(order_key=f"A{number % 10}"), None, ACCEPTED) for number in range(40)])

    claims = await asyncio.gather(*[node.claim("portal", 3, clock(), 60) for node in (one, other) * 5])
    keys = await asyncio.gather(*[node.opened(make.opened(), make.key()) for node in (one, other) * 10])

    got = [due.stored.message_id for batch in claims for due in batch]
    assert len(got) == len(set(got)) == 10
    assert keys.count(None) == 1
    assert await one.load_or_create_key("sign", lambda: b"1") == await other.load_or_create_key("sign", lambda: b"2")


async def test_a_fresh_data_key_seals_and_older_ones_still_open_on_every_node(opened, make, clock):
    one, other = await opened(), await opened()
    old, new = make.stored(), make.stored()
    await one.accept(old, None, ACCEPTED)

    await one.rotate_data_key()
    await one.accept(new, None, ACCEPTED)

    assert [due.stored for due in await other.claim("portal", 9, clock(), 60)] == [old, new]


async def test_refusals_before_identity_are_counted_by_source_and_minute(database_url, opened):
    store = await opened()
    for number in range(7):
        store.refused_unidentified("192.0.2.1", "token-missing", 120.0 + number * 20)

    await store.flush_refusals()
    store.refused_unidentified("192.0.2.1", "token-missing", 120.0)
    await store.flush_refusals()

    found = await rows_of(database_url, "SELECT source, minute, slug, count FROM refusal_count ORDER BY minute")
    assert found == [("192.0.2.1", 120, "token-missing", 4), ("192.0.2.1", 180, "token-missing", 3), ("192.0.2.1", 240, "token-missing", 1)]


async def test_nothing_that_names_a_person_lies_readable_on_the_disk(tmp_path, clock, make):
    path = tmp_path / "hub.db"
    await migrate(f"sqlite:///{path}")
    store = await open_store(f"sqlite:///{path}", Cipher(MASTER_KEY), clock)
    secret = "Nguyễn Văn Mẫu 001099000001"
    row, claim = make.opened(), make.key(secret)
    await store.opened(row, claim)
    await store.closed(make.closed(row.message_id), KeyAnswer(claim, Reply(200, secret.encode(), (("X", secret),))))
    stored = make.stored(request=secret.encode(), order_key=secret, business_key=secret, parameters={"citizen": secret})
    await store.accept(stored, make.key(f"{secret} 2"), replace(ACCEPTED, body=secret.encode()))
    (due,) = await store.claim("portal", 1, clock(), 60)
    await store.settle(due, Settlement(State.DELIVERED, clock(), reply=secret.encode()), make.closed(stored.message_id))

    on_disk = _all_bytes(tmp_path)

    await store.close()
    assert due.stored == stored
    assert secret.encode() not in on_disk
    assert b"001099000001" not in on_disk


UNREADABLE = {
    "moved": "UPDATE payload SET request = (SELECT p.request FROM payload p WHERE p.message_id <> payload.message_id) {where}",
    "empty": "UPDATE payload SET request = '' {where}",
    "gone": "DELETE FROM payload {where}",
    "purpose": "UPDATE message SET purpose = '{{' {where}",
    "other purpose": "UPDATE message SET purpose = '[1]' {where}",
}
IN_A_FILE = {
    "time": "UPDATE message SET deadline_at = 'soon', accepted_at = x'00' {where}",
    "bytes": "UPDATE message SET trace_id = CAST(x'ff41' AS TEXT), provider = CAST(x'706f7274616c' AS TEXT) {where}",
    "count": "UPDATE message SET attempts = 'many', major = 'first' {where}",
}
"""What no PostgreSQL keeps in these columns."""


@pytest.fixture
async def damaged(database_url, opened, make):
    """A store with two messages; the content of the first can be damaged."""
    store, bad, good = await opened(), make.stored(request=b"first"), make.stored(request=b"second")
    for stored in (bad, good):
        await store.accept(stored, None, ACCEPTED)

    async def damage(statement):
        name = bad.message_id if database_url.startswith("postgresql") else bad.message_id.replace("-", "")
        value = f"'{name}'" if database_url.startswith("postgresql") else f"x'{name}'"
        await change(database_url, statement.format(where=f"WHERE message_id = {value}"))

    return store, bad, good, damage


@pytest.mark.parametrize("kind", [*UNREADABLE, *IN_A_FILE])
async def test_a_message_that_cannot_be_read_is_a_dead_letter_and_holds_up_no_other(damaged, clock, database_url, kind):
    if kind in IN_A_FILE and not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL keeps no such value there")
    store, bad, good, damage = damaged
    await damage({**UNREADABLE, **IN_A_FILE}[kind])

    claimed = await store.claim("portal", 2, clock(), 60)
    later = await store.claim("portal", 2, clock() + 59, 60)

    assert ([due.stored for due in claimed], list(later)) == ([good], [])
    assert [(group.provider, group.cause, group.blame, group.count) for group in await store.dead(5)] == [
        ("portal", "payload-unreadable", "platform", 1)
    ]
    assert sorted(entry.event for entry in await store.timeline(bad.message_id)) == ["accepted", "closed", "settled"]
    assert (await store.receipt(bad.message_id, bad.consumer)).cause == "payload-unreadable"


async def test_a_damaged_message_that_is_replayed_rests_again_and_says_which_field_it_is(damaged, clock):
    store, bad, _, damage = damaged
    await damage(UNREADABLE["purpose"])
    await store.claim("portal", 2, clock(), 60)

    await store.replay(bad.message_id, "an", clock())
    claimed = await store.claim("portal", 2, clock(), 60)

    kept = await store.receipt(bad.message_id, bad.consumer)
    assert (list(claimed), kept.state, kept.detail) == ([], State.DEAD, "damaged: purpose")
    with pytest.raises(Fault, match="payload-unreadable"):
        await store.stored(bad.message_id)


async def test_an_answer_that_does_not_open_is_missing_from_its_receipt_and_the_feed_goes_on(damaged, clock, make):
    store, bad, good, damage = damaged
    for due in await store.claim("portal", 2, clock(), 60):
        settled = Settlement(State.DELIVERED, clock(), reply=b"{}")
        await store.settle(due, settled, make.closed(due.stored.message_id, attempt=1))
    await damage("UPDATE payload SET reply = request {where}")
    await damage("UPDATE log SET settled = 'x', stages = 'a:b' {where}")

    told = await store.feed(bad.consumer, 0, 5)

    found = {receipt.message_id: (receipt.state, receipt.reply, receipt.cause) for receipt in told}
    assert found[bad.message_id] == (State.DELIVERED, None, "payload-unreadable")
    assert found[good.message_id] == (State.DELIVERED, b"{}", "")
    assert len(await store.timeline(bad.message_id)) == 3


async def test_a_content_that_does_not_open_leaves_an_unknown_outcome_to_a_person(damaged, clock, make):
    store, _, good, damage = damaged
    for due in await store.claim("portal", 2, clock(), 60):
        unknown = Settlement(State.UNKNOWN, clock(), clock(), "provider", "outcome-unknown")
        await store.settle(due, unknown, make.closed(due.stored.message_id))
    await damage(UNREADABLE["empty"])

    asked = await store.claim_unknown(5, clock(), 60)
    later = await store.claim_unknown(5, clock() + 61, 60)

    assert ([due.stored for due in asked], [due.stored for due in later]) == ([good], [good])
    assert {group.cause for group in await store.unknown(5)} == {"outcome-unknown", "payload-unreadable"}
    assert await store.dead(5) == []


def _all_bytes(folder):
    return b"".join(each.read_bytes() for each in folder.iterdir())


async def change(url, statement):
    """Without the store's knowledge."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.execute(statement)
        connection.commit()
        connection.close()
        return
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def test_a_store_that_can_write_says_so_and_leaves_no_trace(store):
    answers = [await store.answers() for _ in range(2)]

    assert answers == [True, True]


async def test_a_store_that_has_just_written_its_log_says_so_without_waiting_for_whoever_writes(tmp_path, clock, make):
    await migrate(f"sqlite:///{tmp_path / 'hub.db'}")
    store = await open_store(f"sqlite:///{tmp_path / 'hub.db'}", Cipher(MASTER_KEY), clock)
    holder = sqlite3.connect(tmp_path / "hub.db")
    await store.opened(make.opened())
    holder.execute("BEGIN IMMEDIATE")

    fresh = await store.answers()
    await asyncio.sleep(0.9)
    stale = await store.answers()

    holder.close()
    await store.close()
    assert (fresh, stale) == (True, False)
