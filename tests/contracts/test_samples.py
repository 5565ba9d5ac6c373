"""A contract from samples: what all show is required, what differs is joined, and nothing is claimed that they do not say."""

from __future__ import annotations

import json

import pytest
import yaml

from lgsp.contract.adapter.check import check_adapter, compile_adapter
from lgsp.contract.adding.add import add_samples
from lgsp.contract.adding.samples import contract_of_samples, joined
from lgsp.contract.bridge.draft import Wish
from lgsp.errors import ContractError

PEOPLE = [
    {"ho_ten": "Nguyễn Văn Thử", "ngay_sinh": "1990-05-17", "trang_thai": "con_song", "con": [{"tuoi": 4}], "luong": 1},
    {"ho_ten": "Trần Thị Thử", "ngay_sinh": "1991-01-02", "trang_thai": "da_mat", "con": [], "luong": 2.5, "ghi_chu": None},
]


@pytest.fixture
def samples(tmp_path):
    folder = tmp_path / "tra-cuu-dan-cu"
    folder.mkdir()
    for place, person in enumerate(PEOPLE):
        (folder / f"traCuu.{place}.request.json").write_text(json.dumps({"so": f"00{place}"}), encoding="utf-8")
        (folder / f"traCuu.{place}.reply.json").write_text(json.dumps(person), encoding="utf-8")
    return folder


def test_what_all_samples_have_is_required_and_their_types_are_joined():
    schema = joined(PEOPLE)

    assert schema["required"] == ["ho_ten", "ngay_sinh", "trang_thai", "con", "luong"]
    assert schema["properties"]["luong"] == {"type": "number"}
    assert schema["properties"]["ghi_chu"] == {"type": "null"}
    assert schema["properties"]["con"]["items"] == {"type": "object", "required": ["tuoi"], "properties": {"tuoi": {"type": "integer"}}}
    assert joined(["a", 1, None])["type"] == ["string", "integer", "null"]


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["1990-05-17", "2000-02-29"], {"format": "date"}),
        (["1990-05-17", "2001-02-29"], {}),
        (["2026-03-02T08:00:00+07:00"], {"format": "date-time"}),
        (["17/05/1990"], {}),
        (["a", "b", "a", "b", "a", "b"], {"enum": ["a", "b"]}),
        (["a", "b", "a", "b", "a", "c"], {}),
        (["a", "b", "a"], {}),
    ],
)
def test_a_date_or_a_code_list_is_claimed_only_where_every_sample_says_so(values, form):
    assert joined(values) == {"type": "string", **form}


def test_names_of_people_are_no_code_list_however_often_they_come():
    assert joined([{"ho_ten": name} for name in ("An", "Bình") * 4])["properties"]["ho_ten"] == {"type": "string"}


def test_samples_become_an_adapter_that_passes_check_and_keeps_none_of_their_values(samples, tmp_path):
    done = add_samples(samples, Wish(data_class="", whole=False), (tmp_path / "adapters", tmp_path / "contracts"))

    assert check_adapter(tmp_path / "adapters" / "tra_cuu_dan_cu", tmp_path / "contracts") == []
    _, (service,) = compile_adapter(tmp_path / "adapters" / "tra_cuu_dan_cu", tmp_path / "contracts")
    (operation,) = service.operations
    assert (operation.name, operation.data_class, done.operations) == ("traCuu", "personal", 1)
    assert [violation.code for violation in operation.check_request({})] == ["required"]
    written = "".join(path.read_text("utf-8") for folder in done.folders for path in folder.rglob("*.*"))
    assert not any(person["ho_ten"] in written for person in PEOPLE)


def test_what_cannot_be_used_is_told_by_file(samples):
    (samples / "traCuu.3.request.json").write_text('{"a": 1, "a": 2}', encoding="utf-8")
    (samples / "mau.txt").write_text("x", encoding="utf-8")
    (samples / "gui.request.json").write_text("{}", encoding="utf-8")

    with pytest.raises(ContractError) as caught:
        contract_of_samples(samples)

    assert {(finding.file, finding.rule) for finding in caught.value.findings} == {
        ("traCuu.3.request.json", "json"),
        ("mau.txt", "sample"),
        ("gui.reply.json", "sample"),
    }


def test_the_draft_is_a_contract_like_any_other(samples):
    document = yaml.safe_load(yaml.safe_dump(contract_of_samples(samples)))

    assert list(document["paths"]) == ["/traCuu"]
