"""Sealing, Leaves, EvidenceLag: every closed exchange and every act has one leaf, whoever seals, whatever commits late."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import asyncpg
import pytest
from alembic import command
from sqlalchemy import insert, text

from lgsp.codec import json
from lgsp.drivers.cipher import Cipher
from lgsp.drivers.sealer import LEASE_S, Sealer, SigningKey, new_evidence_key
from lgsp.drivers.store import engine, migrate, open_store, rows, tables
from lgsp.errors import Fault
from lgsp.evidence import batch, events, tree, verifier
from lgsp.evidence.check import check
from lgsp.evidence.leaf import leaf_mac
from lgsp.evidence.walk import packed
from lgsp.model.happening import Outcome
from lgsp.model.parties import Consumer

HUB, MAC_KEY, MASTER_KEY = "https://hub.example", b"m" * 32, bytes(range(32))


@pytest.fixture
def keys():
    return [new_evidence_key()]


@pytest.fixture
def sealer(store, keys):
    return new_sealer(store, keys)


def new_sealer(store, keys):
    async def newest():
        return keys[-1]

    return Sealer(store, HUB, MAC_KEY, newest)


async def happened(store, make, count, **changes):
    rows = [make.opened() for _ in range(count)]
    for row in rows:
        await store.opened(row)
        await store.closed(make.closed(row.message_id, **changes))
    return [row.message_id for row in rows]


async def every(store):
    return [batch.leaf_of(row).fields for row in await store.leaves(0, 10_000)]


async def rebuilt(store):
    front, roots = verifier.Frontier(), {}
    for row in await store.leaves(0, 10_000):
        front.append(batch.leaf_of(row).node())
        roots[front.size] = front.root()
    return roots


async def test_each_closed_exchange_becomes_one_leaf_in_the_order_of_the_log(store, make, sealer, clock):
    ids = await happened(store, make, 3)

    made = [await sealer.seal_due("a", clock, os.urandom) for _ in range(2)]

    assert made == [3, 0]
    assert [fields["message"] for fields in await every(store)] == ids


async def test_a_leaf_tells_who_asked_whom_for_what_on_what_ground_and_what_came_of_it(store, make, sealer, clock):
    opened = make.opened()
    await store.opened(opened)
    await store.closed(
        make.closed(opened.message_id, at=clock() + 1, duration_us=1_000_000, stages=(("identify", 250_000), ("deliver", 500_000)))
    )

    await sealer.seal_due("a", clock, os.urandom)

    (fields,) = await every(store)
    told = {
        name: fields[name] for name in ("consumer", "provider", "operation", "purpose", "official", "public_service", "dossier", "outcome")
    }
    assert told == {
        "consumer": "VN/GOV/H99/onestop",
        "provider": "population",
        "operation": "citizens/citizenLookup",
        "purpose": "one-stop",
        "official": "CB-0001",
        "public_service": "1.004222",
        "dossier": "H99.12.34-261123-0001",
        "outcome": "delivered 200",
    }
    assert fields["digests"] == f"request={(b'r' * 32).hex()} answer={(b'a' * 32).hex()}"
    first, *inner, last = [moment.partition("=") for moment in fields["times"].split()]
    assert [name for name, _, _ in (first, *inner, last)] == ["requestIn", "requestOut", "responseIn", "responseOut"]
    assert [at[-10:-1] for _, _, at in (first, *inner, last)] == ["00.000000", "00.250000", "00.750000", "01.000000"]


async def test_what_was_refused_before_its_provider_has_a_leaf_too(store, make, sealer, clock):
    refused = {"outcome": Outcome.REFUSED, "status": 403, "cause": "purpose-not-allowed", "blame": "consumer", "stages": ()}
    await store.closed(make.closed(make.new_id(), **refused, purpose=make.opened().purpose))

    await sealer.seal_due("a", clock, os.urandom)

    (fields,) = await every(store)
    assert (fields["provider"], fields["outcome"]) == ("", "refused 403 purpose-not-allowed consumer")
    assert (fields["official"], fields["purpose"]) == ("CB-0001", "one-stop")


async def test_what_is_still_open_has_no_leaf_until_it_closes(store, make, sealer, clock):
    opened = make.opened()
    await store.opened(opened)
    before = await sealer.seal_due("a", clock, os.urandom)
    await happened(store, make, 1)
    await sealer.seal_due("a", clock, os.urandom)

    await store.closed(make.closed(opened.message_id))

    assert (before, await sealer.seal_due("a", clock, os.urandom)) == (0, 1)
    assert (await every(store))[1]["message"] == opened.message_id
    assert (await every(store))[1]["official"] == "CB-0001"


async def test_an_act_becomes_a_leaf_and_is_found_by_what_it_is_about(store, sealer, clock):
    await store.add_consumer(Consumer("VN/GOV/H99/x", "x", "X"), b"mac", "an", clock())

    await sealer.seal_due("a", clock, os.urandom)

    (fields,) = await every(store)
    assert (fields["kind"], fields["author"], fields["verb"]) == ("act", "an", "add_consumer")
    (found,) = await store.leaves_about(events.ABOUT, fields["subject"], 10)
    assert found.number == 0


async def test_leaves_are_found_by_message_official_and_dossier(store, make, sealer, clock):
    one, two = await happened(store, make, 2)
    await sealer.seal_due("a", clock, os.urandom)

    found = {
        "one": [row.number for row in await store.leaves_about(events.ABOUT, one, 10)],
        "official": [row.number for row in await store.leaves_about(events.OFFICIAL, "CB-0001", 10)],
        "newest": [row.number for row in await store.leaves_about(events.DOSSIER, "H99.12.34-261123-0001", 1)],
        "nobody": await store.leaves_about(events.OFFICIAL, two, 10),
    }

    assert found == {"one": [0], "official": [0, 1], "newest": [1], "nobody": []}


async def test_heads_are_contiguous_signed_and_the_roots_of_the_leaves(store, make, sealer, clock, keys):
    for count in (1, 4, 2):
        await happened(store, make, count)
        await sealer.seal_due("a", clock, os.urandom)

    heads, roots = await store.heads(0, 10), await rebuilt(store)
    public = SigningKey(keys[0]).public
    for head in heads:
        verifier.check_head(batch.shown_head(head, HUB), {verifier.fingerprint(public): public.hex()})
    assert [(head.batch, head.size) for head in heads] == [(1, 1), (2, 5), (3, 7)]
    assert [head.root for head in heads] == [roots[1], roots[5], roots[7]]
    assert [(await store.head()).size, (await store.head(2)).size, await store.head(8)] == [7, 5, None]


async def test_proofs_are_made_of_what_is_kept_with_the_leaves(store, make, sealer, clock):
    await happened(store, make, 13)
    await sealer.seal_due("a", clock, os.urandom)
    head, spans = await store.head(), tree.inclusion_spans(4, 13)

    path = tree.path(spans, await store.nodes_of(tree.keepers(spans)))

    (row,) = await store.leaves(4, 5)
    assert verifier.includes(4, 13, batch.leaf_of(row).node(), path, head.root)
    assert row.mac == leaf_mac(MAC_KEY, 4, batch.node_of(row))


async def test_of_two_nodes_one_seals_and_the_other_takes_over_when_its_lease_is_over(store, make, sealer, clock, keys):
    other = new_sealer(store, keys)
    await happened(store, make, 2)
    first = [await sealer.seal_due("a", clock, os.urandom), await other.seal_due("b", clock, os.urandom)]
    await happened(store, make, 3)
    clock.at += LEASE_S + 1

    second = [await other.seal_due("b", clock, os.urandom), await sealer.seal_due("a", clock, os.urandom)]

    assert (first, second) == ([2, 0], [3, 0])
    assert (await store.head()).root == (await rebuilt(store))[5]


async def test_who_lost_the_turn_writes_nothing(store, make, sealer, clock, keys):
    await happened(store, make, 2)
    slow = await store.take_turn("slow", clock(), LEASE_S)
    unsealed = await store.unsealed(slow, 10)
    clock.at += LEASE_S + 1
    await sealer.seal_due("a", clock, os.urandom)

    front = verifier.Frontier()
    leaves = batch.append(front, unsealed.events, MAC_KEY, os.urandom)
    head = batch.signed_head(front, 1, "2026-11-26T00:00:00Z", HUB, SigningKey(keys[0]))

    assert await store.seal(slow, batch.sealed(slow, unsealed, leaves, head)) is None
    assert len(await every(store)) == 2


async def test_many_events_are_sealed_in_one_go_and_in_several_batches(store, make, sealer, clock):
    row = make.opened()
    await store.opened(row)
    await asyncio.gather(*[store.closed(make.closed(row.message_id)) for _ in range(1_100)])

    assert await sealer.seal_due("a", clock, os.urandom) == 1_100
    assert [head.batch for head in await store.heads(0, 10)] == [1, 2, 3]
    assert (await store.head()).root == (await rebuilt(store))[1_100]


async def test_how_far_sealing_is_behind_is_the_age_of_the_oldest_event_without_a_leaf(store, make, sealer, clock):
    await happened(store, make, 1)
    clock.at += 7
    await store.look_behind()
    before = store.behind_s()

    await sealer.seal_due("a", clock, os.urandom)
    await store.look_behind()

    assert (before, store.behind_s()) == (7.0, 0.0)


async def test_a_new_key_signs_from_the_next_turn_on_and_old_heads_stay_good(store, make, sealer, clock, keys):
    await happened(store, make, 1)
    await sealer.seal_due("a", clock, os.urandom)
    keys.append(new_evidence_key())
    clock.at += LEASE_S + 1
    await happened(store, make, 1)

    await sealer.seal_due("a", clock, os.urandom)

    publics = [SigningKey(key).public for key in keys]
    known = {verifier.fingerprint(public): public.hex() for public in publics}
    heads = [batch.shown_head(head, HUB) for head in await store.heads(0, 10)]
    for head in heads:
        verifier.check_head(head, known)
    assert [head["key"] for head in heads] == list(known)


async def test_a_row_that_commits_late_is_not_missed(postgresql_url, make, clock, keys):
    await migrate(postgresql_url)
    store = await open_store(postgresql_url, Cipher(MASTER_KEY), clock)
    schema = postgresql_url.rpartition("=")[2]
    slow = await asyncpg.connect(postgresql_url.partition("?")[0], server_settings={"search_path": schema})
    sealer, late = new_sealer(store, keys), make.closed(make.new_id())
    copied = (
        "message_id, event, attempt, at, consumer, service, operation, trace_id, digest, provider, purpose, outcome, status, blame, cause, "
    )
    copied += "duration_us, stages, settled"
    await store.closed(replace(late, message_id=make.new_id()))
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(f"INSERT INTO log ({copied}) SELECT {copied} FROM log")  # noqa: S608 -- names of columns
    await store.closed(late)

    during = await sealer.seal_due("a", clock, os.urandom)
    await transaction.commit()
    after = await sealer.seal_due("a", clock, os.urandom) + await sealer.seal_due("a", clock, os.urandom)

    await slow.close()
    sources = [fields["source"] for fields in await every(store)]
    await store.close()
    assert (during, after) == (0, 3)
    assert sources == ["log 1", "log 2", "log 3"]


async def test_what_is_erased_is_gone_from_leaf_topic_and_log_and_the_tree_still_holds(store, make, sealer, clock):
    one, _ = await happened(store, make, 2)
    await sealer.seal_due("a", clock, os.urandom)
    before = (await store.head()).root

    counts = [await store.erase(one, {"official", "subjects"}, "an", clock()) for _ in range(2)]

    await happened(store, make, 1)
    await sealer.seal_due("a", clock, os.urandom)
    fields = await every(store)
    assert counts == [1, 0]
    assert [("official" in each, each.get("dossier")) for each in fields[:2]] == [
        (False, "H99.12.34-261123-0001"),
        (True, "H99.12.34-261123-0001"),
    ]
    assert [row.number for row in await store.leaves_about(events.OFFICIAL, "CB-0001", 10)] == [1, 2]
    assert [row.number for row in await store.leaves_about(events.ABOUT, one, 10)] == [0, 3]
    assert (await rebuilt(store))[2] == before
    assert (fields[3]["verb"], fields[3]["subject"]) == ("evidence_erase", one)


async def test_a_leaf_with_erased_fields_passes_the_check_and_one_that_was_tampered_with_does_not(store, make, sealer, clock):
    (one,) = await happened(store, make, 1)
    await sealer.seal_due("a", clock, os.urandom)
    await store.erase(one, {"official"}, "an", clock())
    (row,) = await store.leaves(0, 1)

    verdicts = [check(packed([each]), MAC_KEY)[1] for each in (row, row._replace(fields=row.fields.replace("delivered", "refused")))]

    assert verdicts == [None, 0]


async def test_nothing_is_built_on_an_end_that_somebody_changed(database_url, make, clock, keys):
    await migrate(database_url)
    store = await open_store(database_url, Cipher(MASTER_KEY), clock)
    await happened(store, make, 3)
    await new_sealer(store, keys).seal_due("a", clock, os.urandom)
    async with store.core.transaction() as connection:
        await connection.execute(text("DELETE FROM evidence_leaf WHERE number = 2"))
    clock.at += LEASE_S + 1
    await happened(store, make, 1)

    with pytest.raises(Fault, match="not the one that was signed"):
        await new_sealer(store, keys).seal_due("b", clock, os.urandom)

    await store.close()


async def test_a_row_that_was_damaged_has_a_leaf_and_holds_up_no_other(database_url, make, clock, keys):
    await migrate(database_url)
    store = await open_store(database_url, Cipher(MASTER_KEY), clock)
    await happened(store, make, 2)
    async with store.core.transaction() as connection:
        await connection.execute(text("UPDATE log SET purpose = 'not json' WHERE id = 1"))

    sealed = await new_sealer(store, keys).seal_due("a", clock, os.urandom)

    outcomes = [fields["outcome"] for fields in await every(store)]
    await store.close()
    assert (sealed, outcomes) == (2, ["unreadable", "delivered 200"])


async def test_the_log_gives_the_same_events_again(store, make, sealer, clock):
    await happened(store, make, 3)
    await store.add_consumer(Consumer("VN/GOV/H99/x", "x", "X"), b"mac", "an", clock())
    await sealer.seal_due("a", clock, os.urandom)

    again = [*await store.events_between("log", 2, 6), *await store.events_between("act", 0, 1)]

    assert [dict(sorted(event.fields.items())) for event in again] == (await every(store))[1:]
    assert [await store.oldest(name) for name in ("log", "act")] == [1, 1]


async def test_evidence_of_an_older_hub_begins_where_it_was_upgraded_and_says_so(database_url, make, clock, keys):
    await migrated(database_url, "0013")
    old, new = make.new_id(), make.new_id()
    await record(database_url, make.closed(old))
    await migrate(database_url)
    store = await open_store(database_url, Cipher(MASTER_KEY), clock)
    await store.closed(make.closed(new))

    await new_sealer(store, keys).seal_due("a", clock, os.urandom)

    fields = await every(store)
    await store.close()
    assert [each["message"] for each in fields if each["kind"] == "exchange"] == [new]
    assert [(each["verb"], json.decode(each["facts"].encode())) for each in fields if each["kind"] == "act"] == [
        ("evidence_begin", {"log": 1, "act": 0})
    ]


async def migrated(url, revision):
    """The schema of an older release."""
    address = engine._address(url)
    made = engine._engine(address)
    config = engine._config()

    def upgrade(connection):
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with made.begin() as connection:
        await connection.run_sync(upgrade)
    await made.dispose()


async def record(url, row):
    """A row of the log, as every release wrote it."""
    made = engine._engine(engine._address(url))
    async with made.begin() as connection:
        await connection.execute(insert(tables.log).values(rows.named(rows.closed_row(row))))
    await made.dispose()
