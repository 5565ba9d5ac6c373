"""Dates between their written forms: full and partial dates, moments with an offset and local time in Vietnam.

A form is written with yyyy, MM, dd, HH, mm, ss and the signs between them. The canonical forms are `1990-05-17`, `1990-05`, `1990` for
dates and RFC 3339 with an offset for moments. What is not known is not invented: a form finer or coarser than the value gives None.
Vietnam keeps UTC+07:00 all year, so the zone is an offset; moments are exact to the second, fractions are cut off.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from lgsp.errors import MappingError, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

VIETNAM = timezone(timedelta(hours=7))
OFFSET = "+07:00"
ISO_DATES = ("yyyy-MM-dd", "yyyy-MM", "yyyy")
_FIELD = re.compile(r"yyyy|MM|dd|HH|mm|ss")
_ORDER = ("yyyy", "MM", "dd", "HH", "mm", "ss")
_FIRST = "0001-01-01T00:00:00"
_ISO_CUTS = (slice(0, 4), slice(5, 7), slice(8, 10), slice(11, 13), slice(14, 16), slice(17, 19))
_ISO_ENDS = (4, 7, 10, 13, 16, 19)
_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")


class Form:
    """One written form, such as `yyyyMMdd`; raises ValueError for a form that has no year or skips a unit.

    Its texts all have one length, so the units stand at fixed places: reading cuts them into the ISO 8601 text of the same precision,
    writing cuts that, and no digit is turned into a number.
    """

    def __init__(self, text: str) -> None:
        fields = list(_FIELD.finditer(text))
        names = [found[0] for found in fields]
        rest = _FIELD.sub("", text)
        self.precision = len(fields)
        if not fields or sorted(names, key=_ORDER.index) != list(_ORDER[: self.precision]) or any(sign.isalnum() for sign in rest):
            message = f"{text!r} is no form of a date: it needs yyyy and then MM, dd, HH, mm, ss without a gap, each once"
            raise ValueError(message)
        self.length = len(text)
        self._end = _ISO_ENDS[self.precision - 1]
        self._from = _pieces(_FIRST[: self._end], [slice(*fields[names.index(name)].span()) for name in _ORDER[: self.precision]])
        self._to = _pieces(text, [_ISO_CUTS[_ORDER.index(found[0])] for found in fields], [found.span() for found in fields])
        self.iso: Callable[[str], str | None] = _ISO_READERS.get(text, self._read)
        self.write: Callable[[str], str] = _ISO_WRITERS.get(text, lambda iso: _cut(iso, self._to))

    def fits(self, text: str) -> bool:
        """Whether a text has this form; its day may still be one that no calendar has."""
        if len(text) != self.length or not text.isascii():
            return False
        iso = _cut(text, self._from)
        return len(iso) == self._end and iso.translate(_NO_SIGNS).isdigit() and _cut(iso, self._to) == text

    def read(self, text: str) -> str | None:
        """The ISO 8601 text of a text in this form, as precise as the form, or None; it is None too for a day that no calendar has."""
        try:
            return self.iso(text) if len(text) == self.length else None
        except ValueError:
            return None

    def _read(self, text: str) -> str | None:
        """As `read`, of a text of the right length; raises ValueError for a day that no calendar has."""
        if not self.fits(text):
            return None
        iso = _cut(text, self._from)
        datetime.fromisoformat(iso + _FIRST[self._end :])
        return iso


_NO_SIGNS = {ord(sign): None for sign in "-T:"}
_ISO_WRITERS: Mapping[str, Callable[[str], str]] = {
    "yyyyMMdd": lambda iso: iso[:10].replace("-", ""),
    "yyyy-MM-dd": lambda iso: iso[:10],
    "yyyyMMddHHmmss": lambda iso: iso[:19].replace("-", "").replace(":", "").replace("T", ""),
}
"""Writers of the forms that nearly every contract uses."""


def _iso_of_dashed(text: str) -> str | None:
    date.fromisoformat(text)
    return text if text[4] == "-" == text[7] and text[5:7].isdigit() else None


def _iso_of_day(text: str) -> str | None:
    date.fromisoformat(text)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if text.isdigit() else None


def _iso_of_second(text: str) -> str | None:
    iso = f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}"
    datetime.fromisoformat(iso)
    return iso if text.isdigit() else None


_ISO_READERS: Mapping[str, Callable[[str], str | None]] = {
    "yyyyMMdd": _iso_of_day,
    "yyyy-MM-dd": _iso_of_dashed,
    "yyyyMMddHHmmss": _iso_of_second,
}
"""Readers of the same forms: the standard library judges the calendar, and what else it would take for ISO 8601 is sorted out."""


def _pieces(text: str, cuts: Sequence[slice], spans: Sequence[tuple[int, int]] | None = None) -> tuple[slice | str, ...]:
    """What a text is made of: cuts of another one where its fields stand, and the signs between them."""
    pieces: list[slice | str] = []
    at = 0
    for cut, (start, end) in zip(cuts, spans or [(c.start, c.stop) for c in _ISO_CUTS[: len(cuts)]], strict=True):
        if start > at:
            pieces.append(text[at:start])
        pieces.append(cut)
        at = end
    return (*pieces, text[at:]) if at < len(text) else tuple(pieces)


def _cut(text: str, pieces: tuple[slice | str, ...]) -> str:
    return "".join([text[piece] if type(piece) is slice else piece for piece in pieces])


def date_step(reads: Sequence[str], writes: str | None) -> Callable[[Any], str | None]:
    """Translate a date from one of the forms `reads` to `writes` (None: the canonical form of what is known)."""
    forms = {form.length: form for form in reversed([Form(text) for text in reads])}
    targets = {form.precision: form for form in map(Form, [writes] if writes else ISO_DATES)}
    ways = {length: (form.iso, targets[form.precision].write) for length, form in forms.items() if form.precision in targets}

    def translate(value: Any) -> str | None:
        way = ways.get(len(value)) if type(value) is str else None
        if way is not None:
            try:
                iso = way[0](value)
                if iso is not None:
                    return way[1](iso)
            except ValueError:
                pass
        elif type(value) is str and (form := forms.get(len(value))) is not None and form.fits(value):
            return None
        raise MappingError([Violation("", f"is no date in the form {' or '.join(reads)}", "date-invalid")])

    return translate


def to_local(writes: str) -> Callable[[Any], str]:
    """Translate an RFC 3339 moment to a local form, for example yyyyMMddHHmmss."""
    form = Form(writes)

    def translate(value: Any) -> str:
        iso = local_iso(value)
        if iso is None:
            raise MappingError([Violation("", "is no moment with an offset (RFC 3339)", "date-invalid")])
        return form.write(iso)

    return translate


def from_local(reads: str) -> Callable[[Any], str]:
    """Translate a local form to RFC 3339 with Vietnam's offset."""
    form = Form(reads)
    rest = _FIRST[_ISO_ENDS[form.precision - 1] :] + OFFSET

    def translate(value: Any) -> str:
        iso = form.read(value) if type(value) is str else None
        if iso is None:
            raise MappingError([Violation("", f"is no local time in the form {reads}", "date-invalid")])
        return iso + rest

    return translate


def local_iso(value: Any) -> str | None:
    """An RFC 3339 text as Vietnam's local time in ISO 8601, to the second and without an offset; None if it is none."""
    if type(value) is not str:
        return None
    try:
        if value[19:] == OFFSET and value[4] == "-" == value[7] and value[10] == "T" and value[13] == ":" and value[5:7].isdigit():
            datetime.fromisoformat(value)
            return value[:19]
        return datetime.fromisoformat(value.upper()).astimezone(VIETNAM).isoformat()[:19] if _RFC_3339.fullmatch(value) else None
    except (ValueError, OverflowError):
        return None


def local_day(value: Any) -> str | None:
    """The day in Vietnam, as yyyy-MM-dd, of a date, a moment, a local yyyyMMdd[HHmmss] or POSIX seconds; None if it is none of these."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, VIETNAM).date().isoformat()
    moment = local_iso(value)
    if moment is not None:
        return moment[:10]
    text = str(value)
    if len(text) in {8, 14} and text.isdecimal():
        text = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None
