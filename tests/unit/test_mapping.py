"""Mappings: what a rule makes of a value, which faults a file has and where, and what the proofs find."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgsp.contract.source import read_source
from lgsp.errors import ContractError, MappingError
from lgsp.mapping.compile import compile_mapping
from lgsp.mapping.dates import Form, date_step, from_local, local_day, to_local
from lgsp.mapping.proof import Sent, prove_reply, prove_request
from lgsp.mapping.rules import Surroundings
from lgsp.mapping.texts import from_tcvn3, from_vni
from lgsp.mapping.trace import origin

NOON = datetime(2026, 3, 2, 5, tzinfo=UTC).timestamp()
AROUND = Surroundings(
    uses=("unit",),
    known={"earlier": lambda reply: reply is not None and bool(reply.get("result"))},
    hooks={"initials": lambda text: "".join(word[0] for word in text.split()), "both": lambda one, other: f"{one or ''}/{other or ''}"},
)


def scope(value, **more):
    empty = {"message": {"id": "m-1"}, "purpose": {"official": "CB-1"}, "param": {}, "uses": {"unit": "H99"}, "request": {}, "known": {}}
    return {"value": value, "now": NOON, **empty, **more}


@pytest.fixture
def compiled(tmp_path):
    def compile_text(text):
        path = tmp_path / "mapping.yaml"
        path.write_text(text, "utf-8")
        return compile_mapping(read_source(path, "mapping.yaml"), AROUND)

    return compile_text


@pytest.fixture
def request_of(compiled):
    """The compiled request of a mapping `m` whose rules are given, one a line."""

    def build(*rules, tables=""):
        lines = "".join(f"    {rule}\n" for rule in rules)
        return compiled(f"{tables}\nm:\n  request:\n{lines}").translations["m", "request"].run

    return build


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ("t: a", {"a": 1}, {"t": 1}),
        ("t.u.v: a.b", {"a": {"b": 1}}, {"t": {"u": {"v": 1}}}),
        ("t: a.1.b", {"a": [{}, {"b": 2}]}, {"t": 2}),
        ("t: $message.id", {}, {"t": "m-1"}),
        ("t: $purpose.official", {}, {"t": "CB-1"}),
        ("t: $uses.unit", {}, {"t": "H99"}),
        ("t: {const: x}", {}, {"t": "x"}),
        ("t: {const: null}", {}, {"t": None}),
        ("t: a", {}, {}),
        ("t.u: a.b", {"a": {}}, {}),
        ("t: a", {"a": None}, {}),
        ("t: {from: a, keep_null: true}", {"a": None}, {"t": None}),
        ("t: {from: a, keep_null: true}", {}, {}),
        ("t: {from: a, keep_null: true, do: [text]}", {"a": None}, {"t": None}),
        ("t: {from: a, default: 0}", {}, {"t": 0}),
        ("t: {from: a, when: b == 'x'}", {"a": 1, "b": "x"}, {"t": 1}),
        ("t: {from: a, when: b == 'x'}", {"a": 1}, {}),
        ("t: {first: [a, b]}", {"b": 2}, {"t": 2}),
        ("t: {first: [{from: a, when: b}, {const: c}]}", {"a": 1}, {"t": "c"}),
        ("t: {list: [a, b, {const: c}]}", {"a": 1}, {"t": [1, "c"]}),
        ("t: {list: [a, b]}", {}, {}),
        ("t: {each: a, map: {u: b}}", {"a": [{"b": 1}, {"b": 2}]}, {"t": [{"u": 1}, {"u": 2}]}),
        ("t: {each: a, map: {u: b}}", {"a": []}, {"t": []}),
        ("t: {each: a, map: {u: b}}", {}, {}),
        ("t: {each: a, map: {u: b}, default: []}", {}, {"t": []}),
        ("t: {each: a, map: {u: b}}", {"a": {"b": 1}}, {"t": [{"u": 1}]}),
        ("t: {from: a, map: {u: b}}", {"a": {"b": 1}}, {"t": {"u": 1}}),
        ("t: {from: a, map: {u: b}}", {"a": {}}, {}),
        ("t: {map: {u: b}}", {"b": 1}, {"t": {"u": 1}}),
        ("t: {each: a, map: {u: .}}", {"a": ["x", "y"]}, {"t": [{"u": "x"}, {"u": "y"}]}),
        ("t: {from: a, do: [trim]}", {"a": "  "}, {}),
        ("t: {from: a, do: [squeeze, upper]}", {"a": " nguyễn  văn\tan "}, {"t": "NGUYỄN VĂN AN"}),
        ("t: {from: a, do: [lower]}", {"a": "ĐÀ"}, {"t": "đà"}),
        ("t: {from: a, do: [text]}", {"a": Decimal("1.50")}, {"t": "1.50"}),
        ("t: {from: a, do: [text]}", {"a": True}, {"t": "true"}),
        ("t: {from: a, do: [integer]}", {"a": "0042"}, {"t": 42}),
        ("t: {from: a, do: [decimal]}", {"a": "10.25"}, {"t": Decimal("10.25")}),
        ("t: {from: a, do: [boolean]}", {"a": "True"}, {"t": True}),
        ("t: {from: a, do: [{hook: initials}]}", {"a": "Văn An"}, {"t": "VA"}),
        ("t: {from: [a, b], do: [{hook: both}]}", {"b": "x"}, {"t": "/x"}),
        ("t: {from: [a, b, c], do: [{join: ' '}]}", {"a": "Nguyễn", "c": "An"}, {"t": "Nguyễn An"}),
        ("t: {from: [a, b], do: [{join: ' '}]}", {}, {}),
        ("t: {from: a, do: [{date: {to: yyyyMMdd}}]}", {"a": "1990-05-17"}, {"t": "19900517"}),
        ("t: {from: a, do: [{date: {to: yyyyMMdd}}]}", {"a": "1990"}, {}),
        ("t: {from: a, do: [{date: {to: yyyy}}]}", {"a": "1990"}, {"t": "1990"}),
        ("t: {from: a, do: [{date: {to: yyyy}}]}", {"a": "1990-05-17"}, {}),
        ("t: {from: a, do: [{date: {to: MM/yyyy}}]}", {"a": "1990-05"}, {"t": "05/1990"}),
        ("t: {from: a, do: [{date: {from: [dd/MM/yyyy, yyyy]}}]}", {"a": "17/05/1990"}, {"t": "1990-05-17"}),
        ("t: {from: a, do: [{date: {from: [dd/MM/yyyy, yyyy]}}]}", {"a": "1990"}, {"t": "1990"}),
        ("t: {from: a, do: [{datetime: {to: yyyyMMddHHmmss}}]}", {"a": "2026-02-28T18:30:00Z"}, {"t": "20260301013000"}),
        ("t: {from: a, do: [{datetime: {from: yyyyMMddHHmmss}}]}", {"a": "20260301013000"}, {"t": "2026-03-01T01:30:00+07:00"}),
    ],
)
def test_a_rule_makes_this_of_that(request_of, rule, value, expected):
    run = request_of(rule)

    assert run(scope(value)) == expected


def test_keys_come_out_in_the_order_of_the_file(request_of):
    run = request_of("z: a", "b.c: a", "a: a", "b.d: a")

    assert list(run(scope({"a": 1}))) == ["z", "b", "a"]


def test_normalisation_composes_letters(request_of):
    run = request_of("t: {from: a, do: [nfc]}")

    assert run(scope({"a": unicodedata.normalize("NFD", "Nguyễn")})) == {"t": "Nguyễn"}


def test_a_reply_reads_the_request_and_earlier_replies(compiled):
    text = (
        "m:\n  reply:\n    code: $request.a.code\n    was: $known.earlier.result.0\n    state: {const: known, when: $known.earlier.found}\n"
    )
    run = compiled(text).translations["m", "reply"].run

    assert run(scope({}, request={"a": {"code": 7}}, known={"earlier": {"result": ["x"]}})) == {"code": 7, "was": "x", "state": "known"}
    assert run(scope({}, known={"earlier": {"result": []}})) == {}


TABLE = """
tables:
  unit:
    - {ours: A, theirs: '1', valid_to: '2025-06-30'}
    - {ours: A, theirs: '2', valid_from: '2025-07-01'}
    - {ours: B, theirs: '3'}
