"""Manifests: a sound folder compiles to what the engine knows, and every fault of one is told with its line."""

from __future__ import annotations

import hashlib
import shutil
from base64 import b64encode
from pathlib import Path

import pytest

from lgsp.contract.adapter.check import check_adapter, compile_adapter
from lgsp.contract.adapter.hooks import load_hooks
from lgsp.errors import ContractError
from lgsp.model.agreed import DataClass, Pattern

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    """A copy of a real adapter in which a test may write; contracts stay where they are."""

    def copied(name, **changes):
        target = tmp_path / name
        shutil.copytree(ROOT / "adapters" / name, target, dirs_exist_ok=True)
        for file, (old, new) in changes.items():
            path = target / f"{file}.yaml"
            text = path.read_text("utf-8")
            assert old in text
            path.write_text(text.replace(old, new, 1), "utf-8")
        return target

    return copied


def findings_of(folder):
    with pytest.raises(ContractError) as caught:
        compile_adapter(folder, ROOT / "contracts")
    return caught.value.findings


def line_of(folder, file, text):
    lines = (folder / file).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_soap_adapter_compiles_to_what_the_engine_knows():
    provider, (service,) = compile_adapter(ROOT / "adapters" / "population", ROOT / "contracts")
    (operation,) = service.operations

    assert (provider.code, provider.system, provider.kind, provider.national) == ("population", "VN/GOV/G01/population", "soap", True)
    assert (service.code, service.major, operation.name) == ("citizens", 1, "citizenLookup")
    assert (operation.pattern, operation.data_class) == (Pattern.REQUEST_REPLY, DataClass.PERSONAL)
    assert [(call.name, call.safe) for call in operation.calls] == [("TraCuuThongTinCongDan", True)]
    assert (operation.quota.q, operation.quota.w) == (600, 60)


def test_the_headers_of_a_provider_are_computed():
    provider, _ = compile_adapter(ROOT / "adapters" / "population", ROOT / "contracts")
    scope = {"user": "u", "secret": "s", "api_key": "k", "url": "http://p", "now_ms": 1_700_000_000_000}

    headers = {name: value(scope) for name, value in provider.auth.headers}

    assert headers["Timestamp"] == 1_700_000_000_000
    assert headers["ApiKey"] == "k"
    digest = hashlib.sha256(b"http://pu1700000000000s").hexdigest()
    assert headers["Authorization"] == "Basic " + b64encode(f"u:{digest}".encode()).decode()


def test_declared_calls_compile_to_steps_in_order():
    provider, (service,) = compile_adapter(ROOT / "adapters" / "national_portal", ROOT / "contracts")
    query, sync = next(operation for operation in service.operations if operation.name == "syncDossier").calls

    assert (query.name, query.safe, query.binds) == ("TraCuuHoSo", True, "known")
    assert (sync.name, sync.safe, sync.key, sync.message_path) == ("DongBoHoSoMC", False, "data.0.MaHoSo", ("message",))
    assert (sync.reconcile.call.name, sync.reconcile.confirmations) == ("TraCuuHoSo", 2)
    assert sync.wire.path == "/mapi/g"
    assert [(path, value({})) for path, value in sync.again_with] == [(("isUpdating",), "True")]
    assert provider.auth.session.call.to_native({"uses": {"username": "u", "password": "p"}}) == {"username": "u", "password": "p"}


@pytest.mark.parametrize(
    ("reply", "ok", "duplicate"),
    [
        ({"error_code": 0, "message": "Đồng bộ hồ sơ thành công"}, True, False),
        ({"error_code": "00"}, True, False),
        ({"error_code": 0, "message": "Hồ sơ đã tồn tại"}, False, True),
        ({"error_code": "-3", "message": "HỒ SƠ ĐÃ TỒN TẠI"}, False, True),
        ({"error_code": 3, "message": "đã tồn tại"}, False, True),
        ({"error_code": -6, "message": "Trạng thái không hợp lệ"}, False, False),
        ({}, False, False),
    ],
)
def test_an_answer_of_the_portal_is_judged(reply, ok, duplicate):
    _, (service,) = compile_adapter(ROOT / "adapters" / "national_portal", ROOT / "contracts")
    sync = next(operation for operation in service.operations if operation.name == "syncDossier").calls[1]

    assert bool(sync.ok_when(reply)) is ok
    assert bool(sync.duplicate_when(reply)) is duplicate


def test_both_adapters_are_proven_and_their_examples_hold():
    findings = [
        finding for name in ("population", "national_portal") for finding in check_adapter(ROOT / "adapters" / name, ROOT / "contracts")
    ]

    assert findings == []


