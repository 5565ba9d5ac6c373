"""Who looked: from an exchange through the hub to the answer for a citizen; no number stands anywhere on the way."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from lgsp.acts import access
from lgsp.drivers.sealer import Sealer, SigningKeys
from lgsp.model.agreed import DataClass
from lgsp.model.evidence import Traces
from lgsp.policy.disclosure import identifiers_in, mark_of, marked_identifiers, told_by
from tests.unit.office import HUB, MAC_KEY, digest, make_office
from tests.unit.small_hub import OPERATION, PURPOSE, SmallHub

ASKED, TOLD, OTHER = "099090000001", "099163000012", "099191000013"
TRACED = replace(OPERATION, traces=Traces("Nghị định 278/2025/NĐ-CP", marked_identifiers({})))


async def family(_call, _native):
    return {"citizens": [{"citizen_id": ASKED, "relatives": [{"citizen_id": TOLD, "full_name": "Trần Thị B"}]}], "name": "An", "none": None}


async def looked(hub: SmallHub, **changes):
    await hub.carry({"name": "An", "citizen_id": ASKED}, **changes)
    await Sealer(hub.store, HUB, MAC_KEY, SigningKeys(hub.store).newest).seal_due("a", lambda: hub.now, os.urandom)


async def ask(hub: SmallHub, **asked):
    return await access.accesses(make_office(hub.store), access.Asked(**asked), "lan")


@pytest.mark.parametrize(("value", "found"), [(ASKED, 1), (TOLD, 1), (" 0991 6300 0012 ", 1), (OTHER, 0)])
async def test_whoever_was_asked_about_or_named_in_the_answer_is_told_of(value, found):
    hub = await SmallHub(operation=TRACED, answer=family).open()
    await looked(hub)

    accesses, scope = await ask(hub, by="subject", value=value)

    assert (len(accesses), scope.accesses) == (found, found)


async def test_an_access_tells_agency_official_purpose_ground_time_and_fields():
    hub = await SmallHub(operation=TRACED, answer=family).open()
    await looked(hub)

    ((found,), scope) = await ask(hub, by="subject", value=ASKED)

    texts = found.fields
    assert found.agency == "Một cửa"
    assert (texts["official"], texts["purpose"], texts["basis"]) == ("CB001", "receive-dossier", "Nghị định 278/2025/NĐ-CP")
    assert texts["times"].startswith("requestIn=1970-01-12T")
    assert texts["released"] == "citizens.citizen_id citizens.relatives.citizen_id citizens.relatives.full_name name"
    assert (scope.people, scope.dossiers, scope.officials, scope.consumers) == (2, 1, ["CB001"], ["VN/GOV/H99/onestop"])


async def test_fields_that_the_right_does_not_name_did_not_leave_and_are_not_told():
    hub = await SmallHub(operation=TRACED, answer=family, fields=frozenset({"name"})).open()
    await looked(hub)

    ((found,), _) = await ask(hub, by="official", value="CB001")
    named, _ = await ask(hub, by="subject", value=TOLD)

    assert (found.fields["released"], list(named)) == ("name", [])


async def test_accesses_are_found_by_dossier_and_by_consumer_in_a_time():
    hub = await SmallHub(operation=TRACED, answer=family).open()
    await looked(hub)
    hub.now += 1000
    await looked(hub, purpose=replace(PURPOSE, dossier="H99.1-261123-0002", official="CB002"))

    by_dossier, _ = await ask(hub, by="dossier", value="H99.1-261123-0002")
    everything, scope = await ask(hub, by="consumer", value="VN/GOV/H99/onestop")
    later, _ = await ask(hub, by="consumer", value="VN/GOV/H99/onestop", since=hub.now - 10, until=hub.now + 10)
    nobody, _ = await ask(hub, by="consumer", value="VN/GOV/H99/other")

    assert [len(each) for each in (by_dossier, everything, later, nobody)] == [1, 2, 1, 0]
    assert (scope.dossiers, scope.officials) == (2, ["CB001", "CB002"])


async def test_no_number_of_a_person_stands_in_the_log_the_evidence_or_the_acts():
    hub = await SmallHub(operation=TRACED, answer=family).open()
    await looked(hub)
    await ask(hub, by="subject", value=ASKED)

    kept = f"{hub.store.rows}{await hub.store.leaves(0, 99)}{await hub.store.acts(99)}{access.Asked('subject', ASKED)}"

    assert ASKED not in kept
    assert TOLD not in kept


async def test_of_data_that_are_not_personal_nobody_is_marked():
    hub = await SmallHub(operation=replace(TRACED, data_class=DataClass.INTERNAL), answer=family).open()
    await looked(hub)

    accesses, _ = await ask(hub, by="subject", value=ASKED)

    assert list(accesses) == []


def test_a_contract_marks_members_of_its_own_as_numbers_of_people():
    document = {
        "paths": {
            "/x": {"get": {"parameters": [{"name": "so_the", "in": "query", "schema": {"type": "string", "x-lgsp-pii": "identifier"}}]}}
        },
        "components": {"schemas": {"Card": {"properties": {"card_no": {"x-lgsp-pii": "identifier"}, "note": {"x-lgsp-pii": "name"}}}}},
    }

    assert marked_identifiers(document) >= {"so_the", "card_no", "citizen_id"}
    assert "note" not in marked_identifiers(document)


def test_numbers_are_found_at_any_depth_and_fields_told_by_path():
    value = {"a": [{"citizen_id": "1"}, {"citizen_id": "2", "b": {"citizen_id": ""}}], "citizen_id": 3, "c": [], "d": [1]}

    assert identifiers_in(value, frozenset({"citizen_id"})) == {"1", "2", "3"}
    assert told_by(value, frozenset({"citizen_id"})) == ("a.b.citizen_id a.citizen_id citizen_id d", {"1", "2", "3"})


def test_marks_tell_equal_numbers_however_they_are_spaced():
    assert mark_of("099 090", digest) == mark_of("099090", digest) != mark_of("099091", digest)
