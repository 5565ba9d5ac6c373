"""From rules to closures: a mapping becomes one function of its scope.

On the hot path a field costs one call that reads and, where declared, one for each step. Faults are gathered field by field, so that a
person sees all of them; their pointers lead into the canonical value: into the request that was sent, or the reply that was to be made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.errors import ContractError, Finding, MappingError, Violation
from lgsp.mapping.paths import NULL, reader, walk
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


AT_ROOT: tuple[str, ...] = ()


def _expect_object(value: Any) -> None:
    if type(value) is not dict:
        raise MappingError([Violation("", "is no object", "type")])


def _object(rules: Sequence[Rule], way: str) -> Read:
    """What builds an object by its rules. Neighbours mostly share the holder they read from and the one they write to: both are kept."""
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    fields = [_placed_field(rule, way, shared) for rule in rules]
    reads_own = any(path.keys and not path.root for rule in rules for path in rule.sources)

    def build(value: Any, scope: Mapping[str, Any]) -> Any:
        if reads_own:
            _expect_object(value)
        target: dict[str, Any] = {}
        faults: list[Violation] = []
        source, read_from = value, AT_ROOT
        into, write_to = target, AT_ROOT
        for above, own_key, then, read, pointer, parents, key in fields:
            try:
                if above is not read_from and own_key is not None:
                    source, read_from = walk(value, above), above
                found = read(value, scope) if own_key is None else source.get(own_key) if type(source) is dict else walk(source, (own_key,))
                if then is not None and found is not None:
                    found = then(found, value, scope)
            except MappingError as error:
                faults += _under(pointer, error)
                continue
            if found is None:
                continue
            if parents is not write_to:
                into, write_to = _holder(target, parents), parents
            into[key] = None if found is NULL else found
        if faults:
            raise MappingError(faults)
        return target or None

    return build


Placed = tuple[tuple[str, ...], "str | None", "Run | None", "Read", str, tuple[str, ...], str]


def _placed_field(rule: Rule, way: str, shared: dict[tuple[str, ...], tuple[str, ...]]) -> Placed:
    """What the builder of an object needs of one rule: where and how it is read, where its faults are told, where its value goes."""
    above, own_key = _own_key(rule)
    then = _chain(rule) if own_key is not None else None
    parents = rule.target[:-1]
    above, parents = shared.setdefault(above, above), shared.setdefault(parents, parents)
    return above, own_key, then, _field(rule, way), _pointer(rule, way), parents, rule.target[-1]


def _holder(target: dict[str, Any], parents: Sequence[str]) -> dict[str, Any]:
    for parent in parents:
        target = target.setdefault(parent, {})
    return target


def _own_key(rule: Rule) -> tuple[tuple[str, ...], str | None]:
    """Holder and key that the rule reads, if it does no more than that and its steps: most rules do, and need no call to read."""
    plain = rule.kind == "from" and rule.when is None and rule.default is None and not rule.keep_null
    path = rule.sources[0] if plain and len(rule.sources) == 1 else None
    if path is None or path.root or not path.keys or any(key.isdecimal() for key in path.keys):
        return (), None
    return path.keys[:-1], path.keys[-1]


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
