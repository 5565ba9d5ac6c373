"""Proves a mapping against both schemas, before any message: nothing required is left out, types and codes agree, losses are declared.

For every rule: its sources and its target exist, what the steps take and give agrees with both schemas, and codes that a table lists cover
what may come and fit what may go out. For every object: each required target field has a source that is surely there, or a default. For the
whole: each source field is read, or `drops` says why it is not. A step that loses something (capitals, joined parts, two codes that become
one) passes with a written `lossy` reason only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from lgsp.mapping.dates import ISO_DATES
from lgsp.mapping.view import View, view
from lgsp.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lgsp.errors import Finding
    from lgsp.mapping.compile import Translation
    from lgsp.mapping.paths import Path
    from lgsp.mapping.rules import Rule
    from lgsp.mapping.source import Source

    Schema = Mapping[str, Any]

ITEM = "*"
_DEEPEST_PLACE = 24
_SAMPLES = {"yyyy-MM-dd": "1990-05-17", "yyyy-MM": "1990-05", "yyyy": "1990"}


@dataclass(frozen=True, slots=True)
class Sent:
    """One call's request: its translation, the provider's schema, and the native paths that something else fills (`with`, a session)."""

    translation: Translation
    native: Schema
    given: frozenset[tuple[str, ...]] = frozenset()


def prove_request(source: Source, sent: Sequence[Sent], canonical: Schema) -> list[Finding]:
    """What is wrong with the requests that an operation sends; a field is dropped only if none of its calls reads it."""
    proof = _Proof(source)
    for call in sent:
        proof.object(call.translation.rules, (view(canonical), ()), view(call.native), call.translation.at, call.given)
    if sent:
        drops = {path for call in sent for path in call.translation.drops}
        proof.dropped(view(canonical), drops, sent[-1].translation.at)
    return proof.findings


def prove_reply(source: Source, translation: Translation, native: Schema, canonical: Schema) -> list[Finding]:
    """What is wrong with the reply that is made of the last call's answer."""
    proof = _Proof(source)
    proof.object(translation.rules, (view(native), ()), view(canonical), translation.at)
    proof.dropped(view(native), set(translation.drops), translation.at)
    return proof.findings


Spot = tuple[View, tuple[str, ...]]
"""A source object: its view, and its place from the root with ITEM for any index."""


