"""A citizen looked up through the hub leaves its proof, and shows up when that citizen asks who looked."""

from __future__ import annotations

import pytest

from lgsp.acts import access, audit
from lgsp.evidence import verifier
from tests.e2e.hub import Running, example

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOKUPS, DOSSIERS = "/citizens/1/lookups", "/dossiers/1/dossiers"


async def test_a_look_up_is_sealed_proven_and_told_to_the_citizen(hub: Running) -> None:
    asked = example("population", "found")
    await hub.post(LOOKUPS, asked)
    await hub.hub.seal_due()
    office = hub.hub.office

    verdict = await audit.verify(office, audit.Stretch())
    found, _ = await access.accesses(office, access.Asked("subject", asked["citizen_id"]), "auditor")
    proof = await audit.prove(office, found[-1].fields["message"], ("official",), "auditor")

    assert (verdict.done, verdict.wrong, verdict.until.size > 0) == (True, None, True)
    texts = found[-1].fields
    assert (texts["operation"], texts["outcome"], texts["purpose"]) == ("citizens/citizenLookup", "delivered 200", "receive-dossier")
    assert "Nghị định" in texts["basis"]
    assert "citizens.name.family" in texts["released"].split()
    assert verifier.check_proof(proof)
    assert asked["citizen_id"] not in f"{found}{proof}"


async def test_a_stored_message_leaves_a_proof_of_each_attempt_with_its_answers_digest(hub: Running) -> None:
    receipt = await hub.settled(await hub.post(DOSSIERS, {**example("national_portal", "new_dossier"), "code": "H99.131-261126-0777"}))
    await hub.hub.seal_due()

    proof = await audit.prove(hub.hub.office, receipt["id"], (), "auditor")

    (leaf,) = proof["leaves"]
    fields = {name: field["value"] for name, field in leaf["fields"].items()}
    assert (fields["attempt"], fields["outcome"]) == ("1", "delivered 200")
    assert all(len(part.partition("=")[2]) == 64 for part in fields["digests"].split())
    assert "requestOut=" in fields["times"]


async def test_every_act_is_a_leaf(hub: Running) -> None:
    await hub.hub.seal_due()
    office = hub.hub.office

    found = await audit.report(office, 0.0, office.now() + 1)

    assert {"grant", "add_consumer"} <= {each["verb"] for each in found["acts"]}
