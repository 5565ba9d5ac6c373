"""From rules to closures: a mapping becomes one function of its scope.

On the hot path neighbouring fields share one loop, and a field costs a call for each of its steps. Faults are gathered field by field,
so that a person sees all of them; their pointers lead into the canonical value: into the request that was sent, or the reply that was to be
made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lgsp.errors import ContractError, Finding, MappingError, Violation
from lgsp.mapping.paths import NULL, reader, walk
from lgsp.mapping.rules import RuleReader, Surroundings
from lgsp.mapping.source import shape
from lgsp.schema import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lgsp.mapping.paths import Read
    from lgsp.mapping.rules import Rule
    from lgsp.mapping.source import Source
    from lgsp.mapping.steps import Run
    from lgsp.model.code_tables import CodeTable

    Translate = Callable[[Mapping[str, Any]], Any]
    Fill = Callable[[Any, Mapping[str, Any], list[Violation]], dict[str, Any] | None]

SHAPE = "mapping.schema.json"
WAYS = ("request", "reply")
IDENTITY = "identity"
"""The name of the mapping that nobody writes: canonical and native are one form."""


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
    tables: Mapping[str, CodeTable] = field(default_factory=dict)


def compile_mapping(source: Source, around: Surroundings | None = None) -> MappingFile:
    """Compile a mapping file. Raises ContractError with every fault of it."""
    findings: list[Finding] = shape(source, SHAPE)
    if not findings and IDENTITY in source.value:
        findings = [source.finding(f"/{IDENTITY}", "name", "means that nothing is translated and cannot be written", "name it otherwise")]
    if findings:
        raise ContractError(findings)
    rules = RuleReader(source, around or Surroundings())
    rules.tables()
    wanted = [(name, way) for name, entry in source.value.items() if name != "tables" for way in WAYS if way in entry]
    read = {(name, way): rules.entry(name, way) for name, way in wanted}
    if rules.findings:
        raise ContractError(sorted(set(rules.findings), key=lambda finding: (finding.line, finding.pointer)))
    translations = {place: _translation(source, place, found) for place, found in read.items()}
    return MappingFile(source, {**_identity(), **translations}, rules.code_tables())


def no_mapping(source: Source) -> MappingFile:
    """What stands for the mapping.yaml of an adapter whose operations are all taken as they are."""
    return MappingFile(source, _identity())


def _identity() -> dict[tuple[str, str], Translation]:
    same = Translation(_as_it_is, (), {}, "")
    return {(IDENTITY, way): same for way in WAYS}


def _translation(source: Source, place: tuple[str, str], rules: tuple[Rule, ...]) -> Translation:
    name, way = place
    build = _object(rules, way)
    drops = source.value[name].get("drops", {}).get(way, {})
    return Translation(lambda scope: build(scope["value"], scope) or {}, rules, drops, f"/{escape(name)}/{way}")


def _as_it_is(scope: Mapping[str, Any]) -> Any:
    """A copy as far as what a manifest adds (a session's token, `with`) could change it."""
    value = scope["value"]
    return dict(value) if type(value) is dict else value


def _expect_object(value: Any) -> None:
    if type(value) is not dict:
        raise MappingError([Violation("", "is no object", "type")])


def _object(rules: Sequence[Rule], way: str) -> Read:
    """What builds an object by its rules, group by group."""
    fills = [
        (parents, _copied(above, group, way) if copies else _computed(group[0], way)) for copies, above, parents, group in _groups(rules)
    ]
    reads_own = any(path.keys and not path.root for rule in rules for path in rule.sources)

    def build(value: Any, scope: Mapping[str, Any]) -> Any:
        if reads_own:
            _expect_object(value)
        target: dict[str, Any] = {}
        faults: list[Violation] = []
        for parents, fill in fills:
            made = fill(value, scope, faults)
            if made and (parents or target):
                _put(target, parents, made)
            elif made:
                target = made
        if faults:
            raise MappingError(faults)
        return target or None

    return build


def _groups(rules: Sequence[Rule]) -> Iterator[tuple[bool, tuple[str, ...], tuple[str, ...], list[Rule]]]:
    """Neighbours that copy from one holder to another, which most rules do, together; all others one by one."""
    for (copies, above, parents), group in groupby(rules, lambda rule: (_copies(rule), _holder(rule), rule.target[:-1])):
        if copies:
            yield True, above, parents, list(group)
        else:
            yield from ((False, above, parents, [rule]) for rule in group)


def _copies(rule: Rule) -> bool:
    """Whether the rule takes one value from an object and changes it by nothing but itself."""
    if rule.kind != "from" or len(rule.sources) != 1 or rule.when is not None or rule.default is not None or rule.keep_null:
        return False
    path = rule.sources[0]
    is_plain = bool(path.keys) and not path.root and not any(key.isdecimal() for key in path.keys)
    return is_plain and all(step.alone is not None for step in rule.steps)


def _holder(rule: Rule) -> tuple[str, ...]:
    return rule.sources[0].keys[:-1] if rule.sources else ()


def _put(target: dict[str, Any], parents: tuple[str, ...], made: dict[str, Any]) -> None:
    """Put what a group made where it belongs, beside what is there."""
    if not parents:
        target.update(made)
        return
    *above, last = parents
    for parent in above:
        target = target.setdefault(parent, {})
    held = target.setdefault(last, made)
    if held is not made:
        held.update(made)


def _copied(above: tuple[str, ...], rules: Sequence[Rule], way: str) -> Fill:
    fields = [(rule.target[-1], rule.sources[0].keys[-1], _change(rule), _pointer(rule, way)) for rule in rules]

    def fill(value: Any, _scope: Mapping[str, Any], faults: list[Violation]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        source = value
        for name in above:
            source = source.get(name) if type(source) is dict else None
        if type(source) is not dict:
            faults += _unreadable(value, rules, way)
            return made
        get = source.get
        for key, own_key, change, pointer in fields:
            found = get(own_key)
            if found is not None and change is not None:
                try:
                    found = change(found)
                except MappingError as error:
                    faults += _under(pointer, error)
                    continue
            if found is not None:
                made[key] = found
        return made

    return fill


def _unreadable(value: Any, rules: Sequence[Rule], way: str) -> Iterator[Violation]:
    """What is wrong where the holder is no object; nothing if it is only absent."""
    for rule in rules:
        try:
            walk(value, rule.sources[0].keys)
        except MappingError as error:
            yield from _under(_pointer(rule, way), error)


def _change(rule: Rule) -> Callable[[Any], Any] | None:
    """The steps of a rule that copies, as one."""
    changes = [step.alone for step in rule.steps if step.alone is not None]
    if len(changes) < 2:  # noqa: PLR2004 - one step is its own chain
        return changes[0] if changes else None

    def change(found: Any) -> Any:
        for each in changes:
            if found is None:
                break
            found = each(found)
        return found

    return change


def _computed(rule: Rule, way: str) -> Fill:
    read, key, pointer = _field(rule, way), rule.target[-1], _pointer(rule, way)

    def fill(value: Any, scope: Mapping[str, Any], faults: list[Violation]) -> dict[str, Any] | None:
        try:
            found = read(value, scope)
        except MappingError as error:
            faults += _under(pointer, error)
            return None
        return None if found is None else {key: None if found is NULL else found}

    return fill


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