@dataclass(slots=True)
class _Proof:
    """Walks rules and both schemas together; findings and the source places that were read gather on the way."""

    source: Source
    findings: list[Finding] = field(default_factory=list)
    read: set[tuple[str, ...]] = field(default_factory=set)

    def object(self, rules: Sequence[Rule], spot: Spot, target: View, at: str, given: frozenset[tuple[str, ...]] = frozenset()) -> None:
        """The rules of one object."""
        by_name: dict[str, list[tuple[Rule, tuple[str, ...]]]] = {}
        for rule in rules:
            by_name.setdefault(rule.target[0], []).append((rule, rule.target[1:]))
        self._members(by_name, spot, target, at, {keys for keys in given if keys})
        self._dates(rules, spot)

    def _members(
        self, members: Mapping[str, list[tuple[Rule, tuple[str, ...]]]], spot: Spot, target: View, at: str, given: set[tuple[str, ...]]
    ) -> None:
        for name, inside in members.items():
            inner = target.member(name)
            rule, rest = inside[0]
            if inner is None:
                self._fault(rule.at, "target-unknown", f"the target has no {name!r}", _nearest(name, target.properties()))
            elif rest:
                deeper: dict[str, list[tuple[Rule, tuple[str, ...]]]] = {}
                for each, keys in inside:
                    deeper.setdefault(keys[0], []).append((each, keys[1:]))
                self._members(deeper, spot, inner, rule.at, set())
            else:
                self._rule(rule, spot, inner, required=name in target.required())
        self._required(set(members) | {keys[0] for keys in given}, target, at)

    def _required(self, made: set[str], target: View, at: str) -> None:
        for name in sorted(target.required() - made):
            self._fault(at, "target-missing", f"the required {name!r} has no source", "add a rule for it, or a default")
        for alternatives in target.choices():
            if alternatives and not any(names <= made for names in alternatives):
                listed = " or ".join(", ".join(sorted(names)) for names in alternatives)
                self._fault(at, "target-missing", f"one of {listed} is required and none has a source", "add a rule for one of them")

    def _rule(self, rule: Rule, spot: Spot, target: View, *, required: bool) -> None:
        found = [self._follow(path, spot, rule) for path in rule.sources]
        sure = all(each is None or each[1] for each in found) and rule.when is None
        if required and rule.kind in {"from", "each", "map"} and not sure and rule.default is None:
            reason = "the target is required and the source may be absent"
            self._fault(rule.at, "source-optional", reason, "add a default, or make the source required")
        if rule.default is not None:
            self._fits(rule, [rule.default], target)
        spots = [each[0] for each in found if each is not None]
        getattr(self, f"_{rule.kind}")(rule, spots, (spot, target))
        losing = [step.name for step in rule.steps if step.lossy]
        if losing and rule.lossy is None:
            self._fault(rule.at, "lossy", f"{', '.join(losing)} loses something of the source", "say why that is right in `lossy`")

    def _from(self, rule: Rule, spots: Sequence[Spot], place: tuple[Spot, View]) -> None:
        self.read |= {where for _, where in spots}
        value = spots[0][0] if len(spots) == len(rule.sources) == 1 else None
        types, values = (value.types(), value.values()) if value is not None else (frozenset[str](), None)
        for step in rule.steps:
            takes = view(step.takes).types() if step.takes is not None else types
            if not types <= takes:
                self._fault(rule.at, "type", f"the step {step.name} takes {_listed(takes)}, the source has {_listed(types)}")
            missing = [code for code in values or () if step.codes is not None and _text(code) not in step.codes]
            if missing:
                self._fault(rule.at, "code-missing", f"the table has no row for {', '.join(map(str, missing))}", "add rows, or an `else`")
            gives = view(step.gives) if step.gives is not None else None
            types, values = (gives.types(), gives.values()) if gives is not None else (frozenset[str](), None)
        self._agree(rule, types, values, place[1])

    def _agree(self, rule: Rule, types: frozenset[str], values: list[Any] | None, target: View) -> None:
        wanted = target.types()
        if types and wanted and not _covered(types, wanted):
            self._fault(rule.at, "type", f"the target takes {_listed(wanted)}, this gives {_listed(types)}", "add a step that converts it")
        elif values is not None:
            self._fits(rule, values, target)

    def _fits(self, rule: Rule, values: Sequence[Any], target: View) -> None:
        allowed, wanted = target.values(), target.types()
        wrong = [value for value in values if allowed is not None and value not in allowed]
        wrong += [value for value in values if allowed is None and wanted and not _covered(view({"const": value}).types(), wanted)]
        if wrong:
            self._fault(rule.at, "value", f"the target does not take {', '.join(map(repr, wrong))}")

    def _const(self, rule: Rule, _spots: Sequence[Spot], place: tuple[Spot, View]) -> None:
        self._fits(rule, [rule.const], place[1])

    def _each(self, rule: Rule, spots: Sequence[Spot], place: tuple[Spot, View]) -> None:
        self._kind(rule, place[1], "array")
        for seen, where in spots:
            if seen.types() and "array" not in seen.types():
                self._fault(rule.at, "type", f"`each` needs a list, the source is {_listed(seen.types())}", "use `from` with `map`")
            self.object(rule.parts, (seen.items(), (*where, ITEM)), place[1].items(), rule.at)

    def _map(self, rule: Rule, spots: Sequence[Spot], place: tuple[Spot, View]) -> None:
        self._kind(rule, place[1], "object")
        for seen, where in spots:
            if seen.types() and "object" not in seen.types():
                self._fault(rule.at, "type", f"`map` needs an object, the source is {_listed(seen.types())}", "use `each` for a list")
            self.object(rule.parts, (seen, where), place[1], rule.at)

    def _first(self, rule: Rule, _spots: Sequence[Spot], place: tuple[Spot, View]) -> None:
        for part in rule.parts:
            self._rule(part, place[0], place[1], required=False)
        self._dates(rule.parts, place[0])

    def _list(self, rule: Rule, _spots: Sequence[Spot], place: tuple[Spot, View]) -> None:
        self._kind(rule, place[1], "array")
        for part in rule.parts:
            self._rule(part, place[0], place[1].items(), required=False)

    def _kind(self, rule: Rule, target: View, made: str) -> None:
        if target.types() and made not in target.types():
            self._fault(rule.at, "type", f"the target takes {_listed(target.types())}, this gives {made}")

    def _follow(self, path: Path, spot: Spot, rule: Rule) -> tuple[Spot, bool] | None:
        """The place that a path leads to, and whether a value is surely there; None for what no schema describes."""
        if path.root:
            return None
        seen, where = spot
        sure = True
        for key in path.keys:
            inner = seen.member(key)
            if inner is None:
                self._fault(rule.at, "source-unknown", f"the source has no {str(path)!r}", _nearest(key, seen.properties()))
                return None
            sure = sure and key in seen.required()
            seen, where = inner, (*where, ITEM if key.isdecimal() else key)
        return (seen, where), sure

    def _dates(self, rules: Sequence[Rule], spot: Spot) -> None:
        """Dates that may be partial need a rule for each precision that the source allows."""
        for keys, group in _dated(rules).items():
            found = self._follow(group[0].sources[0], spot, group[0])
            if found is None or any(rule.lossy or rule.default is not None for rule in group):
                continue
            made = {_precision(rule) for rule in group}
            check = compile_schema({**found[0][0].node, "$defs": found[0][0].root.get("$defs", {})})
            lost = [form for form in ISO_DATES if not check(_SAMPLES[form]) and ISO_DATES.index(form) not in made]
            if made <= set(range(len(ISO_DATES))) and lost:
                reason = f"{'.'.join(keys)} may be a date like {' or '.join(_SAMPLES[form] for form in lost)}, for which there is no rule"
                self._fault(group[0].at, "date-partial", reason, "add a rule with that precision, or a `lossy` reason")

    def dropped(self, source: View, drops: set[str], at: str) -> None:
        """Source fields that nothing reads and no reason covers, and reasons for fields that do not exist or are read."""
        unread = set(_unread(source, (), self.read, 0))
        named = {".".join(key for key in place if key != ITEM) for place in unread}
        for name in sorted(named - drops):
            self._fault(at, "dropped", f"{name} of the source is not carried over", "map it, or say why not in `drops`")
        for name in sorted(drops - named):
            self._fault(at, "drops", f"{name} is not dropped: it is read, or the source has no such field", "remove it from `drops`")

    def _fault(self, at: str, rule: str, reason: str, fix: str = "") -> None:
        finding = self.source.finding(at, rule, reason, fix)
        if finding not in self.findings:
            self.findings.append(finding)


