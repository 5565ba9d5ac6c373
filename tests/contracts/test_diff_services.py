"""What publishing compares: services as they are live and as they would be, in REST and in SOAP."""

from __future__ import annotations

import shutil
from pathlib import Path

from lgsp.contract.adapter.check import compile_adapter
from lgsp.contract.diff.services import service_changes
from lgsp.policy.compatibility import Severity

BUNDLE = Path(__file__).parents[1] / "security" / "bundle"


def services(place, *changes):
    """Those of the archive, with texts replaced in its WSDL; `archive` speaks only SOAP."""
    shutil.copytree(BUNDLE, place)
    file = place / "contracts" / "wsdl" / "archive" / "v1" / "archive.wsdl"
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    _, found = compile_adapter(place / "adapters" / "archive", place / "contracts")
    return [service for service in found if service.code == "archive"]


def test_what_breaks_only_soap_consumers_is_told_as_breaking_with_its_place(tmp_path):
    before = services(tmp_path / "a")
    after = services(
        tmp_path / "b", ('<xs:element name="text" type="xs:string" minOccurs="0"/>', '<xs:element name="text" type="xs:string"/>')
    )

    worst = service_changes(before, after)[0]

    assert (worst.severity, worst.operation) == (Severity.BREAKING, "archive/1 store")
    assert "text" in worst.pointer


def test_words_of_a_wsdl_that_change_nothing_break_nobody(tmp_path):
    before = services(tmp_path / "a")
    after = services(tmp_path / "b", ("What the archive is asked", "What the archives are asked"))

    assert all(change.severity is not Severity.BREAKING for change in service_changes(before, after))