"""


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ("t: {from: a, do: [{table: {name: unit, at: on}}]}", {"a": "A", "on": "2025-06-30"}, {"t": "1"}),
        ("t: {from: a, do: [{table: {name: unit, at: on}}]}", {"a": "A", "on": "2025-06-30T20:00:00Z"}, {"t": "2"}),
        ("t: {from: a, do: [{table: {name: unit, at: on}}]}", {"a": "A", "on": "20250701"}, {"t": "2"}),
        ("t: {from: a, do: [{table: unit}]}", {"a": "A"}, {"t": "2"}),
        ("t: {from: a, do: [{table: {name: unit, else: '9'}}]}", {"a": "Z"}, {"t": "9"}),
    ],
)
def test_the_day_of_the_event_chooses_the_row(request_of, rule, value, expected):
    run = request_of(rule, tables=TABLE)

    assert run(scope(value)) == expected


def test_a_table_reads_backwards_in_a_reply(compiled):
    run = compiled(TABLE + "m:\n  reply:\n    t: {from: a, do: [{table: {name: unit, at: on}}]}\n").translations["m", "reply"].run

    assert run(scope({"a": "1", "on": "2020-01-01"})) == {"t": "A"}


def test_every_fault_of_a_request_is_told_with_its_canonical_place(compiled):
    text = (
        TABLE
        + """