def test_comments_and_layout_do_not_change_a_digest(folder):
    plain = compile_adapter(folder("population"), ROOT / "contracts")[1][0].digest
    commented = compile_adapter(
        folder("population", adapter=("tier: national", "tier:   national   # as the law has it")), ROOT / "contracts"
    )
    changed = compile_adapter(folder("population", adapter=("timeout_s: 20", "timeout_s: 21")), ROOT / "contracts")

    assert commented[1][0].digest == plain
    assert changed[1][0].digest != plain


PORTAL, POPULATION = "national_portal", "population"
MANIFEST_FAULTS = [
    (PORTAL, ("key: data.0.MaHoSo", "key: madonvi"), "batch:", "batch", "apart"),
    (POPULATION, ("kind: soap", "kind: sopa"), "kind: sopa", "shape", "rest, soap"),
    (POPULATION, ("timeout_s: 20", "timeout_s: 900"), "timeout_s: 900", "shape", "300"),
    (POPULATION, ("  port: TraCuuCongDan\n", ""), "binding:", "shape", "'port' is missing"),
    (POPULATION, ("address: $env.population.url", "address: http://10.0.0.1"), "address:", "shape", "must match"),
    (POPULATION, ("tier: national", "tier: national\nteir: x"), "teir:", "shape", "'teir'"),
    (POPULATION, ("data_class: personal", "data_class: secret"), "data_class:", "shape", "personal"),
    (POPULATION, ("secret: $env.population.secret", "secret: hunter2"), "secret:", "uses", "no reference"),
    (POPULATION, ("url, user, now_ms", "url, usr, now_ms"), "Authorization:", "expression", "'usr' is not declared"),
    (POPULATION, ("basic(user", "basic(user,"), "Authorization:", "expression", "is not expected here"),
    (POPULATION, ("native: TraCuuThongTinCongDan", "native: TraCuu"), "native:", "native", "no operation 'TraCuu'"),
    (POPULATION, ("        native: TraCuuThongTinCongDan\n", ""), "citizenLookup:", "calls", "neither"),
    (POPULATION, ("citizenLookup:", "citizenLockup:"), "citizenLockup:", "operation", "no operation 'citizenLockup'"),
    (POPULATION, ("mapping: citizen_lookup", "mapping: citizen"), "mapping:", "mapping", "no 'citizen' with a request"),
    (POPULATION, ("version: 1.0.0", "version: 1.1.0"), "version:", "version", "1.0.0 in"),
    (PORTAL, ("updateProgress:\n    - call", "updatProgress:\n    - call"), "updatProgress:", "calls", "no service offers"),
    (PORTAL, ("reconcile: {call: TraCuuHoSo", "reconcile: {call: DongBoHoSoMC"), "reconcile:", "calls", "no safe call"),
    (
        PORTAL,
        ("      duplicate_when: error_code", "      absent_when: error_code"),
        "on_duplicate:",
        "calls",
        "when an answer is a duplicate",
    ),
    (PORTAL, ("mapping: dossier_query", "mapping: dossier_qery"), "mapping: dossier_qery", "mapping", "no 'dossier_qery'"),
    (PORTAL, ("single_flight: true", "single_flight: false"), "single_flight:", "shape", "must be True"),
    (PORTAL, ("reads: session", "reads: $session"), "reads:", "shape", "must match"),
    (PORTAL, ("username: username", "username: user"), "with: {username", "expression", "'user' is not declared"),
]


@pytest.mark.parametrize(
    ("name", "change", "place", "told"),
    [(*row[:3], row[3:]) for row in MANIFEST_FAULTS],
    ids=[f"{row[3]}: {row[4]}" for row in MANIFEST_FAULTS],
)
def test_a_fault_of_a_manifest_is_told_with_its_line(folder, name, change, place, told):
    target = folder(name, adapter=change)

    findings = findings_of(target)

    rule, reason = told
    lines = {finding.line for finding in findings if finding.rule == rule and reason in finding.reason}
    assert lines == {line_of(target, "adapter.yaml", place)}, findings


def test_faults_of_all_files_of_a_folder_are_told_together(folder):
    change = ("native: TraCuuThongTinCongDan", "native: TraCuu")
    target = folder("population", adapter=change, mapping=("citizen_id: SoDinhDanh\n", "citizen_id: $env.x\n"))

    found = findings_of(target)

    assert {(finding.file, finding.rule) for finding in found} == {
        ("population/adapter.yaml", "native"),
        ("population/mapping.yaml", "path"),
    }


def test_a_missing_file_is_a_finding_and_no_crash(folder):
    target = folder("population")
    (target / "mapping.yaml").unlink()

    assert [(finding.file, finding.rule) for finding in findings_of(target)] == [("population/mapping.yaml", "file")]


