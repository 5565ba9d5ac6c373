"""`lgsp check --live`: made-up calls over the wire to where the hub is bound."""

from __future__ import annotations

from contracts.test_add import LAND, added
from lgsp.cli.trials import Trial, tried
from lgsp.contract.adapter.folder import read_adapter
from lgsp.contract.bridge.draft import Wish
from lgsp.contract.openapi.read import read_openapi
from lgsp.twin.rest import RestTwin
from lgsp.twin.serve import serving

OPEN = LAND.replace("security: [{khoa: []}]\n", "").replace("      security: [{cau_hoi: []}]\n", "")
CONTRACT = OPEN[: OPEN.index("  /ban-ve:")] + OPEN[OPEN.index("components:") :]


async def shown(tmp_path, *, answers: str = CONTRACT, unsafe_too: bool = False, address: str = ""):
    """Findings against a provider that keeps the contract `answers`, and which operations it was asked for."""
    (tmp_path / "dat.yaml").write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "theirs.yaml").write_text(answers, encoding="utf-8")
    added(tmp_path / "dat.yaml", tmp_path, Wish(name="dat", data_class="", whole=False))
    adapter = read_adapter(tmp_path / "adapters" / "dat", tmp_path / "contracts")
    twin = RestTwin(read_openapi(tmp_path / "theirs.yaml"))
    async with serving(twin) as here:
        bound = dict.fromkeys((each.removeprefix("$env.").replace(".", "_").upper() for each in adapter.provider.auth.uses.values()), "x")
        trial = Trial(1, {**bound, "DAT_URL": address or here}, unsafe_too)
        found = await tried(adapter, tmp_path / "adapters" / "dat", tmp_path / "contracts", trial)
    return found.findings, {each["effect"] for each in twin.state.ledger}


async def test_only_look_ups_are_sent_to_a_real_provider(tmp_path):
    findings, asked = await shown(tmp_path)

    assert (findings, "sua-thua-dat" in asked, "baoBienDong" in asked, len(asked)) == ([], False, False, 1)


async def test_all_is_sent_where_that_is_said(tmp_path):
    findings, asked = await shown(tmp_path, unsafe_too=True)

    assert (findings, len(asked)) == ([], 3)


async def test_an_answer_that_breaks_the_contract_is_a_finding(tmp_path):
    findings, _ = await shown(tmp_path, answers=CONTRACT.replace("so_to: {type: integer, minimum: 1}", "so_to: {type: string}"))

    assert [finding.rule for finding in findings] == ["valid-call"]
    assert "/so_to" in findings[0].reason
    assert (findings[0].file, findings[0].line > 0) == ("dat/adapter.yaml", True)


async def test_a_provider_that_is_not_there_is_a_finding(tmp_path):
    findings, _ = await shown(tmp_path, address="http://127.0.0.1:9")

    assert ["provider-unreachable" in finding.reason for finding in findings] == [True]
