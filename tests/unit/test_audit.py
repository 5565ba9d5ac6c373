"""The audit over memory drivers, and the verifier that reads its files alone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lgsp.acts import audit, compare
from lgsp.drivers.memory import MemoryStore
from lgsp.drivers.sealer import Sealer, SigningKeys
from lgsp.errors import Fault
from lgsp.evidence import verifier
from lgsp.model.evidence import Batch
from lgsp.model.happening import Closed, Opened, Outcome
from lgsp.model.parties import Purpose
from tests.unit.office import HUB, MAC_KEY, NOW, make_office

VERIFIER = Path(verifier.__file__)


async def sealed(count: int, batch: int = 4, keys_of: MemoryStore | None = None):
    """A store with so many exchanges, sealed a few at a time; keys_of: a store whose signing keys it has."""
    store = MemoryStore(lambda: NOW)
    for key in await keys_of.keys_of(SigningKeys.KIND) if keys_of else ():
        await store.load_or_create_key(SigningKeys.KIND, partial(bytes, key))
    sealer = Sealer(store, HUB, MAC_KEY, SigningKeys(store).newest)
    for number in range(count):
        name, purpose = f"message-{number}", Purpose("one-stop", f"CB-{number % 3}", "1.000001", f"H99-{number}")
        await store.opened(Opened(name, 0, NOW + number, "VN/GOV/H99/desk", "land", "parcels", "look", purpose, b"r" * 32, "t" * 32))
        ended = Closed(
            name, 0, NOW + number, "VN/GOV/H99/desk", "parcels", "look", Outcome.DELIVERED, 200, "", "", b"a" * 32, 9, (), "t" * 32
        )
        await store.closed(ended)
        if number % batch == batch - 1 or number == count - 1:
            await sealer.seal_due("a", lambda: NOW, os.urandom)
    return store


async def exported(office, start=0, end=None, withheld=()):
    page = await audit.export(office, (start, end), withheld, "auditor")
    return [page["first"], *page["lines"]]


async def test_a_whole_tree_is_walked_to_its_newest_head():
    office = make_office(await sealed(10))

    verdict = await audit.verify(office, audit.Stretch())

    assert (verdict.until.size, verdict.until.batch, verdict.done, verdict.wrong) == (10, 3, True, None)


async def test_a_walk_goes_on_where_it_stopped():
    office = make_office(await sealed(10))
    first = await audit.verify(office, audit.Stretch())

    again = await audit.verify(office, first.until)

    assert (again.until, again.done, again.wrong) == (first.until, True, None)


async def test_a_front_that_does_not_fit_its_size_is_refused():
    with pytest.raises(Fault) as refused:
        await audit.verify(make_office(await sealed(3)), audit.Stretch(3, ("00" * 32,), 1))

    assert refused.value.slug == "body-invalid"


async def test_a_leaf_behind_the_newest_head_is_told():
    store = await sealed(8)
    turn = await store.take_turn("a", NOW, 1.0)
    forged = (await store.leaves(7, 8))[0]._replace(number=8)
    await store.seal(turn, Batch([forged], (await store.head()), turn.read))
    del store._heads[-1]

    verdict = await audit.verify(make_office(store), audit.Stretch())

    assert verdict.wrong == (8, "leaf 8: no head covers it")


async def test_a_proof_holds_without_the_hub_and_with_fields_withheld():
    office = make_office(await sealed(10))

    whole = await audit.prove(office, "message-5", (), "auditor")
    partly = await audit.prove(office, "message-5", ("official", "dossier"), "auditor")

    for proof in (whole, partly):
        assert verifier.check_proof(proof).startswith(f"leaves in the tree of 10 leaves of {HUB}: 5; signed at")
    assert "CB-2" in json.dumps(whole)
    assert "CB-2" not in json.dumps(partly)


async def test_who_proves_or_exports_is_in_the_acts():
    store = await sealed(3)
    office = make_office(store)
    await audit.prove(office, "message-1", (), "lan")

    await exported(office)

    acts = [(act.author, act.verb, act.subject) for act in await store.acts(5)]
    assert acts == [("auditor", "evidence_export", ""), ("lan", "evidence_prove", "message-1")]


async def test_nothing_is_proven_about_what_is_not_sealed():
    with pytest.raises(Fault) as refused:
        await audit.prove(make_office(await sealed(3)), "message-7", (), "auditor")

    assert refused.value.slug == "not-found"


@pytest.mark.parametrize(
    ("start", "end", "told"), [(0, None, "leaves 0 to 9"), (3, 6, "leaves 3 to 7"), (4, 8, "leaves 4 to 7"), (9, 10, "leaves 9 to 9")]
)
async def test_an_export_holds_without_the_hub_from_any_leaf_to_the_end_of_a_batch(start, end, told):
    lines = await exported(make_office(await sealed(10)), start, end, ("official",))

    assert verifier.check_export(lines).startswith(told)


def alone(words):
    return subprocess.run([sys.executable, "-I", str(VERIFIER), *words], capture_output=True, text=True, check=False)


MUTATIONS = {
    "a changed value": (lambda lines: lines[3]["fields"]["outcome"].update(value="failed 504"), 0),
    "a missing leaf": (lambda lines: lines.pop(3), 2),
    "a leaf twice": (lambda lines: lines.insert(3, lines[2]), 2),
    "another signature": (lambda lines: lines[5].update(signature="00" * 64), None),
    "another time of a head": (lambda lines: lines[5].update(at="2020-01-01T00:00:00.000000Z"), None),
    "a head gone": (lambda lines: lines.pop(5), None),
    "an end gone": (lambda lines: lines.__delitem__(slice(10, None)), 4),
}


@pytest.mark.parametrize("name", MUTATIONS)
async def test_an_export_that_was_altered_is_found_out(name):
    lines = json.loads(json.dumps(await exported(make_office(await sealed(10)))))
    mutate, number = MUTATIONS[name]
    mutate(lines)

    if name == "a head gone":  # the next one covers its leaves: nothing is lost
        assert verifier.check_export(lines)
        return
    with pytest.raises(verifier.WrongError) as wrong:
        verifier.check_export(lines)
    assert wrong.value.number == number


async def test_history_that_was_rewritten_with_the_hubs_own_key_differs_from_a_head_that_left_it():
    store = await sealed(10)
    kept = [line for line in await exported(make_office(store)) if "root" in line]
    rewritten = await sealed(10, keys_of=store)  # the owner of the database has everything

    lines = await exported(make_office(rewritten))

    assert verifier.check_export(lines)
    with pytest.raises(verifier.WrongError, match="history was rewritten") as wrong:
        verifier.check_export(lines, kept=kept[1:2])
    assert wrong.value.number == 0


async def test_the_report_counts_exchanges_and_acts_of_a_time():
    store = await sealed(6)
    office = make_office(store)
    await audit.rotate(office, "an")
    await Sealer(store, HUB, MAC_KEY, SigningKeys(store).newest).seal_due("a", lambda: NOW, os.urandom)

    found = await audit.report(office, NOW, NOW + 4)

    assert found["exchanges"] == [{"consumer": "VN/GOV/H99/desk", "operation": "parcels/look", "outcome": "delivered", "count": 4}]
    assert found["acts"] == [{"verb": "rotate_key", "author": "an", "count": 1}]
    assert found["head"]["size"] == 7


async def test_the_verifier_runs_alone_and_ends_with_1_where_something_is_wrong(tmp_path):
    office = make_office(await sealed(10))
    proof, export, broken, heads = (tmp_path / name for name in ("proof.json", "export.ndjson", "broken.json", "heads.ndjson"))
    content = await audit.prove(office, "message-5", (), "auditor")
    lines = await exported(office)
    proof.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    export.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines), "utf-8")
    heads.write_text("".join(f"{json.dumps(line)}\n" for line in lines if "root" in line), "utf-8")
    content["leaves"][0]["fields"]["official"]["value"] = "CB-9"
    broken.write_text(json.dumps(content), "utf-8")
    key = content["head"]["key"]
    runs = [
        [str(proof), str(export), "--key", key, "--heads", str(heads)],
        [str(broken)],
        [str(proof), "--key", "00" * 32],
        [str(heads)],
        [str(tmp_path / "none")],
    ]

    done = [await asyncio.to_thread(alone, run) for run in runs]

    assert [each.returncode for each in done] == [0, 1, 1, 1, 2]
    assert "WRONG: leaf 5" in done[1].stdout
    assert "not by the one you trust" in done[2].stdout
    assert "Traceback" not in "".join(each.stderr for each in done)


async def compared(store):
    return [
        (each.source, each.leaf, each.reason) for each in (await compare.compare(make_office(store), 0, {"log": 0, "act": 0})).differences
    ]


async def test_a_log_that_nobody_touched_says_what_was_sealed():
    assert await compared(await sealed(5)) == []


async def test_a_row_of_the_log_that_was_changed_deleted_or_slipped_in_is_found():
    changed, deleted, inserted = [await sealed(5) for _ in range(3)]
    changed.rows[3] = replace(changed.rows[3][0], outcome=Outcome.FAILED), None
    deleted.rows[5] = deleted.rows[4]
    inserted.rows.insert(2, inserted.rows[1])

    found = [await compared(store) for store in (changed, deleted, inserted)]

    assert found[0] == [("log 4", 1, "says something else than was sealed: outcome")]
    assert found[1] == [("log 6", 2, "is gone")]
    assert found[2][0] == ("log 3", -1, "has no leaf")


async def test_an_act_that_was_changed_is_found():
    store = await sealed(2)
    await store.note_reading("an", NOW, ("grant", "x", {"purposes": ["a"]}))
    await Sealer(store, HUB, MAC_KEY, SigningKeys(store).newest).seal_due("a", lambda: NOW, os.urandom)
    store._acts[0] = replace(store._acts[0], author="binh")

    assert await compared(store) == [("act 1", 2, "says something else than was sealed: author")]


async def test_what_was_erased_is_no_difference():
    store = await sealed(3)
    await store.erase("message-1", {"official"}, "an", NOW)

    assert [each for each in await compared(store) if each[0].startswith("log")] == []


async def test_rows_from_before_evidence_began_are_no_difference():
    store, older = MemoryStore(lambda: NOW), await sealed(5)
    store.rows, store._turn = older.rows, replace(store._turn, read={"log": 6, "act": 0})
    await store.note_reading("lgsp", NOW, (compare.BEGIN, "", {"log": 6, "act": 0}))
    await Sealer(store, HUB, MAC_KEY, SigningKeys(store).newest).seal_due("a", lambda: NOW, os.urandom)

    assert (await store.head()).size == 3
    assert await compared(store) == []