@pytest.mark.parametrize(("said", "skips"), [("", False), ("\n        on_dead: hold", False), ("\n        on_dead: skip", True)])
def test_a_dead_message_holds_its_order_unless_the_manifest_says_skip(folder, said, skips):
    target = folder(PORTAL, adapter=("order_by: code", f"order_by: code{said}"))

    _, services = compile_adapter(target, ROOT / "contracts")

    chosen = {operation.name: operation.skips_dead for service in services for operation in service.operations}
    assert chosen["syncDossier"] is skips
    assert not chosen["updateProgress"]


@pytest.mark.parametrize("change", [("order_by: code", "order_by: code\n        on_dead: drop"), ("order_by: code", "on_dead: skip")])
def test_what_happens_on_dead_is_one_of_two_words_and_needs_an_order(folder, change):
    assert findings_of(folder(PORTAL, adapter=change))


@pytest.mark.parametrize(
    ("name", "file", "change", "rule"),
    [
        (PORTAL, "adapter", ("order_by: code", "order_by: codes"), "path"),
        (PORTAL, "adapter", ("order_by: code", "order_by: subject"), "path"),
        (PORTAL, "adapter", ("key: data.0.MaHoSo", "key: data.0.MaHS"), "path"),
        (PORTAL, "adapter", ("reads: session", "reads: token"), "path"),
        (PORTAL, "adapter", ("with: {isUpdating: 'either", "with: {isUpdatin: 'either"), "target-missing"),
        (PORTAL, "adapter", ("data_class: personal", "data_class: internal"), ""),
        (POPULATION, "adapter", ("data_class: personal", "data_class: internal"), "purpose"),
        (POPULATION, "mapping", ("    MaDVC: $purpose.public_service\n", ""), "target-missing"),
        (POPULATION, "mapping", ("household_book: SoSoHoKhau", "household_book: SoHoKhau"), "source-unknown"),
        (POPULATION, "mapping", ("{ours: male, theirs: '1'}", "{ours: man, theirs: '1'}"), "value"),
        (POPULATION, "mapping", ("MaTichHop: {const: '037'}", "MaTichHop: {const: '038'}"), "example"),
        (PORTAL, "mapping", ("{ours: refused, theirs: '3'}", "{ours: refused, theirs: '11'}"), "value"),
    ],
)
def test_a_check_finds_what_compiling_does_not(folder, name, file, change, rule):
    target = folder(name, **{file: change})

    findings = check_adapter(target, ROOT / "contracts")

    assert {finding.rule for finding in findings} >= ({rule} if rule else set()), findings
    assert bool(findings) is bool(rule)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os\n", "imports os"),
        ("from pathlib import Path\n", "imports pathlib"),
        ("def f(x):\n    return open(x)\n", "uses open"),
        ("def f(x):\n    return eval(x)\n", "uses eval"),
        ("import datetime\ndef f(x):\n    return datetime.datetime.now()\n", "uses now"),
        ("def f(x):\n    return x.__class__\n", "uses __class__"),
        ("async def f(x):\n    return x\n", "keeps state or waits"),
        ("def f(:\n", "is not Python"),
        ("x = 1\n" * 151, "more than 150 lines"),
    ],
)
def test_a_hook_that_is_not_pure_is_refused(tmp_path, code, reason):
    (tmp_path / "hooks.py").write_text(code, "utf-8")

    with pytest.raises(ContractError) as caught:
        load_hooks(tmp_path)

    assert reason in caught.value.findings[0].reason


def test_the_public_functions_of_hooks_are_found(tmp_path):
    (tmp_path / "hooks.py").write_text(
        "import re\n\ndef twice(text):\n    return _again(text)\n\ndef _again(text):\n    return text * 2\n", "utf-8"
    )

    hooks = load_hooks(tmp_path)

    assert list(hooks) == ["twice"]
    assert hooks["twice"]("a") == "aa"


def test_a_legal_deadline_and_a_business_key_are_compiled(folder):
    terms = ("order_by: code\n", "order_by: code\n        deduplicate: business_key\n        deadline: {working_days: 3}\n")

    _, (service,) = compile_adapter(folder("national_portal", adapter=terms), ROOT / "contracts")

    operations = {operation.name: operation for operation in service.operations}
    assert operations["syncDossier"].deduplicates
    assert operations["syncDossier"].legal_deadline(1_795_400_000.0) > 1_795_400_000.0 + 2 * 86_400
    assert operations["updateProgress"].legal_deadline is None


def test_deduplicating_by_nothing_is_told(folder):
    found = findings_of(folder("national_portal", adapter=("business_key: dossier\n        dedup", "dedup")))

    assert [finding.pointer.rpartition("/")[2] for finding in found] == ["deduplicate"]
