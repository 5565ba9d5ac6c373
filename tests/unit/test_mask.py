"""Stand-ins have the form of what they stand for, and name nobody."""

from __future__ import annotations

import hashlib
from decimal import Decimal

from lgsp.policy.mask import codes_in, masked, of_purpose


def keyed(content: bytes) -> bytes:
    return hashlib.sha256(b"key" + content).digest()


def test_texts_keep_their_form_and_equal_ones_stay_equal():
    first, again, other = (masked(text, keyed, frozenset()) for text in ("Nguyễn Văn An", "Nguyễn Văn An", "Nguyễn Văn Bé"))

    assert first == again != other
    assert [len(word) for word in first.split()] == [6, 3, 2]
    assert first.istitle()
    assert first != "Nguyễn Văn An"


def test_digits_stay_digits_zeros_stay_and_a_date_stays_a_date_of_its_year():
    number, date, moment = (masked(text, keyed, frozenset()) for text in ("001190000001", "1990-05-17", "2026-11-26T08:00:00+07:00"))

    assert (len(number), number.isdecimal(), number[:2], number != "001190000001") == (12, True, "00", True)
    assert (date[:5], len(date), date[5:7] <= "12", date[8:] <= "28") == ("1990-", 10, True, True)
    assert (moment[:5], moment[10:]) == ("2026-", "T08:00:00+07:00")


def test_codes_booleans_and_null_are_kept_and_numbers_stay_numbers():
    value = {"kind": "lua", "ok": True, "none": None, "area": Decimal("12.5"), "count": 31, "items": ["lua", "x"]}

    found = masked(value, keyed, frozenset({"lua"}))

    assert (found["kind"], found["ok"], found["none"], found["items"][0]) == ("lua", True, None, "lua")
    assert (type(found["area"]), type(found["count"]), found["area"] != value["area"]) == (Decimal, int, True)


def test_codes_are_found_wherever_a_document_enumerates_them():
    document = {"components": {"schemas": {"A": {"enum": ["1", 2, None]}, "B": {"oneOf": [{"const": "x"}]}}}}

    assert codes_in(document) == {"1", 2, "x"}


def test_who_asked_is_masked_and_the_purpose_stays():
    found = of_purpose({"slug": "receive-dossier", "official": "CB001", "dossier": None}, keyed)

    assert (found["slug"], found["dossier"], found["official"] != "CB001", found["official"][2:4]) == ("receive-dossier", None, True, "00")