def _dated(rules: Sequence[Rule]) -> Mapping[tuple[str, ...], list[Rule]]:
    found: dict[tuple[str, ...], list[Rule]] = {}
    for rule in rules:
        if rule.kind == "from" and len(rule.sources) == 1 and not rule.sources[0].root and _precision(rule) is not None:
            found.setdefault(rule.sources[0].keys, []).append(rule)
    return found


def _precision(rule: Rule) -> int | None:
    """Index in ISO_DATES of what a rule's date step writes; None without such a step."""
    return next((step.precision for step in rule.steps if step.precision is not None), None)


def _unread(source: View, place: tuple[str, ...], read: set[tuple[str, ...]], depth: int) -> Iterator[tuple[str, ...]]:
    """The topmost places below which nothing was read."""
    if place in read or depth > _DEEPEST_PLACE:
        return
    if place and not any(other[: len(place)] == place for other in read):
        yield place
        return
    if "array" in source.types():
        yield from _unread(source.items(), (*place, ITEM), read, depth + 1)
    for name, inner in source.properties().items():
        yield from _unread(inner, (*place, name), read, depth + 1)


def _covered(types: frozenset[str], wanted: frozenset[str]) -> bool:
    return all(name in wanted or (name == "integer" and "number" in wanted) for name in types)


def _listed(types: frozenset[str]) -> str:
    return " or ".join(sorted(types))


def _text(code: Any) -> str:
    return code if isinstance(code, str) else str(code)


def _nearest(name: str, names: Mapping[str, View]) -> str:
    close = get_close_matches(name, names, 1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(names)[:12])}" if names else ""
