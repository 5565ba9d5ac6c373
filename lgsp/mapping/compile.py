"""From rules to closures: a mapping becomes one function of its scope.

On the hot path a field costs one call that reads and, where declared, one for each step. Faults are gathered field by field, so that a
person sees all of them; their pointers lead into the canonical value: into the request that was sent, or the reply that was to be made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.errors import ContractError, Finding, MappingError, Violation
from lgsp.mapping.paths import NULL, reader
from lgsp.mapping.rules import RuleReader, Surroundings
from lgsp.mapping.source import shape
from lgsp.schema import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.mapping.paths import Read
    from lgsp.mapping.rules import Rule
    from lgsp.mapping.source import Source
    from lgsp.mapping.steps import Run

    Translate = Callable[[Mapping[str, Any]], Any]

SHAPE = "mapping.schema.json"
WAYS = ("request", "reply")


@dataclass(frozen=True, slots=True)
class Translation:
    """One mapping in one direction: the compiled function, its rules, and what it drops with reasons; `at` is its place in the file."""

    run: Translate
    rules: tuple[Rule, ...]
    drops: Mapping[str, str]
    at: str


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A compiled mapping.yaml: translations by (name, "request" or "reply")."""

    source: Source
    translations: Mapping[tuple[str, str], Translation]


def compile_mapping(source: Source, around: Surroundings | None = None) -> MappingFile:
    """Compile a mapping file. Raises ContractError with every fault of it."""
    findings: list[Finding] = shape(source, SHAPE)
    if findings:
        raise ContractError(findings)
    rules = RuleReader(source, around or Surroundings())
    rules.tables()
    wanted = [(name, way) for name, entry in source.value.items() if name != "tables" for way in WAYS if way in entry]
    read = {(name, way): rules.entry(name, way) for name, way in wanted}
    if rules.findings:
        raise ContractError(sorted(set(rules.findings), key=lambda finding: (finding.line, finding.pointer)))
    return MappingFile(source, {place: _translation(source, place, found) for place, found in read.items()})


def _translation(source: Source, place: tuple[str, str], rules: tuple[Rule, ...]) -> Translation:
    name, way = place
    build = _object(rules, way)
    drops = source.value[name].get("drops", {}).get(way, {})
    return Translation(lambda scope: build(scope["value"], scope) or {}, rules, drops, f"/{escape(name)}/{way}")


def _object(rules: Sequence[Rule], way: str) -> Read:
    fields = [_placed_field(rule, way) for rule in rules]
    reads_own = any(path.keys and not path.root for rule in rules for path in rule.sources)

    def build(value: Any, scope: Mapping[str, Any]) -> Any:
        if reads_own and type(value) is not dict:
            raise MappingError([Violation("", "is no object", "type")])
        target: dict[str, Any] = {}
        faults: list[Violation] = []
        for own_key, then, read, pointer, parents, key in fields:
            try:
                found = read(value, scope) if own_key is None else value.get(own_key)
                if then is not None and found is not None:
                    found = then(found, value, scope)
            except MappingError as error:
                faults += _under(pointer, error)
                continue
            if found is not None:
                holder = _holder(target, parents) if parents else target
                holder[key] = None if found is NULL else found
        if faults:
            raise MappingError(faults)
        return target or None

    return build


def _placed_field(rule: Rule, way: str) -> tuple[str | None, Run | None, Read, str, tuple[str, ...], str]:
    """What the builder of an object needs of one rule: how it is read, where its faults are told, where its value goes."""
    own_key = _own_key(rule)
    then = _chain(rule) if own_key is not None else None
    return own_key, then, _field(rule, way), _pointer(rule, way), rule.target[:-1], rule.target[-1]


def _holder(target: dict[str, Any], parents: Sequence[str]) -> dict[str, Any]:
    for parent in parents:
        target = target.setdefault(parent, {})
    return target


def _own_key(rule: Rule) -> str | None:
    """The one key that the rule reads, if it does no more than that and its steps: most rules do, and need no call to read."""
    plain = rule.kind == "from" and rule.when is None and rule.default is None and not rule.keep_null
    if not plain or len(rule.sources) != 1:
        return None
    path = rule.sources[0]
    return path.keys[0] if not path.root and len(path.keys) == 1 and not path.keys[0].isdecimal() else None


