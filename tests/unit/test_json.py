"""JSON in means one thing or is refused; JSON out keeps every digit."""

from __future__ import annotations

import json as oracle
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgsp.codec import json
from lgsp.errors import JsonError

if TYPE_CHECKING:
    from pathlib import Path

# y_ cases of the corpus that we refuse on purpose
REFUSED_ON_PURPOSE = {
    "y_object_duplicated_key.json": "two readers may take different ones (RFC 7493, section 2.3)",
    "y_object_duplicated_key_and_value.json": "as above; that both are equal today promises nothing",
}


def _verdicts(folder: Path, kind: str) -> dict[str, bool]:
    verdicts = {}
    for file in sorted(folder.glob(f"{kind}_*.json")):
        try:
            json.decode(file.read_bytes())
            verdicts[file.name] = True
        except JsonError:
            verdicts[file.name] = False
    return verdicts


def test_every_text_that_is_not_json_is_refused(corpora):
    verdicts = _verdicts(corpora / "json-test-suite" / "test_parsing", "n")

    assert len(verdicts) > 180
    assert [name for name, accepted in verdicts.items() if accepted] == []


def test_every_json_text_is_accepted_but_for_those_refused_on_purpose(corpora):
    verdicts = _verdicts(corpora / "json-test-suite" / "test_parsing", "y")

    assert len(verdicts) > 90
    assert {name for name, accepted in verdicts.items() if not accepted} == REFUSED_ON_PURPOSE.keys()


def test_texts_that_the_standard_leaves_open_get_a_verdict_and_not_a_crash(corpora):
    verdicts = _verdicts(corpora / "json-test-suite" / "test_parsing", "i")

    assert {name for name, accepted in verdicts.items() if accepted} == {
        "i_number_too_big_neg_int.json",
        "i_number_too_big_pos_int.json",
        "i_number_very_big_negative_int.json",
    }


@pytest.mark.parametrize(
    ("body", "place", "offset"),
    [
        (b'{"a": 1, "a": 2}', "", None),
        (b'{"rows": [{"b": 0}, {"b": 1, "b": 1}]}', "/rows/1", None),
        (b'{"fee": NaN}', "/fee", None),
        (b"[-Infinity]", "/0", None),
        (b'{"fee": 1E+400000}', "/fee", None),
        (b'{"fee": 1e-999}', "/fee", None),
        (b'{"fee": 1e99999999999999999999999}', "/fee", None),
        (b'{"fee": ' + b"9" * 4301 + b"}", "/fee", None),
        (b'{"fee": 0.' + b"9" * 4300 + b"}", "/fee", None),
        (b'{"012345678901": {"a": 1, "a": 2}}', "", None),
        (b'{"name": "\\ud800"}', "", 10),
        (b'{"name": "\\\\\\udc00x"}', "", 12),
        (b'\xef\xbb\xbf{"a": 1}', "", 0),
        (b'{"a": "\xff"}', "", 7),
        ('{"á": tru}'.encode(), "", 7),
        (b"{} {}", "", 3),
        (b"", "", 0),
        (b'"a\x00b"', "", 2),
        ('{"a": 1}'.encode("utf-16"), "", 0),
    ],
)
def test_a_refusal_names_the_place(body, place, offset):
    with pytest.raises(JsonError) as refusal:
        json.decode(body)

    assert (refusal.value.pointer, refusal.value.offset) == (place, offset)


def test_a_refusal_never_repeats_the_value():
    with pytest.raises(JsonError) as refusal:
        json.decode(b'{"Nguy\xe1\xbb\x85n": "079012345678", "Nguy\xe1\xbb\x85n": "079012345678"}')

    assert "079012345678" not in str(refusal.value)
    assert "Nguy" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "value"), [(rb'"\\ud800"', r"\ud800"), (rb'"\ud83d\ude00"', "\U0001f600"), (rb'"\\\ud83d\ude00"', "\\\U0001f600")]
)
def test_escapes_that_only_look_like_half_a_pair_are_read(text, value):
    assert json.decode(text) == value


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":[{"\\"}]":'])
def test_nesting_is_refused_before_anything_is_built(opening):
    began = time.process_time()

    with pytest.raises(JsonError, match="nested deeper than 64 levels"):
        json.decode(opening * 200_000)

    assert time.process_time() - began < 2


def test_nesting_counts_levels_and_not_brackets():
    wide = b"[" + b",".join([b'{"a": [{"b": "[[[[{{{{\\"[["}]}'] * 500) + b"]"

    assert len(json.decode(wide)) == 500
    assert json.decode(b"[" * 64 + b"]" * 64) is not None


def test_brackets_that_do_not_close_are_no_matter_of_depth():
    with pytest.raises(JsonError, match="not JSON"):
        json.decode(b"[" + b"[1]," * 100 + b'{"a": 1')


@pytest.mark.parametrize("text", [b"1.10", b"-0.0", b"12345678901234567890.123456789", b"123456789012345678901234567890", b"0.1", b"1E+22"])
def test_numbers_come_back_digit_by_digit(text):
    assert json.encode(json.decode(text)) == text


def test_fractions_are_exact_and_integers_stay_integers():
    value = json.decode(b'{"fee": 12.50, "copies": 3}')

    assert value == {"fee": Decimal("12.50"), "copies": 3}
    assert isinstance(value["copies"], int)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=6)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=30,
)


@given(_VALUES)
def test_what_is_encoded_is_decoded_as_it_was(value):
    assert json.decode(json.encode(value)) == value


@settings(max_examples=300)
@given(st.binary(max_size=40) | st.text('[]{}",:\\u0123456789eE+-. dDnulltrfas', max_size=40).map(str.encode))
def test_no_bytes_end_in_anything_but_a_value_or_a_refusal(body):
    try:
        value = json.decode(body)
    except JsonError:
        return

    assert value == oracle.loads(body, parse_float=Decimal)


_SIGNS = '[]{}",:\\u0123456789abcdDeE+-. nulltrfas\x00\t\xff\ud83d'
_TEXTS = st.text(_SIGNS, max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
_DOUBLED = st.lists(st.tuples(st.sampled_from(["a", "b", '"', "\\", "Nguyễn"]), _VALUES), max_size=4).map(
    lambda members: ("{" + ", ".join(f"{oracle.dumps(name)}: {json.encode(value).decode()}" for name, value in members) + "}").encode()
)
_ESCAPED = st.lists(st.sampled_from(["\\ud83d", "\\ude00", "\\uD800", "\\\\", '\\"', "a", "\\u0000", "\\n"]), max_size=6).map(
    lambda parts: f'["{"".join(parts)}"]'.encode()
)


@settings(max_examples=500)
@given(st.binary(max_size=30) | _TEXTS | _DOUBLED | _ESCAPED)
def test_what_the_quick_decoder_accepts_the_careful_one_reads_alike(body):
    try:
        value = json._decode_quickly(body, 3)  # the point is to hold both against each other
    except Exception:  # noqa: BLE001  # any doubt is fine: the careful one then decides
        return

    assert oracle.dumps(value, default=str) == oracle.dumps(json._decode_carefully(body, 3), default=str)
