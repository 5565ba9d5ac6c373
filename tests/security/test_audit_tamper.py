"""S35: whoever has the database cannot change what is sealed unseen, and the first leaf that is wrong is named."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from lgsp.acts import audit
from lgsp.drivers.checkers import Checkers
from lgsp.drivers.cipher import Cipher
from lgsp.drivers.sealer import Sealer, SigningKeys
from lgsp.drivers.store import migrate, open_store
from lgsp.evidence import verifier
from lgsp.evidence.check import check
from lgsp.evidence.leaf import Leaf, leaf_mac
from lgsp.evidence.verifier import Frontier, WrongError
from lgsp.evidence.walk import Walk, packed
from lgsp.model.evidence import Head, SealedLeaf
from lgsp.model.happening import Closed, Opened, Outcome
from lgsp.model.parties import Purpose
from lgsp.ports.evidence import Archive
from tests.unit.office import digest, make_office

if TYPE_CHECKING:
    from collections.abc import Callable

HUB, MAC_KEY, MASTER_KEY, NOW = "https://hub.example", b"m" * 32, bytes(range(32)), 1_790_000_000.0
BATCHES = (1, 7, 8, 3, 16, 5)
LEAVES = sum(BATCHES)
MUTATIONS = 100


@dataclass
class Sealed:
    """A sealed database, the public keys of its heads."""

    path: str
    keys: dict[str, str]
    heads: list[dict[str, Any]]


async def seal_history(path: str, official: str = "CB-1") -> Sealed:
    await migrate(f"sqlite:///{path}")
    store = await open_store(f"sqlite:///{path}", Cipher(MASTER_KEY), lambda: NOW)
    sealer = Sealer(store, HUB, MAC_KEY, SigningKeys(store).newest)
    for count in BATCHES:
        for _ in range(count):
            name, purpose = str(uuid.uuid4()), Purpose("one-stop", official, "1.000001", "H99-1")
            await store.opened(Opened(name, 0, NOW, "VN/GOV/H99/desk", "land", "parcels", "look", purpose, b"r" * 32, "t" * 32))
            ended = Closed(name, 0, NOW, "VN/GOV/H99/desk", "parcels", "look", Outcome.DELIVERED, 200, "", "", b"a" * 32, 9, (), "t" * 32)
            await store.closed(ended)
        await sealer.seal_due("a", lambda: NOW, os.urandom)
    archive = Archive(store, store, SigningKeys(store), Checkers(MAC_KEY, 1), store, store, store, HUB, digest)
    office = make_office(store)
    heads = [line for line in (await audit.export(_with(office, archive), (0, None), (), "a"))["lines"] if "root" in line]
    keys = dict(await archive.keys.publics())
    await store.close()
    return Sealed(path, keys, heads)


def _with(office: Any, archive: Archive) -> Any:
    return replace(office, evidence=archive)


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Sealed:
    return asyncio.run(seal_history(str(tmp_path_factory.mktemp("tamper") / "hub.db")))


def walk(database: sqlite3.Connection, sealed: Sealed) -> int | None:
    """The first wrong leaf, or None where all holds."""
    heads = [Head(*row) for row in database.execute("SELECT * FROM evidence_head ORDER BY batch")]
    rows = [SealedLeaf(*row) for row in database.execute("SELECT * FROM evidence_leaf ORDER BY number")]
    stretch = Walk(HUB, sealed.keys, Frontier(), 0, heads)
    try:
        stretch.step(rows, *check(packed(rows), MAC_KEY))
        stretch.end()
    except WrongError as error:
        return error.number
    return None


def shift(database: sqlite3.Connection, start: int, by: int) -> None:
    """Make room at `start`, or close a gap there."""
    database.execute("UPDATE evidence_leaf SET number = -number - 1 WHERE number >= ?", (start,))
    database.execute("UPDATE evidence_leaf SET number = -number - 1 + ? WHERE number < 0", (by,))


def changed_field(database: sqlite3.Connection, rng: random.Random) -> int:
    number = rng.randrange(LEAVES)
    column = rng.choice(["fields", "seed", "mac", "nodes", "erased"])
    if column == "fields":
        (text,) = database.execute("SELECT fields FROM evidence_leaf WHERE number = ?", (number,)).fetchone()
        value: Any = (
            text[: rng.randrange(len(text))]
            if rng.random() < 0.3
            else text.replace(rng.choice(["CB-1", "delivered 200", "H99-1", "parcels/look", "one-stop"]), "forged", 1)
        )
    elif column == "erased":
        value = '{"salts": {}, "digests": {}}'
    else:
        (old,) = database.execute(f"SELECT {column} FROM evidence_leaf WHERE number = ?", (number,)).fetchone()  # noqa: S608 -- a name of this file
        at = rng.randrange(len(old))
        value = old[:at] + bytes([old[at] ^ (1 << rng.randrange(8))]) + old[at + 1 :]
    seedless = ", seed = x''" if column == "erased" else ""
    database.execute(f"UPDATE evidence_leaf SET {column} = ?{seedless} WHERE number = ?", (value, number))  # noqa: S608 -- as above
    return number


def changed_with_its_hash(database: sqlite3.Connection, rng: random.Random) -> int:
    """Whoever changes a leaf and computes all that follows, but has not the hub's key."""
    number = rng.randrange(LEAVES)
    fields, nodes = database.execute("SELECT fields, nodes FROM evidence_leaf WHERE number = ?", (number,)).fetchone()
    seed, forged = rng.randbytes(16), fields.replace("CB-1", "CB-2")
    node = Leaf(json.loads(forged), seed).node()
    mac = leaf_mac(rng.randbytes(32), number, node)
    database.execute(
        "UPDATE evidence_leaf SET fields = ?, seed = ?, mac = ?, nodes = ? WHERE number = ?",
        (forged, seed, mac, node + nodes[32:], number),
    )
    return number


