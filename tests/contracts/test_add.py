"""`lgsp add`: from what a provider hands over to an adapter that `check` passes; whole or not at all."""

from __future__ import annotations

import json
import shutil
import stat
import zipfile
from pathlib import Path

import pytest
import yaml
from lxml import etree
from typer.testing import CliRunner

from lgsp.cli import app
from lgsp.contract.adapter.check import check_adapter, compile_adapter
from lgsp.contract.adding.add import add
from lgsp.contract.bridge.draft import Wish
from lgsp.errors import ContractError
from lgsp.model.agreed import Pattern

ROOT = Path(__file__).parents[2]
DERIVED = Wish(data_class="", whole=False)
LAND = """
openapi: 3.0.3
info: {title: Tra cứu thửa đất, version: '2.1'}
security: [{khoa: []}]
paths:
  /thua-dat/{ma}:
    get:
      parameters:
        - {name: ma, in: path, required: true, schema: {type: string}}
        - {name: X-Don-Vi, in: header, required: true, schema: {type: string}}
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/ThuaDat'}}}}}
    put:
      operationId: sua-thua-dat
      parameters: [{name: ma, in: path, required: true, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/ThuaDat'}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/ThuaDat'}}}}}
  /bien-dong:
    post:
      operationId: baoBienDong
      security: [{cau_hoi: []}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/BienDong'}}}}
      responses: {'202': {description: đã nhận}}
  /ban-ve:
    post:
      operationId: guiBanVe
      requestBody: {content: {application/x-www-form-urlencoded: {schema: {type: object}}}}
      responses: {'200': {description: ok}}
components:
  securitySchemes:
    khoa: {type: apiKey, in: header, name: api_key}
    cau_hoi: {type: apiKey, in: query, name: token}
  schemas:
    ThuaDat:
      type: object
      required: [so_to, chu_su_dung]
      properties:
        so_to: {type: integer, minimum: 1}
        chu_su_dung: {type: array, items: {$ref: '#/components/schemas/Chu'}}
    Chu:
      type: object
      properties:
        HoTen: {type: string}
        soDinhDanh: {type: string}
        ty_le: {type: number}
        ghi_chu: {type: string, x-lgsp-pii: note}
    BienDong: {type: object, required: [loai], properties: {loai: {enum: [tach, nhap]}}}
"""


@pytest.fixture
def land(tmp_path):
    path = tmp_path / "from" / "dat.yaml"
    path.parent.mkdir()
    path.write_text(LAND, encoding="utf-8")
    return path


def added(path, to, wish=DERIVED, **options):
    return add(path, wish, (to / "adapters", to / "contracts"), **options)


def written(to):
    return sorted(path.relative_to(to).as_posix() for path in to.rglob("*") if path.is_file() and "from" not in path.parts)


def service_of(to, name):
    assert check_adapter(to / "adapters" / name, to / "contracts") == []
    provider, (service,) = compile_adapter(to / "adapters" / name, to / "contracts")
    return provider, service


def test_everything_is_derived_and_the_result_passes_check(land, tmp_path):
    done = added(land, tmp_path)
    provider, service = service_of(tmp_path, "tra_cuu_thua_dat")
    look, change, report = service.operations

    assert (done.draft.code, service.version, service.operations[0].data_class) == ("tra-cuu-thua-dat", "1.0.0", "personal")
    assert [operation.name for operation in service.operations] == ["getThuaDatByMa", "sua_thua_dat", "baoBienDong"]
    assert [operation.calls[0].safe for operation in (look, change, report)] == [True, True, False]
    assert [operation.pattern for operation in (look, report)] == [Pattern.REQUEST_REPLY, Pattern.ONE_WAY]
    assert {name for name, _ in provider.auth.headers} == {"api_key", "X-Don-Vi"}
    assert set(provider.auth.uses) == {"khoa", "cau_hoi", "x_don_vi"}