def _field(rule: Rule, way: str) -> Read:
    read = _stepped(_MAKERS[rule.kind](rule, way), rule)
    when, default = rule.when, rule.default
    if when is not None:
        read = _guarded(read, when)
    return read if default is None else _defaulted(read, default)


def _stepped(read: Read, rule: Rule) -> Read:
    then = _chain(rule)
    if then is None:
        return read

    def stepped(value: Any, scope: Mapping[str, Any]) -> Any:
        found = read(value, scope)
        return found if found is None or found is NULL else then(found, value, scope)

    return stepped


def _chain(rule: Rule) -> Run | None:
    """The steps of a rule as one; None if there are none."""
    runs = [step.run for step in rule.steps]
    if len(runs) < 2:  # noqa: PLR2004 - one step is its own chain
        return runs[0] if runs else None
    first, *others = runs

    def chained(found: Any, value: Any, scope: Mapping[str, Any]) -> Any:
        found = first(found, value, scope)
        for run in others:
            if found is None:
                break
            found = run(found, value, scope)
        return found

    return chained


def _guarded(read: Read, when: Callable[[Any], Any]) -> Read:
    return lambda value, scope: read(value, scope) if when((value, scope)) else None


def _defaulted(read: Read, default: Any) -> Read:
    def or_default(value: Any, scope: Mapping[str, Any]) -> Any:
        found = read(value, scope)
        return default if found is None else found

    return or_default


def _from(rule: Rule, _way: str) -> Read:
    if len(rule.sources) == 1:
        return reader(rule.sources[0], keep_null=rule.keep_null)
    reads = [reader(path) for path in rule.sources]

    def several(value: Any, scope: Mapping[str, Any]) -> Any:
        found = tuple(read(value, scope) for read in reads)
        return None if all(part is None for part in found) else found

    return several


def _const(rule: Rule, _way: str) -> Read:
    const = NULL if rule.const is None else rule.const
    return lambda _value, _scope: const


def _map(rule: Rule, way: str) -> Read:
    read, build = reader(rule.sources[0]), _object(rule.parts, way)

    def mapped(value: Any, scope: Mapping[str, Any]) -> Any:
        found = read(value, scope)
        return None if found is None else build(found, scope)

    return mapped


def _each(rule: Rule, way: str) -> Read:
    read, build = reader(rule.sources[0]), _object(rule.parts, way)

    def mapped(value: Any, scope: Mapping[str, Any]) -> Any:
        found = read(value, scope)
        if found is None:
            return None
        items, faults = [], []
        for at, item in enumerate(found if type(found) is list else [found]):
            try:
                items.append(build(item, scope) or {})
            except MappingError as error:
                faults += _under(f"/{at}", error)
        if faults:
            raise MappingError(faults)
        return items

    return mapped


def _first(rule: Rule, way: str) -> Read:
    reads = [_placed(part, way) for part in rule.parts]

    def first(value: Any, scope: Mapping[str, Any]) -> Any:
        for read in reads:
            found = read(value, scope)
            if found is not None:
                return found
        return None

    return first


def _list(rule: Rule, way: str) -> Read:
    reads = [_placed(part, way) for part in rule.parts]

    def members(value: Any, scope: Mapping[str, Any]) -> Any:
        found = [read(value, scope) for read in reads]
        return [member for member in found if member is not None] or None

    return members


def _placed(rule: Rule, way: str) -> Read:
    """A choice or member with its own place in a request's pointers; in a reply the target's place is enough."""
    read, pointer = _field(rule, way), _pointer(rule, way)
    if not pointer:
        return read

    def placed(value: Any, scope: Mapping[str, Any]) -> Any:
        try:
            return read(value, scope)
        except MappingError as error:
            raise MappingError(_under(pointer, error)) from error

    return placed


def _pointer(rule: Rule, way: str) -> str:
    if way == "reply":
        return "".join(f"/{key}" for key in rule.target)
    own = [path for path in rule.sources if not path.root]
    return own[0].pointer if own else ""


def _under(pointer: str, error: MappingError) -> list[Violation]:
    return [Violation(pointer + each.pointer, each.detail, each.code) for each in error.violations]


_MAKERS: Mapping[str, Callable[[Rule, str], Read]] = {
    "from": _from,
    "const": _const,
    "map": _map,
    "each": _each,
    "first": _first,
    "list": _list,
}
