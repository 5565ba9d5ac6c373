"""The meaning of mapping.yaml: a tree of rules for each named mapping and direction, or every fault of the file at once.

    Target.path: source.path                                  # copied; `.` is the current value, `$root.name` reads beside it
    Target: {from: path, do: [steps], default: value, when: expression, keep_null: true, lossy: reason}
    Target: {from: [one, two], do: [{join: ' '}]}             # several sources and a step that makes one value of them
    Target: {const: value}
    Target: {each: list.path, map: name or rules}             # a list; inner paths start at the item
    Target: {from: object.path, map: name or rules}           # an object; without `from`, of the current value
    Target: {first: [rule, rule]}                             # the first that gives a value
    Target: {list: [rule, rule]}                              # a list of what they give

Absent sources leave no key. `default`, `when` and `do` apply to what any kind gives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from lgsp.mapping.expression import ExpressionError, compile_expression
from lgsp.mapping.paths import Path, PathError, parse_path, parse_target, reader
from lgsp.mapping.steps import Step, StepError, Toolbox, build_step
from lgsp.mapping.tables import WAYS, clash_of, clashes, extend, read_table
from lgsp.model.code_tables import CodeTable
from lgsp.schema import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from lgsp.errors import Finding
    from lgsp.mapping.source import Source

KINDS = ("from", "const", "each", "map", "first", "list")
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: where a target value comes from. `at` is its place in the file.

    kind: one of KINDS. sources: paths (`each` and `map` have one, `from` one or more). parts: the rules of the inner object for `each` and
    `map`, the choices of `first`, the members of `list`. steps, when, default apply to whatever the kind gives.
    """

    target: tuple[str, ...]
    at: str
    kind: str
    sources: tuple[Path, ...] = ()
    const: Any = None
    steps: tuple[Step, ...] = ()
    parts: tuple[Rule, ...] = ()
    when: Callable[[Any], Any] | None = None
    default: Any = None
    keep_null: bool = False
    lossy: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a mapping may name besides its own file.

    uses: bound references. known: replies of earlier calls, each with the judgement whether it found something, which expressions read as
    `$known.NAME.found`. hooks: the adapter's functions.
    """

    uses: Collection[str] = ()
    known: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    hooks: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


@dataclass(slots=True)
class RuleReader:
    """Reads the rules of one file; faults gather in `findings` while it goes on."""

    source: Source
    around: Surroundings
    findings: list[Finding] = field(default_factory=list)
    _toolboxes: dict[str, Toolbox] = field(default_factory=dict)
    _way: str = ""
    _inside: list[str] = field(default_factory=list)

    def tables(self) -> None:
        """Read the code tables for both directions."""
        for way in WAYS:
            found = {name: read_table(name, rows, way) for name, rows in self.source.value.get("tables", {}).items()}
            self._toolboxes[way] = Toolbox(found, self.around.hooks)
            for name, table in found.items():
                for one, other in clashes(table):
                    reason = f"the code {other.code!r} has a row already at {one.at + 1} that holds on the same days ({way})"
                    self.fault(f"/tables/{name}/{other.at}", "table-clash", reason, "end one row before the other, or give it a `way`")

    def code_tables(self) -> Mapping[str, CodeTable]:
        """The tables as people see and extend them."""
        declared: Mapping[str, Any] = self.source.value.get("tables", {})
        return {name: self._code_table(name, tuple(rows)) for name, rows in declared.items()}

    def _code_table(self, name: str, rows: tuple[Mapping[str, Any], ...]) -> CodeTable:
        both = {way: self._toolboxes[way].tables[name] for way in WAYS}
        return CodeTable(name, rows, partial(extend, both), partial(clash_of, name, rows))

    def entry(self, name: str, way: str) -> tuple[Rule, ...]:
        """The rules of one mapping in one direction."""
        self._way, self._inside = way, [name]
        return self._object(self.source.value[name][way], f"/{escape(name)}/{way}")

    def fault(self, at: str, rule: str, reason: str, fix: str = "") -> None:
        """Note a fault and go on."""
        self.findings.append(self.source.finding(at, rule, reason, fix))

    def _object(self, rules: Mapping[str, Any], at: str) -> tuple[Rule, ...]:
        found: list[Rule] = []
        for target, spec in rules.items():
            place = f"{at}/{escape(target)}"
            try:
                keys = parse_target(target)
            except PathError as error:
                self.fault(place, "path", str(error))
                continue
            clash = next((rule for rule in found if keys[: len(rule.target)] == rule.target or rule.target[: len(keys)] == keys), None)
            if clash is not None:
                self.fault(place, "target-clash", f"{target} and {'.'.join(clash.target)} cannot both be set", "name the inner fields only")
            rule = self._rule(keys, spec, place)
            if rule is not None:
                found.append(rule)
        return tuple(found)

    def _rule(self, target: tuple[str, ...], spec: Any, at: str) -> Rule | None:
        if isinstance(spec, str):
            sources = self._paths([spec], at)
            return Rule(target, at, "from", sources) if sources else None
        kinds = [kind for kind in KINDS if kind in spec]
        if kinds in (["each", "map"], ["from", "map"]):
            kinds = [kinds[0] if kinds[0] == "each" else "map"]
        if len(kinds) != 1:
            reason = f"a rule has one of {', '.join(KINDS)}" + (f", not {' and '.join(kinds)}" if kinds else "")
            self.fault(at, "rule", reason)
            return None
        return self._kinds(kinds[0], target, spec, at)

    def _kinds(self, kind: str, target: tuple[str, ...], spec: Mapping[str, Any], at: str) -> Rule:
        return Rule(
            target,
            at,
            kind,
            sources=self._sources(kind, spec, at),
            const=spec.get("const"),
            steps=self._steps(spec.get("do", []), f"{at}/do"),
            parts=self._parts(kind, spec, at),
            when=self._when(spec["when"], f"{at}/when") if "when" in spec else None,
            default=spec.get("default"),
            keep_null=spec.get("keep_null", False),
            lossy=spec.get("lossy"),
        )

    def _sources(self, kind: str, spec: Mapping[str, Any], at: str) -> tuple[Path, ...]:
        if kind == "each":
            if "map" not in spec:
                self.fault(at, "rule", "`each` needs `map`: a name or the rules of one item")
            return self._paths([spec["each"]], f"{at}/each")
        if kind == "map":
            return self._paths([spec.get("from", ".")], f"{at}/from")
        if kind == "from":
            paths = spec["from"] if isinstance(spec["from"], list) else [spec["from"]]
            if len(paths) > 1 and not spec.get("do"):
                self.fault(at, "rule", "several sources need a step that makes one value of them", "add `do: [{join: ' '}]` or a hook")
            return self._paths(paths, f"{at}/from")
        return ()

    def _paths(self, texts: list[str], at: str) -> tuple[Path, ...]:
        found = []
        for text in texts:
            try:
                path = parse_path(text)
            except PathError as error:
                self.fault(at, "path", str(error))
                continue
            self._reachable(path, at)
            found.append(path)
        return tuple(found)

    def _reachable(self, path: Path, at: str) -> None:
        if path.root in {"request", "known"} and self._way == "request" and path.root == "request":
            self.fault(at, "path", "$request is there in replies only; a request's own paths have no prefix")
        declared = {"uses": self.around.uses, "known": self.around.known}.get(path.root)
        if declared is not None and path.keys[0] not in declared:
            names = ", ".join(sorted(declared)) or "nothing"
            self.fault(at, "path", f"${path.root}.{path.keys[0]} is not declared in adapter.yaml, which declares {names}")

    def _steps(self, specs: list[Any], at: str) -> tuple[Step, ...]:
        found = []
        for place, spec in enumerate(specs):
            try:
                found.append(build_step(spec, self._toolboxes[self._way]))
            except (StepError, PathError, ValueError) as error:
                self.fault(f"{at}/{place}", "step", str(error))
        return tuple(found)

    def _parts(self, kind: str, spec: Mapping[str, Any], at: str) -> tuple[Rule, ...]:
        if kind in {"first", "list"}:
            options = (self._rule((), part, f"{at}/{kind}/{place}") for place, part in enumerate(spec[kind]))
            return tuple(option for option in options if option is not None)
        inner = spec.get("map")
        if isinstance(inner, str):
            return self._named(inner, f"{at}/map")
        return self._object(inner, f"{at}/map") if inner else ()

    def _named(self, name: str, at: str) -> tuple[Rule, ...]:
        rules = self.source.value.get(name, {}).get(self._way) if name != "tables" else None
        if rules is None:
            self.fault(at, "map-unknown", f"there is no mapping {name!r} with a {self._way}")
            return ()
        if name in self._inside or len(self._inside) >= _DEEPEST:
            self.fault(at, "map-cycle", f"{' > '.join([*self._inside, name])} never ends")
            return ()
        self._inside.append(name)
        found = self._object(rules, f"/{escape(name)}/{self._way}")
        self._inside.pop()
        return found

    def _when(self, text: str, at: str) -> Callable[[Any], Any] | None:
        try:
            return compile_expression(text, self._expression_path)
        except ExpressionError as error:
            self.fault(at, "expression", str(error))
            return None

    def _expression_path(self, keys: tuple[str, ...]) -> Callable[[Any], Any]:
        try:
            path = parse_path(".".join(keys))
        except PathError as error:
            raise LookupError(str(error)) from None
        before = len(self.findings)
        self._reachable(path, "")
        if len(self.findings) > before:
            raise LookupError(self.findings.pop().reason)
        if path.root == "known" and path.keys[1:] == ("found",):
            name, judge = path.keys[0], self.around.known[path.keys[0]]
            return lambda frame: judge(frame[1]["known"].get(name))
        read = reader(path)
        return lambda frame: read(*frame)
