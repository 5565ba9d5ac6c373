"""The steps of a rule's `do`: from their declaration to functions, with what each takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lgsp.errors import MappingError, Violation
from lgsp.mapping.dates import ISO_DATES, Form, date_step, from_local, local_day, to_local
from lgsp.mapping.numbers import CONVERSIONS
from lgsp.mapping.paths import parse_path, reader
from lgsp.mapping.tables import Table, direct, lookup
from lgsp.mapping.texts import TEXT_STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Run = Callable[[Any, Any, Mapping[str, Any]], Any]

_TEXT = {"type": "string"}
_LOSSY_TEXTS = frozenset({"upper", "lower"})
_GIVES: Mapping[str, Mapping[str, Any]] = {
    "text": _TEXT,
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean"},
}


class StepError(ValueError):
    """A step is declared wrongly."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `run(found, current value, scope)`; `alone(found)` is the same where the step looks at nothing else.

    takes, gives: JSON Schemas, None if anything. codes: what a strict table knows. lossy: different values may become one. precision: place
    in ISO_DATES of the only canonical date that passes; None if there is no such limit.
    """

    name: str
    run: Run
    takes: Mapping[str, Any] | None = None
    gives: Mapping[str, Any] | None = None
    codes: frozenset[str] | None = None
    lossy: bool = False
    precision: int | None = None
    alone: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What steps may name: tables in the direction at hand, and the adapter's hooks."""

    tables: Mapping[str, Table]
    hooks: Mapping[str, Callable[..., Any]]


def build_step(spec: Any, toolbox: Toolbox) -> Step:
    """A step from `nfc` or `{date: {to: yyyyMMdd}}`. Raises StepError, ValueError of a form, PathError."""
    name, options = (spec, None) if isinstance(spec, str) else next(iter(spec.items()))
    if name in TEXT_STEPS:
        return replace(_plain(name, _on_text(TEXT_STEPS[name]), _TEXT, _TEXT), lossy=name in _LOSSY_TEXTS)
    if name in CONVERSIONS:
        return _plain(name, CONVERSIONS[name], None, _GIVES[name])
    return _BUILDERS[name](options, toolbox)


def _plain(name: str, change: Callable[[Any], Any], takes: Mapping[str, Any] | None, gives: Mapping[str, Any]) -> Step:
    return Step(name, lambda found, _value, _scope: change(found), takes, gives, alone=change)


def _on_text(change: Callable[[str], str | None]) -> Callable[[Any], str | None]:
    def run(found: Any) -> str | None:
        if type(found) is not str:
            raise MappingError([Violation("", "is not text", "type")])
        return change(found)

    return run


def _date(options: Any, _toolbox: Toolbox) -> Step:
    reads = options.get("from", ISO_DATES)
    forms = [reads] if isinstance(reads, str) else reads
    step = _plain("date", date_step(forms, options.get("to")), _TEXT, _TEXT)
    from_canonical = "from" not in options and len(ISO_DATES) >= Form(options["to"]).precision
    return replace(step, precision=len(ISO_DATES) - Form(options["to"]).precision) if from_canonical else step


def _datetime(options: Any, _toolbox: Toolbox) -> Step:
    if len(options) != 1:
        message = "a datetime step goes `from` a local form or `to` one, not both; the other side is RFC 3339"
        raise StepError(message)
    change = to_local(options["to"]) if "to" in options else from_local(options["from"])
    return _plain("datetime", change, _TEXT, _TEXT)


def _table(options: Any, toolbox: Toolbox) -> Step:
    settings = {"name": options} if isinstance(options, str) else options
    table = toolbox.tables.get(settings["name"])
    if table is None:
        message = f"there is no table {settings['name']!r}; there are {', '.join(sorted(toolbox.tables)) or 'none'}"
        raise StepError(message)
    strict = "else" not in settings
    values = [*table.values(), *([] if strict else [settings["else"]])]
    merges = not table.is_dated and len({str(value) for value in table.values()}) < len(table.rows)
    if table.is_dated:
        step = Step("table", _dated(table, settings, strict=strict), None, {"enum": values})
    else:
        step = _plain("table", direct(table, settings.get("else"), strict=strict), None, {"enum": values})
    return replace(step, codes=frozenset(table.rows) if strict else None, lossy=merges or not strict)


def _dated(table: Table, settings: Mapping[str, Any], *, strict: bool) -> Run:
    find = lookup(table, settings.get("else"), strict=strict)
    day_at = reader(parse_path(settings["at"])) if "at" in settings else _now

    def run(found: Any, value: Any, scope: Mapping[str, Any]) -> Any:
        day = local_day(day_at(value, scope))
        if day is None:
            raise MappingError([Violation("", f"has no day that chooses a row of {table.name!r}: {settings.get('at')}", "date-invalid")])
        return find(found, day)

    return run


def _now(_value: Any, scope: Mapping[str, Any]) -> Any:
    return scope["now"]


def _hook(name: Any, toolbox: Toolbox) -> Step:
    hook = toolbox.hooks.get(name)
    if hook is None:
        message = f"hooks.py has no function {name!r}; it has {', '.join(sorted(toolbox.hooks)) or 'none'}"
        raise StepError(message)

    def run(found: Any, _value: Any, _scope: Mapping[str, Any]) -> Any:
        try:
            return hook(*found) if type(found) is tuple else hook(found)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise MappingError([Violation("", f"is refused by the hook {name!r}", "hook")]) from error

    return Step("hook", run)


def _join(separator: Any, _toolbox: Toolbox) -> Step:
    def run(found: Any, _value: Any, _scope: Mapping[str, Any]) -> Any:
        parts = [part for part in found if part is not None] if type(found) in {tuple, list} else [found]
        if not all(isinstance(part, str) for part in parts):
            raise MappingError([Violation("", "has a part that is not text", "type")])
        return separator.join(parts) or None

    return Step("join", run, None, _TEXT, lossy=True)


_BUILDERS: Mapping[str, Callable[[Any, Toolbox], Step]] = {
    "date": _date,
    "datetime": _datetime,
    "table": _table,
    "hook": _hook,
    "join": _join,
}