m:
  request:
    X.u: {from: unit.code, do: [{table: unit}]}
    Y: {each: people, map: p}
    Z: {from: born, do: [{date: {to: yyyyMMdd}}]}
p:
  request:
    N: {from: n, do: [integer]}
    O: {from: o, do: [nfc]}
"""
    )
    run = compiled(text).translations["m", "request"].run

    with pytest.raises(MappingError) as caught:
        run(scope({"unit": {"code": "Q"}, "people": [{"n": "1"}, {"n": "x", "o": 3}], "born": "1990-02-30"}))

    assert [(each.pointer, each.code) for each in caught.value.violations] == [
        ("/unit/code", "code-unknown"),
        ("/people/1/n", "type"),
        ("/people/1/o", "type"),
        ("/born", "date-invalid"),
    ]


def test_a_fault_of_a_reply_is_told_where_the_value_was_to_go(compiled):
    run = compiled("m:\n  reply:\n    people: {each: P.Q, map: {age: {from: T, do: [integer]}}}\n").translations["m", "reply"].run

    with pytest.raises(MappingError) as caught:
        run(scope({"P": {"Q": [{"T": "1"}, {"T": "x"}]}}))

    assert [each.pointer for each in caught.value.violations] == ["/people/1/age"]


def test_a_fault_never_repeats_the_value(request_of):
    run = request_of("t: {from: a, do: [{date: {to: yyyy}}]}")

    with pytest.raises(MappingError) as caught:
        run(scope({"a": "099190000001"}))

    assert "099190000001" not in str(caught.value)


@pytest.mark.parametrize("value", [[], "text", 5])
def test_what_should_be_an_object_and_is_none_is_a_fault(request_of, value):
    run = request_of("t: a.b")

    with pytest.raises(MappingError, match="no object"):
        run(scope({"a": value} if value != [] else {"a": "x"}))


def test_a_limit_of_the_provider_is_traced_to_the_field_of_the_consumer(compiled):
    data, item = (
        "m:\n  request:\n    data: {list: [{map: d}]}\n",
        "    Docs: {each: docs, map: {Name.Full: name.text}}\n    K: {const: x}\n",
    )
    text = f"{data}d:\n  request:\n{item}"
    rules = compiled(text).translations["m", "request"].rules

    assert origin(rules, "/data/0/Docs/3/Name/Full") == "/docs/3/name/text"
    assert origin(rules, "/data/0/K") is None
    assert origin(rules, "/session") is None


# ---- faults of the file --------------------------------------------------------------------------------------------------------------


FAULTS = [
    ("m:\n  request:\n    t: {frm: a}\n", 3, "shape", "frm"),
    ("m:\n  request:\n    t: 5\n", 3, "shape", "type"),
    ("m:\n  reqest:\n    t: a\n", 2, "shape", "reqest"),
    ("m:\n  request:\n    t: {from: a, do: [capitals]}\n", 3, "shape", "nfc"),
    ("m:\n  request:\n    t: {from: a, lossy: short}\n", 3, "shape", "10"),
    ("m:\n  request:\n    t: {from: a, const: b}\n", 3, "rule", "from and const"),
    ("m:\n  request:\n    t: {do: [nfc]}\n", 3, "rule", "one of"),
    ("m:\n  request:\n    t: {each: a}\n", 3, "rule", "`each` needs `map`"),
    ("m:\n  request:\n    t: {from: [a, b]}\n", 3, "rule", "several sources"),
    ("m:\n  request:\n    t: a..b\n", 3, "path", "no path"),
    ("m:\n  request:\n    t.0: a\n", 3, "path", "no target"),
    ("m:\n  request:\n    t: $env.secret\n", 3, "path", "no $env"),
    ("m:\n  request:\n    t: $purpose.mood\n", 3, "path", "$purpose needs one of"),
    ("m:\n  request:\n    t: $uses.password\n", 3, "path", "not declared"),
    ("m:\n  request:\n    t: $known.other.x\n", 3, "path", "not declared"),
    ("m:\n  request:\n    t: $request.x\n", 3, "path", "replies only"),
    ("m:\n  request:\n    t: a\n    t.u: b\n", 4, "target-clash", "cannot both"),
    ("m:\n  request:\n    t: {from: a, do: [{table: nope}]}\n", 3, "step", "no table 'nope'"),
    ("m:\n  request:\n    t: {from: a, do: [{hook: nope}]}\n", 3, "step", "no function 'nope'"),
    ("m:\n  request:\n    t: {from: a, do: [{date: {to: ddMM}}]}\n", 3, "step", "no form of a date"),
    ("m:\n  request:\n    t: {from: a, do: [{datetime: {from: yyyy, to: yyyy}}]}\n", 3, "step", "not both"),
    ("m:\n  request:\n    t: {from: a, when: b ==}\n", 3, "expression", "column 5"),
    ("m:\n  request:\n    t: {from: a, when: $uses.nope}\n", 3, "expression", "not declared"),
    ("m:\n  request:\n    t: {each: a, map: n}\n", 3, "map-unknown", "no mapping 'n'"),
    ("m:\n  request:\n    t: {each: a, map: m}\n", 3, "map-cycle", "m > m"),
    (
        "tables:\n  c:\n    - {ours: A, theirs: '1'}\n    - {ours: A, theirs: '2'}\nm:\n  request:\n    t: a\n",
        4,
        "table-clash",
        "same days",
    ),
    ("m:\n  request:\n    t: a\n    t: b\n", 4, "yaml", "twice"),
]


@pytest.mark.parametrize(("text", "line", "rule", "reason"), FAULTS, ids=[f"{rule}: {reason}" for _, _, rule, reason in FAULTS])
def test_a_fault_of_the_file_is_told_with_its_line(compiled, text, line, rule, reason):
    with pytest.raises(ContractError) as caught:
        compiled(text)

    finding = caught.value.findings[0]
    assert (finding.file, finding.line, finding.rule) == ("mapping.yaml", line, rule)
    assert reason in finding.reason


def test_all_faults_of_a_file_are_told_together(compiled):
    with pytest.raises(ContractError) as caught:
        compiled("m:\n  request:\n    t: $env.x\n    u: {from: a, when: (}\n    v: {const: 1, from: a}\n")

    assert [finding.line for finding in caught.value.findings] == [3, 4, 5]


# ---- proofs --------------------------------------------------------------------------------------------------------------------------


OURS = {
    "type": "object",
    "required": ["name", "born", "kind"],
    "properties": {
        "name": {"type": "string"},
        "born": {"type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$"},
        "kind": {"enum": ["x", "y"]},
        "age": {"type": "integer"},
        "papers": {"type": "array", "items": {"type": "object", "required": ["no"], "properties": {"no": {"type": "string"}}}},
    },
}
THEIRS = {
    "type": "object",
    "required": ["Ten", "Loai", "session"],
    "properties": {
        "Ten": {"type": "string"},
        "Loai": {"enum": ["1", "2"]},
        "Nam": {"type": "string"},
        "Ngay": {"type": "string"},
        "Tuoi": {"type": "string"},
        "session": {"type": "string"},
        "GiayTo": {"type": "array", "items": {"type": "object", "required": ["So"], "properties": {"So": {"type": "string"}}}},
    },
}
KINDS = "tables:\n  kind: [{ours: x, theirs: '1'}, {ours: y, theirs: '2'}]\n"
SOUND = """
m:
  request:
    Ten: name
    Loai: {from: kind, do: [{table: kind}]}
    Nam: {from: born, do: [{date: {to: yyyy}}]}
    Ngay: {from: born, do: [{date: {to: yyyyMMdd}}]}
    Tuoi: {from: age, do: [text]}
    GiayTo: {each: papers, map: {So: no}}