def test_personal_fields_are_marked_by_name_in_both_languages_and_by_the_author(land, tmp_path):
    done = added(land, tmp_path)
    contract = yaml.safe_load((tmp_path / "contracts/openapi/tra_cuu_thua_dat/v1/openapi.yaml").read_text("utf-8"))
    person = contract["components"]["schemas"]["Chu"]["properties"]

    assert {name: field.get("x-lgsp-pii") for name, field in person.items()} == {
        "HoTen": "name",
        "soDinhDanh": "identifier",
        "ty_le": None,
        "ghi_chu": "note",
    }
    assert len(done.draft.marks.fields) == 3


def test_an_operation_that_cannot_be_offered_is_left_out_with_its_place_and_the_others_stay(land, tmp_path):
    done = added(land, tmp_path)

    assert [(note.rule, note.line > 0, "/ban-ve" in note.pointer.replace("~1", "/")) for note in done.draft.notes] == [
        ("media-type", True, True)
    ]
    assert "x-www-form-urlencoded" in (tmp_path / "adapters/tra_cuu_thua_dat/README.md").read_text("utf-8")


def test_each_operation_has_a_golden_example_with_its_address(land, tmp_path):
    done = added(land, tmp_path)
    examples = tmp_path / "adapters/tra_cuu_thua_dat/examples"
    asked = json.loads((examples / "getThuaDatByMa.native.json").read_text("utf-8"))
    reported = json.loads((examples / "baoBienDong.native.json").read_text("utf-8"))

    assert (done.examples.missing, len(done.examples.written)) == ({}, 3)
    assert asked[0]["path"].startswith("/thua-dat/")
    assert "body" not in asked[0]
    assert reported[0]["path"].startswith("/bien-dong")
    assert reported[0]["body"]["loai"] in {"tach", "nhap"}


def test_an_example_that_no_longer_holds_is_a_finding(land, tmp_path):
    added(land, tmp_path)
    path = tmp_path / "adapters/tra_cuu_thua_dat/examples/getThuaDatByMa.native.json"
    path.write_text(path.read_text("utf-8").replace("/thua-dat/", "/thua/"), encoding="utf-8")

    (finding,) = check_adapter(tmp_path / "adapters/tra_cuu_thua_dat", tmp_path / "contracts")

    assert (finding.rule, "another address" in finding.reason) == ("example", True)


def test_the_same_file_gives_the_same_folder(land, tmp_path):
    added(land, tmp_path / "one")
    added(land, tmp_path / "two")

    names = written(tmp_path / "one")
    assert names == written(tmp_path / "two")
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)


def test_nothing_is_overwritten_without_force(land, tmp_path):
    added(land, tmp_path)
    readme = tmp_path / "adapters/tra_cuu_thua_dat/README.md"
    readme.write_text("mine", encoding="utf-8")

    with pytest.raises(FileExistsError):
        added(land, tmp_path)

    assert readme.read_text("utf-8") == "mine"
    added(land, tmp_path, force=True)
    assert readme.read_text("utf-8") != "mine"


