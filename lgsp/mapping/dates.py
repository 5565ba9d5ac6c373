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
    from collections.abc import Callable, Sequence

_SEVEN_HOURS = timedelta(hours=7)
VIETNAM = timezone(_SEVEN_HOURS)
ISO_DATES = ("yyyy-MM-dd", "yyyy-MM", "yyyy")
_FIELD = re.compile(r"yyyy|MM|dd|HH|mm|ss")
_ORDER = ("yyyy", "MM", "dd", "HH", "mm", "ss")
_FIRST = ("0001", "01", "01", "00", "00", "00")
_ISO = "%s-%s-%sT%s:%s:%s"
_ISO_CUTS = (slice(0, 4), slice(5, 7), slice(8, 10), slice(11, 13), slice(14, 16), slice(17, 19))
_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")


class Form:
    """One written form, such as `yyyyMMdd`; raises ValueError for a form that has no year or skips a unit.

    Its texts all have one length, so the units stand at fixed places: reading cuts, writing joins, and no digit is turned into a number.
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
        self._cuts = [slice(*fields[names.index(name)].span()) for name in _ORDER[: self.precision]]
        self._shape = re.compile(_FIELD.sub(lambda found: f"[0-9]{{{len(found[0])}}}", re.escape(text)))
        self._write = _FIELD.sub(lambda found: f"{{{_ORDER.index(found[0])}}}", text.replace("{", "{{").replace("}", "}}")).format

    def fits(self, text: str) -> bool:
        """Whether a text has this form; its day may still be one that no calendar has."""
        return self._shape.fullmatch(text) is not None

    def read(self, text: str) -> tuple[str, ...] | None:
        """The units of a text in this form, from the year on, or None; it is None too for a day that no calendar has."""
        if self._shape.fullmatch(text) is None:
            return None
        units = tuple([text[cut] for cut in self._cuts])
        try:
            datetime.fromisoformat(_ISO % (*units, *_FIRST[self.precision :]))
        except ValueError:
            return None
        return units

    def write(self, units: tuple[str, ...]) -> str:
        """The units in this form; as many as it has."""
        return self._write(*units)


def date_step(reads: Sequence[str], writes: str | None) -> Callable[[Any], str | None]:
    """Translate a date from one of the forms `reads` to `writes` (None: the canonical form of what is known)."""
    forms = [Form(text) for text in reads]
    targets = {form.precision: form for form in map(Form, [writes] if writes else ISO_DATES)}

    def translate(value: Any) -> str | None:
        for form in forms:
            if type(value) is not str or len(value) != form.length:
                continue
            target = targets.get(form.precision)
            if target is None and form.fits(value):
                return None
            units = form.read(value)
            if target is not None and units is not None:
                return target.write(units)
        raise MappingError([Violation("", f"is no date in the form {' or '.join(reads)}", "date-invalid")])

    return translate


def to_local(writes: str) -> Callable[[Any], str]:
    """Translate an RFC 3339 moment to a local form, for example yyyyMMddHHmmss."""
    form = Form(writes)
    cuts = _ISO_CUTS[: form.precision]

    def translate(value: Any) -> str:
        moment = read_moment(value)
        if moment is None:
            raise MappingError([Violation("", "is no moment with an offset (RFC 3339)", "date-invalid")])
        text = moment.isoformat()
        return form.write(tuple([text[cut] for cut in cuts]))

    return translate


def from_local(reads: str) -> Callable[[Any], str]:
    """Translate a local form to RFC 3339 with Vietnam's offset."""
    form = Form(reads)
    rest = _FIRST[form.precision :]

    def translate(value: Any) -> str:
        units = form.read(value) if type(value) is str else None
        if units is None:
            raise MappingError([Violation("", f"is no local time in the form {reads}", "date-invalid")])
        return _ISO % (*units, *rest) + "+07:00"

    return translate


def read_moment(value: Any) -> datetime | None:
    """An RFC 3339 text as Vietnam's local time; None if it is none."""
    if type(value) is not str or _RFC_3339.fullmatch(value) is None:
        return None
    try:
        moment = datetime.fromisoformat(value.upper())
        return moment if moment.utcoffset() == _SEVEN_HOURS else moment.astimezone(VIETNAM)
    except (ValueError, OverflowError):
        return None


def local_day(value: Any) -> str | None:
    """The day in Vietnam, as yyyy-MM-dd, of a date, a moment, a local yyyyMMdd[HHmmss] or POSIX seconds; None if it is none of these."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, VIETNAM).date().isoformat()
    moment = read_moment(value)
    if moment is not None:
        return moment.date().isoformat()
    text = str(value)
    if len(text) in {8, 14} and text.isdecimal():
        text = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None