"""


def proven(compiled, text):
    found = compiled(text)
    sent = Sent(found.translations["m", "request"], THEIRS, frozenset({("session",)}))
    return prove_request(found.source, [sent], OURS)


def test_a_sound_mapping_is_proven(compiled):
    assert proven(compiled, KINDS + SOUND) == []


@pytest.mark.parametrize(
    ("change", "rule", "reason"),
    [
        (("    Ten: name\n", ""), "target-missing", "'Ten' has no source"),
        (("Ten: name", "Ten: nam"), "source-unknown", "no 'nam'"),
        (("Ten: name", "Ten: {from: name, do: [upper]}"), "lossy", "upper loses"),
        (("Tuoi: {from: age, do: [text]}", "Tuoi: age"), "type", "takes string, this gives integer"),
        (("Tuoi: {from: age, do: [text]}", "Tuoi: {from: age, do: [nfc]}"), "type", "nfc takes string"),
        (("Tuoi: {", "Tuoii: {"), "target-unknown", "no 'Tuoii'"),
        (("Loai: {from: kind, do: [{table: kind}]}", "Loai: kind"), "value", "'x', 'y'"),
        (("Loai: {from: kind, do: [{table: kind}]}", "Loai: {const: '7'}"), "value", "'7'"),
        (("theirs: '2'", "theirs: '5'"), "value", "'5'"),
        (("ours: y", "ours: z"), "code-missing", "no row for y"),
        (("Ten: name", "Ten: {from: name, when: age}"), "source-optional", "may be absent"),
        (("{So: no}", "{Xo: no}"), "target-unknown", "no 'Xo'"),
        (("    Nam: {from: born, do: [{date: {to: yyyy}}]}\n", ""), "date-partial", "1990, for which there is no rule"),
        (("    Tuoi: {from: age, do: [text]}\n", ""), "dropped", "age of the source"),
        (("each: papers, map: {So: no}", "from: papers, map: {So: no}"), "type", "needs an object"),
    ],
)
def test_a_proof_finds_what_is_wrong(compiled, change, rule, reason):
    text = (KINDS + SOUND).replace(*change)

    findings = proven(compiled, text)

    assert any(finding.rule == rule and reason in finding.reason and finding.line for finding in findings), findings


def test_a_declared_drop_passes_and_an_undue_one_does_not(compiled):
    text = KINDS + SOUND.replace("    Tuoi: {from: age, do: [text]}\n", "")

    declared = proven(compiled, text + "  drops:\n    request: {age: the provider computes it}\n")
    undue = proven(compiled, text + "  drops:\n    request: {age: the provider computes it, name: nobody needs it}\n")

    assert declared == []
    assert [(finding.rule, finding.reason.split()[0]) for finding in undue] == [("drops", "name")]


def test_a_loss_with_a_reason_passes(compiled):
    text = (KINDS + SOUND).replace("Ten: name", "Ten: {from: name, do: [upper], lossy: their index holds capitals}")

    assert proven(compiled, text) == []


def test_a_reply_is_proven_the_other_way(compiled):
    found = compiled("m:\n  reply:\n    name: Ten\n    age: {from: Tuoi, do: [integer]}\n")
    native = {"type": "object", "required": ["Ten"], "properties": {"Ten": {"type": "string"}, "Tuoi": {"type": "string"}}}

    findings = prove_reply(found.source, found.translations["m", "reply"], native, OURS)

    assert [(finding.rule, finding.reason.split()[2]) for finding in findings] == [
        ("target-missing", "'born'"),
        ("target-missing", "'kind'"),
    ]


# ---- dates and legacy text -----------------------------------------------------------------------------------------------------------


@given(st.dates())
def test_a_full_date_survives_the_way_there_and_back(day):
    there, back = date_step(["yyyy-MM-dd", "yyyy"], "yyyyMMdd"), date_step(["yyyyMMdd"], None)

    assert back(there(day.isoformat())) == day.isoformat()


@given(st.dates(), st.sampled_from(["dd/MM/yyyy", "yyyy/MM/dd", "yyyyMMdd", "dd.MM.yyyy", "MM-dd-yyyy"]))
def test_any_full_form_survives_the_way_back_and_there(day, form):
    written = Form(form).write(day.isoformat())

    assert date_step([form], "yyyy-MM-dd")(written) == day.isoformat()


@given(st.integers(1, 9999), st.integers(0, 99), st.integers(0, 99))
def test_a_date_passes_exactly_if_the_calendar_has_it(year, month, day):
    text = f"{year:04}{month:02}{day:02}"
    try:
        expected = date(year, month, day).isoformat()
    except ValueError:
        with pytest.raises(MappingError):
            date_step(["yyyyMMdd"], None)(text)
    else:
        assert date_step(["yyyyMMdd"], None)(text) == expected


@given(st.text(max_size=12))
def test_no_text_but_a_date_passes(text):
    try:
        found = date_step(["yyyyMMdd", "yyyy"], None)(text)
    except MappingError:
        return
    assert text.isascii()
    assert found.replace("-", "") == text


@given(
    st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1)),  # noqa: DTZ001  # hypothesis wants naive bounds
    st.integers(-14 * 60, 14 * 60),
)
def test_a_moment_is_the_same_moment_in_local_time(moment, minutes):
    instant = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))

    back = from_local("yyyyMMddHHmmss")(to_local("yyyyMMddHHmmss")(instant.isoformat()))

    assert back.endswith("+07:00")
    assert datetime.fromisoformat(back) == instant


@pytest.mark.parametrize(
    "text", ["2026-03-02T08:00:00", "2026-03-02", "2026-W10-1T08:00:00Z", "2026-02-30T08:00:00Z", "0001-01-01T00:00:00+14:00", 5]
)
def test_what_is_no_moment_with_an_offset_is_refused(text):
    with pytest.raises(MappingError):
        to_local("yyyyMMddHHmmss")(text)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2025-06-30T17:00:00Z", "2025-07-01"),
        ("20250701235959", "2025-07-01"),
        (0, "1970-01-01"),
        ("1990", None),
        ("2025-13-01", None),
        (True, None),
    ],
)
def test_the_day_of_an_event_is_its_day_in_vietnam(value, day):
    assert local_day(value) == day


@pytest.mark.parametrize(
    ("legacy", "text"),
    [("NguyÔn V¨n §øc", "Nguyễn Văn Đức"), ("TrÇn ThÞ Ph\u00adîng", "Trần Thị Phượng"), ("Céng hoµ", "Cộng hoà")],
)
def test_tcvn3_becomes_unicode(legacy, text):
    assert from_tcvn3(legacy) == text


@pytest.mark.parametrize(
    ("legacy", "text"),
    [("Nguyeãn Vaên Ñöùc", "Nguyễn Văn Đức"), ("TRAÀN THÒ PHÖÔÏNG", "TRẦN THỊ PHƯỢNG"), ("Bôûi vì", "Bởi vì"), ("Kyõ sö", "Kỹ sư")],
)
def test_vni_becomes_unicode(legacy, text):
    assert from_vni(legacy) == text
