"""Manifests of systems that are not called: what they need, what they must not say, and what their operations become."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lgsp.contract.adapter.check import check_adapter, compile_adapter
from lgsp.errors import ContractError
from lgsp.model.agreed import Pattern

BUNDLE = Path(__file__).parents[1] / "e2e" / "bundle"


@pytest.fixture
def changed(tmp_path):
    """A copy of the land office's manifest with one text for another."""

    def copied(old, new):
        folder = tmp_path / "land_office"
        shutil.copytree(BUNDLE / "adapters" / "land_office", folder)
        text = (folder / "adapter.yaml").read_text("utf-8")
        assert old in text
        (folder / "adapter.yaml").write_text(text.replace(old, new, 1), "utf-8")
        return folder

    return copied


def test_a_mailbox_compiles_without_address_mapping_and_native_contract():
    provider, (service,) = compile_adapter(BUNDLE / "adapters" / "land_office", BUNDLE / "contracts")
    operation = service.operations[0]

    assert (provider.kind, provider.address, provider.system) == ("mailbox", "", "VN/GOV/H99/land-office")
    assert (operation.pattern, operation.order_key) == (Pattern.MAILBOX, ("dossier",))
    assert (len(operation.check_reply({"result": 1})), operation.check_reply(None)) == (1, ())
    assert check_adapter(BUNDLE / "adapters" / "land_office", BUNDLE / "contracts") == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("{exchange: mailbox,", "{exchange: mailbox, mapping: task,", "/services/0/operations/sendUrgentTask"),
        ("{exchange: mailbox,", "{exchange: publish,", "/services/0/operations/sendUrgentTask/exchange"),
        ("{exchange: mailbox,", "{exchange: one_way, mapping: task,", "/services/0/operations/sendUrgentTask/exchange"),
        ("{kind: mailbox}", "{kind: mailbox, address: $env.land.url}", "/binding"),
        ("{kind: mailbox}", "{kind: subscribers}", "/services/0/operations/sendTask/exchange"),
        ("order_by: dossier", "order_by: nothing", "/services/0/operations/sendTask/order_by"),
    ],
)
def test_what_does_not_go_with_a_mailbox_is_told_at_its_place(changed, old, new, place):
    folder = changed(old, new)

    found = check_adapter(folder, BUNDLE / "contracts")

    assert any(finding.pointer.startswith(place) for finding in found), found


def test_a_provider_that_is_called_still_needs_its_address(changed):
    with pytest.raises(ContractError):
        compile_adapter(changed("{kind: mailbox}", "{kind: rest, contract: land_office/v1/openapi.yaml}"), BUNDLE / "contracts")
