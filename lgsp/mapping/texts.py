"""Text as old Vietnamese systems wrote it, to Unicode NFC: TCVN3 (ABC fonts) and VNI (two signs a letter).

Both arrive as Latin-1 letters that a legacy font showed as Vietnamese. TCVN3 follows TCVN 5712:1993 (VN3): one sign a lower-case letter;
capitals with a tone needed a font of capitals, so they cannot be told from small ones. VNI writes the base letter and then its marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TCVN3_LETTERS = (
    "ĂÂÊÔƠƯĐăâêôơưđ", "¡¢£¤¥¦§¨©ª«¬\u00ad®",
    "àảãáạằẳẵắặầẩẫấậ", "µ¶·¸¹»¼½¾ÆÇÈÉÊË",
    "èẻẽéẹềểễếệ", "ÌÎÏÐÑÒÓÔÕÖ",
    "ìỉĩíị", "×ØÜÝÞ",
    "òỏõóọồổỗốộờởỡớợ", "ßáâãäåæçèéêëìíî",
    "ùủũúụừửữứự", "ïñòóôõö÷øù",
    "ỳỷỹýỵ", "úûüýþ",
)  # fmt: skip
_VNI_MARKS = {
    "a": {"ø": "à", "ù": "á", "û": "ả", "õ": "ã", "ï": "ạ", "ê": "ă", "è": "ằ", "é": "ắ", "ú": "ẳ", "ü": "ẵ", "ë": "ặ",
          "â": "â", "à": "ầ", "á": "ấ", "å": "ẩ", "ã": "ẫ", "ä": "ậ"},
    "e": {"ø": "è", "ù": "é", "û": "ẻ", "õ": "ẽ", "ï": "ẹ", "â": "ê", "à": "ề", "á": "ế", "å": "ể", "ã": "ễ", "ä": "ệ"},
    "o": {"ø": "ò", "ù": "ó", "û": "ỏ", "õ": "õ", "ï": "ọ", "â": "ô", "à": "ồ", "á": "ố", "å": "ổ", "ã": "ỗ", "ä": "ộ"},
    "ô": {"": "ơ", "ø": "ờ", "ù": "ớ", "û": "ở", "õ": "ỡ", "ï": "ợ"},
    "u": {"ø": "ù", "ù": "ú", "û": "ủ", "õ": "ũ", "ï": "ụ"},
    "ö": {"": "ư", "ø": "ừ", "ù": "ứ", "û": "ử", "õ": "ữ", "ï": "ự"},
    "y": {"ø": "ỳ", "ù": "ý", "û": "ỷ", "õ": "ỹ"},
    "": {"î": "ỵ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "ñ": "đ", "ì": "ì", "í": "í"},
}  # fmt: skip


def _tcvn3_table() -> Mapping[int, str]:
    pairs = zip(_TCVN3_LETTERS[::2], _TCVN3_LETTERS[1::2], strict=True)
    return {ord(sign): letter for letters, signs in pairs for letter, sign in zip(letters, signs, strict=True)}


def _vni_pairs() -> Mapping[str, str]:
    pairs = {}
    for start, marks in _VNI_MARKS.items():
        for mark, letter in marks.items():
            pairs[start + mark] = letter
            pairs[(start + mark).upper()] = pairs[start.upper() + mark] = letter.upper()
        if not start:
            pairs |= marks
    return pairs


_TCVN3 = _tcvn3_table()
_VNI = _vni_pairs()


def from_tcvn3(text: str) -> str:
    """Unicode NFC of text in TCVN3."""
    return normalize("NFC", text.translate(_TCVN3))


def from_vni(text: str) -> str:
    """Unicode NFC of text in VNI."""
    parts, at = [], 0
    while at < len(text):
        width = 2 if text[at : at + 2] in _VNI else 1
        sign = text[at : at + width]
        parts.append(_VNI.get(sign, sign))
        at += width
    return normalize("NFC", "".join(parts))


TEXT_STEPS: Mapping[str, Callable[[str], str | None]] = {
    "nfc": lambda text: normalize("NFC", text),
    "upper": str.upper,
    "lower": str.lower,
    "trim": lambda text: text.strip() or None,
    "squeeze": lambda text: " ".join(text.split()) or None,
    "tcvn3": from_tcvn3,
    "vni": from_vni,
}
"""`trim` cuts blanks at both ends, `squeeze` those within too, and a text of blanks alone is absent; `tcvn3` and `vni` read legacy text."""