def deleted(database: sqlite3.Connection, rng: random.Random) -> int:
    number = rng.randrange(LEAVES - 1)
    database.execute("DELETE FROM evidence_leaf WHERE number = ?", (number,))
    if rng.random() < 0.5:
        shift(database, number, -1)
    return number


def inserted(database: sqlite3.Connection, rng: random.Random) -> int:
    number, other = rng.randrange(LEAVES), rng.randrange(LEAVES)
    row = list(database.execute("SELECT * FROM evidence_leaf WHERE number = ?", (other,)).fetchone())
    shift(database, number, 1)
    row[0], row[6] = number, row[6].replace("CB-1", "CB-7")
    database.execute("INSERT INTO evidence_leaf VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    return number


def reordered(database: sqlite3.Connection, rng: random.Random) -> int:
    first, second = sorted(rng.sample(range(LEAVES), 2))
    database.execute("UPDATE evidence_leaf SET number = -1 WHERE number = ?", (first,))
    database.execute("UPDATE evidence_leaf SET number = ? WHERE number = ?", (first, second))
    database.execute("UPDATE evidence_leaf SET number = ? WHERE number = -1", (second,))
    return first


def duplicated(database: sqlite3.Connection, rng: random.Random) -> int:
    number = rng.randrange(LEAVES)
    row = list(database.execute("SELECT * FROM evidence_leaf WHERE number = ?", (number,)).fetchone())
    shift(database, number + 1, 1)
    row[0] = number + 1
    database.execute("INSERT INTO evidence_leaf VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    return number + 1


def altered_head(database: sqlite3.Connection, rng: random.Random) -> int:
    batch = rng.randrange(1, len(BATCHES) + 1)
    column = rng.choice(["root", "signature", "at", "key"])
    (old,) = database.execute(f"SELECT {column} FROM evidence_head WHERE batch = ?", (batch,)).fetchone()  # noqa: S608 -- a name of this file
    if isinstance(old, bytes):
        at = rng.randrange(len(old))
        new: Any = old[:at] + bytes([old[at] ^ (1 << rng.randrange(8))]) + old[at + 1 :]
    else:
        new = "2020-01-01T00:00:00.000000Z" if column == "at" else "0" * 64
    database.execute(f"UPDATE evidence_head SET {column} = ? WHERE batch = ?", (new, batch))  # noqa: S608 -- a name of this file
    return sum(BATCHES[: batch - 1])


def lost_head(database: sqlite3.Connection, rng: random.Random) -> int:
    batch = rng.randrange(1, len(BATCHES))
    database.execute("DELETE FROM evidence_head WHERE batch = ?", (batch,))
    return sum(BATCHES[: batch - 1])


def truncated(database: sqlite3.Connection, rng: random.Random) -> int:
    number = rng.randrange(LEAVES)
    database.execute("DELETE FROM evidence_leaf WHERE number >= ?", (number,))
    return number


KINDS = (changed_field, changed_with_its_hash, deleted, inserted, reordered, duplicated, altered_head, lost_head, truncated)


def test_what_nobody_touched_holds(history):
    assert walk(sqlite3.connect(history.path), history) is None


@pytest.mark.parametrize("mutate", KINDS, ids=lambda kind: kind.__name__)
def test_every_mutation_is_found_at_its_first_wrong_leaf(history, mutate: Callable[..., int]):
    rng, pristine = random.Random(mutate.__name__), sqlite3.connect(history.path)  # noqa: S311 -- the same mutations each time
    missed = []
    for attempt in range(MUTATIONS):
        database = sqlite3.connect(":memory:")
        pristine.backup(database)
        expected = mutate(database, rng)

        found = walk(database, history)

        if found != expected:
            missed.append((attempt, expected, found))
        database.close()

    assert missed == []


async def test_the_hub_itself_names_the_first_wrong_leaf(history, tmp_path):
    copy = tmp_path / "copy.db"
    database = sqlite3.connect(copy)
    sqlite3.connect(history.path).backup(database)
    database.execute("UPDATE evidence_leaf SET fields = replace(fields, 'CB-1', 'CB-2') WHERE number = 23")
    database.commit()
    database.close()
    store = await open_store(f"sqlite:///{copy}", Cipher(MASTER_KEY), lambda: NOW)
    archive = Archive(store, store, SigningKeys(store), Checkers(MAC_KEY, 2), store, store, store, HUB, digest)

    verdict = await audit.verify(_with(make_office(store), archive), audit.Stretch())

    await store.close()
    assert verdict.wrong == (23, "leaf 23: its fields, its salts or its place are not those that were sealed")


async def test_a_rewrite_of_the_whole_table_with_the_hubs_own_keys_is_found_by_a_head_that_left_the_hub(history, tmp_path):
    forged = await seal_history(str(tmp_path / "hub.db"), official="CB-9")  # the same master key: the owner of everything
    lines = await _export(forged)

    assert verifier.check_export(lines)
    for head in history.heads:
        with pytest.raises(WrongError, match="history was rewritten"):
            verifier.check_export(lines, kept=[head])


async def _export(sealed: Sealed) -> list[dict[str, Any]]:
    store = await open_store(f"sqlite:///{sealed.path}", Cipher(MASTER_KEY), lambda: NOW)
    archive = Archive(store, store, SigningKeys(store), Checkers(MAC_KEY, 1), store, store, store, HUB, digest)
    page = await audit.export(_with(make_office(store), archive), (0, None), (), "a")
    await store.close()
    return [page["first"], *page["lines"]]
