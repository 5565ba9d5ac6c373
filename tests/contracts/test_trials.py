"""`lgsp check` with made-up calls: valid ones go to the stand-in and back, invalid ones are refused where they are wrong."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.test_add import LAND, added
from lgsp.cli import app
from lgsp.cli.trials import Trial, tried
from lgsp.contract.adapter.folder import read_adapter
from lgsp.contract.bridge.draft import Wish
from lgsp.errors import SettingsError

ROOT = Path(__file__).parents[2]


def shown(folder, contracts, trial=None):
    return asyncio.run(tried(read_adapter(folder, contracts), folder, contracts, trial or Trial(2)))


def rules(findings):
    return [(finding.file, finding.rule) for finding in findings]


@pytest.fixture
def land(tmp_path):
    path = tmp_path / "dat.yaml"
    path.write_text(LAND, encoding="utf-8")
    added(path, tmp_path, Wish(name="dat", data_class="", whole=False))
    return tmp_path


def put(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize("name", ["population", "national_portal"])
def test_made_up_calls_of_the_adapters_of_this_checkout_show_nothing(name):
    found = shown(ROOT / "adapters" / name, ROOT / "contracts")

    assert (found.findings, found.notes) == ([], [])


def test_what_was_added_answers_every_made_up_call(land):
    found = shown(land / "adapters" / "dat", land / "contracts")

    assert (found.findings, found.notes) == ([], [])


def test_a_mapping_that_breaks_a_valid_request_is_a_finding_at_its_place(tmp_path):
    folder = tmp_path / "population"
    shutil.copytree(ROOT / "adapters" / "population", folder, ignore=shutil.ignore_patterns("twin.py"))
    put(folder / "mapping.yaml", "MaTichHop: {const: '037'}", "MaTichHop: {const: '0370000000000000000000000'}")

    found = shown(folder, ROOT / "contracts").findings

    assert rules(found) == [("population/mapping.yaml", "valid-call")]
    assert (found[0].line > 0, found[0].pointer, bool(found[0].fix)) == (True, "/citizen_lookup/request", True)
    assert "MaTichHop" in found[0].reason


def test_a_credential_that_the_provider_wants_and_the_adapter_does_not_show_is_a_finding(land):
    manifest = land / "adapters" / "dat" / "adapter.yaml"
    put(manifest, "api_key: ", "X-Other: ")

    found = shown(land / "adapters" / "dat", land / "contracts").findings

    assert {rule for _, rule in rules(found)} == {"valid-call"}
    assert all("provider-denied" in finding.reason for finding in found)


def test_what_is_called_live_must_be_bound(land):
    with pytest.raises(SettingsError, match="LGSP_BIND_DAT_URL"):
        shown(land / "adapters" / "dat", land / "contracts", Trial(1, {}))


def test_the_command_tries_only_what_stands_right_and_may_be_told_not_to(land):
    places = ["check", "dat", "--adapters", str(land / "adapters"), "--contracts", str(land / "contracts")]
    put(land / "adapters" / "dat" / "adapter.yaml", "api_key: ", "X-Other: ")

    tried_too = CliRunner().invoke(app, places)
    not_tried = CliRunner().invoke(app, [*places, "--calls", "0"])
    unbound = CliRunner().invoke(app, [*places, "--live"])

    assert (tried_too.exit_code, not_tried.exit_code, unbound.exit_code) == (1, 0, 2)
    assert "[valid-call]" in tried_too.stdout
    assert "LGSP_BIND_DAT_URL" in unbound.output