def test_what_is_faulty_leaves_nothing_behind(land, tmp_path):
    land.write_text(LAND.replace("minimum: 1", "minimum: viele"), encoding="utf-8")

    with pytest.raises(ContractError) as caught:
        added(land, tmp_path)

    assert caught.value.findings[0].line > 0
    assert written(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["from"]


def test_a_move_that_fails_puts_back_what_was_there(land, tmp_path):
    added(land, tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in written(tmp_path)}
    shutil.rmtree(tmp_path / "contracts" / "wsdl", ignore_errors=True)
    (tmp_path / "contracts" / "wsdl").write_text("in the way", encoding="utf-8")
    wsdl = ROOT / "contracts" / "wsdl" / "population" / "v1" / "population.wsdl"

    with pytest.raises(OSError, match="wsdl"):
        added(wsdl, tmp_path, Wish("tra_cuu_thua_dat", data_class="", whole=False), force=True)

    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def zipped(folder, **files):
    path = folder / "from" / "a.zip"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def test_a_zip_of_openapi_files_is_read_from_the_one_that_is_nobodys_part(tmp_path):
    whole = LAND.replace("{$ref: '#/components/schemas/BienDong'}", "{$ref: '../chung/bien-dong.yaml'}")
    path = zipped(tmp_path, **{"goc__dat.yaml": whole, "chung__bien-dong.yaml": "type: object\nproperties: {loai: {type: string}}\n"})

    added(path, tmp_path)

    _, service = service_of(tmp_path, "tra_cuu_thua_dat")
    assert len(service.operations) == 3


def test_a_wsdl_with_its_schemas_is_added_from_a_file_a_folder_and_a_zip(tmp_path):
    folder = ROOT / "contracts" / "wsdl" / "population" / "v1"
    packed = zipped(tmp_path, **{f"v1__{path.name}": path.read_bytes() for path in folder.iterdir()})
    names = [added(path, tmp_path / str(place)).draft.name for place, path in enumerate((folder / "population.wsdl", folder, packed))]

    services = [service_of(tmp_path / str(place), name)[1] for place, name in enumerate(names)]

    assert len(set(names)) == 1
    assert {tuple(operation.name for operation in service.operations) for service in services} == {
        ("TraCuuThongTinCongDan", "XacThucThongTinCongDan")
    }
    assert {service.operations[0].data_class for service in services} == {"personal"}


def test_a_zip_that_leads_out_or_links_is_refused_whole(tmp_path):
    link = zipfile.ZipInfo("dat.yaml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for name, content in (
        ("../dat.yaml", LAND),
        ("/dat.yaml", LAND),
        ("C:/dat.yaml", LAND),
        ("a\\..\\..\\dat.yaml", LAND),
        (link, "/etc/passwd"),
    ):
        path = zipped(tmp_path, **{"x.yaml": LAND})
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, content)

        with pytest.raises(ContractError) as caught:
            added(path, tmp_path)

        assert {finding.rule for finding in caught.value.findings} == {"path-escape"}
    assert written(tmp_path) == []


def test_a_secret_in_any_file_is_a_finding_with_its_line_and_is_not_repeated(land, tmp_path):
    added(land, tmp_path)
    folder = tmp_path / "adapters/tra_cuu_thua_dat"
    shown = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0aHUtbmdoaWVtIn0.c2lnbmF0dXJlLWtob25nLXRoYXQ"
    (folder / "README.md").write_text(f"# x\n\ntoken: {shown}\nsee https://user:mat-khau@may.example/\n", encoding="utf-8")

    found = check_adapter(folder, tmp_path / "contracts")

    assert [(finding.file, finding.line, finding.rule) for finding in found] == [
        ("tra_cuu_thua_dat/README.md", 3, "secret"),
        ("tra_cuu_thua_dat/README.md", 4, "secret"),
    ]
    assert not any(word in str(finding) for finding in found for word in (shown, "mat-khau"))


def test_findings_are_written_as_ci_reads_them(land, tmp_path):
    added(land, tmp_path)
    manifest = tmp_path / "adapters/tra_cuu_thua_dat/adapter.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("native: sua-thua-dat", "native: khong-co"), encoding="utf-8")
    places = ("--adapters", str(tmp_path / "adapters"), "--contracts", str(tmp_path / "contracts"))

    done = CliRunner().invoke(app, ["check", *places, "--junit", str(tmp_path / "check.xml")])

    suite = etree.parse(tmp_path / "check.xml").getroot()[0]
    cases = [(case.get("file"), int(case.get("line")) > 0, case[0].get("type")) for case in suite]
    assert (done.exit_code, suite.get("failures")) == (1, str(len(cases)))
    assert cases == [("tra_cuu_thua_dat/adapter.yaml", True, "native")]
