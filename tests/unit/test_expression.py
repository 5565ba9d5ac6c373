"""The expression language of manifests: what holds, what is computed, and where a fault of it is told."""

from __future__ import annotations

import hashlib
import unicodedata
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgsp.errors import MappingError
from lgsp.mapping.expression import ExpressionError, compile_expression

REPLY = {
    "error_code": "00",
    "number": 0,
    "message": "Hồ sơ H99-1 đã tồn tại trên hệ thống",
    "result": [{"MaHoSo": "H99-1"}],
    "empty": [],
    "flag": True,
    "known": {"earlier": {"found": True}},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('error_code in ["0", "00"]', True),
        ('error_code in ["-1", "401"]', False),
        ('error_code not in ["-1", "401"]', True),
        ('number in ["0", "00"]', True),
        ("number == '0'", True),
        ("number == 0", True),
        ("number == '00'", False),
        ("flag == true", True),
        ("flag == 1", False),
        ("message contains 'đã tồn tại'", True),
        ("message contains 'ĐÃ TỒN TẠI'", True),
        ("message contains 'không'", False),
        ("absent contains 'x'", False),
        ("not message contains 'đã tồn tại'", False),
        ("not not flag", True),
        ("known.earlier.found", True),
        ("known.other.found == null", True),
        ("result.0.MaHoSo == 'H99-1'", True),
        ("result.7.MaHoSo == null", True),
        ("count(result) == 1 and count(empty) == 0", True),
        ("count(absent) > 0", False),
        ("number < 1 and number >= 0", True),
        ("message < 1", False),
        ("flag or absent and absent", True),
        ("(flag or absent) and absent", False),
        ("error_code != '00' or number != 0", False),
        ("'a' in ['a', 'b'] and 1 in [1]", True),
    ],
)
def test_a_judgement_holds_or_not(text, expected):
    judge = compile_expression(text)

    assert bool(judge(REPLY)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("concat('a', number, flag)", "a0true"),
        ("upper('đã')", "ĐÃ"),
        ("lower('ĐÃ')", "đã"),
        ("text(number)", "0"),
        ("either(flag, 'True', 'False')", "True"),
        ("either(absent, 'True', 'False')", "False"),
        ("base64('a:b')", b64encode(b"a:b").decode()),
        ("basic('u', 'p')", "Basic " + b64encode(b"u:p").decode()),
        ("sha256hex('a', 'b')", hashlib.sha256(b"ab").hexdigest()),
        (
            "hmac_sha256('key', 'The quick brown fox jumps over the lazy dog')",
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
        ),
        ("[1, 'b']", [1, "b"]),
        ("-5", -5),
        ('"\'"', "'"),
    ],
)
def test_a_value_is_computed(text, expected):
    compute = compile_expression(text)

    assert compute(REPLY) == expected


def test_composition_of_letters_makes_no_difference_to_contains():
    judge = compile_expression("message contains 'đã tồn tại'")

    assert judge({"message": unicodedata.normalize("NFD", "Hồ sơ ĐÃ TỒN TẠI")})


def test_a_function_refuses_an_absent_value_instead_of_writing_the_word_none():
    compute = compile_expression("concat('a', absent)")

    with pytest.raises(MappingError, match="absent"):
        compute(REPLY)


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("error_code in", 14, "the end is not expected"),
        ("a == ", 6, "the end is not expected"),
        ("a = b", 3, "'=' is not expected"),
        ("a and and b", 7, "'and' is not expected"),
        ("nope(1)", 1, "no function 'nope'"),
        ("1 + upper(a, b)", 3, "'+' is not expected"),
        ("upper(a, b)", 1, "upper takes 1 argument, not 2"),
        ("sha256hex()", 1, "sha256hex takes at least 1 argument, not 0"),
        ("(a", 3, "')' is"),
        ("[1, 2", 6, "',' is"),
        ("a b", 3, "'b' is not expected"),
        ("'open", 1, "is not expected"),
        ("__import__('os')", 1, "no function '__import__'"),
        ("a.__class__()", 1, "no function"),
        ("(" * 60 + "a" + ")" * 60, 42, "nested too deeply"),
    ],
)
def test_a_syntax_error_is_told_with_its_column(text, column, reason):
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)

    assert caught.value.column == column
    assert reason in caught.value.reason


@given(st.text(alphabet="ab01 ()[]<>=!'\",.$_-", max_size=40))
def test_whatever_is_written_is_read_or_refused_and_nothing_else(text):
    with suppress(ExpressionError, MappingError):
        compile_expression(text)({})
