"""What JSON values of a schema look like, in the few words that XML has an answer to: text, numbers, lists, records, maps, choices.

Rules that only forbid (`not`, `if`, bounds between members, a `oneOf` of required names) shape nothing and are left to JSON Schema, which
judges every value anyway. What SOAP cannot carry at all is told with its place, the reason, and a fix.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lgsp.schema import compile_schema, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lgsp.schema import Check

    Tell = Callable[[str, str, str], None]  # place, reason, fix
    Node = Mapping[str, Any]

DEFS = "#/$defs/"
_FACETS = ("enum", "const", "minLength", "maxLength", "pattern", "format", "contentEncoding", "minimum", "maximum", "minItems", "maxItems")
_SHAPING = frozenset(
    {"type", "properties", "items", "enum", "const", "$ref", "additionalProperties", "prefixItems", "allOf", "oneOf", "anyOf"},
)
_MEANT = {
    "object": ("properties", "additionalProperties", "patternProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "string": ("pattern", "minLength", "maxLength", "contentEncoding", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_DEEPEST = 40


class Sort(StrEnum):
    """What a JSON value is, as far as XML must tell it apart."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    LIST = "list"
    RECORD = "record"
    MAP = "map"
    CHOICE = "choice"
    NOTHING = "nothing"


_SORTS = {"string": Sort.TEXT, "boolean": Sort.BOOLEAN, "integer": Sort.INTEGER, "number": Sort.NUMBER}


@dataclass(slots=True, eq=False)
class Form:
    """One value. null: it may be null. name: the component that it is, so that forms which contain themselves end.

    facets: keywords of JSON Schema that bound a simple value or a list. members, required: of a record. item: of a list or a map. options:
    of a choice, each with its name, its form, and the check that tells its values from the others'.
    """

    sort: Sort = Sort.NOTHING
    null: bool = False
    name: str = ""
    facets: dict[str, Any] = field(default_factory=dict)
    members: dict[str, Form] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    item: Form | None = None
    options: list[tuple[str, Form, Check]] = field(default_factory=list)


class Forms:
    """Reads the forms of one self-contained schema after the other; components are read once. `tell` hears what SOAP cannot carry."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.named: dict[str, Form] = {}

    def of(self, schema: Node, at: str) -> Form:
        """The form of a schema with everything that it references under `$defs`."""
        return self.form({name: part for name, part in schema.items() if name != "$defs"}, schema.get("$defs", {}), at)

    def form(self, node: Any, defs: Node, at: str) -> Form:
        """The form of a node whose references lead to `defs`."""
        if isinstance(node, dict) and set(node) - {"description", "title", "examples", "deprecated"} == {"$ref"}:
            return self._named(_plain(node["$ref"]), defs)
        form = Form()
        _Reading(self, defs, at, form).read(node)
        return form

    def _named(self, name: str, defs: Node) -> Form:
        if name not in self.named:
            form = self.named[name] = Form(name=name)
            _Reading(self, defs, f"/components/schemas/{escape(name)}", form).read(defs.get(name, True))
        return self.named[name]

    def lose(self, at: str, reason: str, fix: str) -> None:
        """Tell what cannot be carried."""
        self._tell(at, reason, fix)


class _Reading:
    """One node on its way to a form."""

    def __init__(self, forms: Forms, defs: Node, at: str, form: Form) -> None:
        self._forms = forms
        self._defs = defs
        self._at = at
        self._form = form

    def read(self, node: Any) -> None:
        parts = list(self._parts(node, 0))
        options = self._alternatives(parts)
        while len(options) == 1:  # what stands beside null is no choice
            more = list(self._parts(options[0], 0))
            parts, options = parts + more, self._alternatives(more)
        types = self._types(parts)
        if "null" in types:
            self._form.null = True
            types.discard("null")
        if options and not any("properties" in part for part in parts):
            self._choice([(self._name(option, place), option) for place, option in enumerate(options)])
        elif len(types) > 1:
            self._choice([(name, {**_merged(parts), "type": name}) for name in sorted(types)])
        elif not types and options:
            self._record(parts + [part for option in options for part in self._parts(option, 0)], parts)
        else:
            self._one(next(iter(types), ""), parts, options)

    def _parts(self, node: Any, depth: int) -> Iterator[Node]:
        """The nodes that speak about this value in any case: itself, what it references, what `allOf` joins."""
        if not isinstance(node, dict) or depth > _DEEPEST:
            return
        yield node
        if "$ref" in node:
            yield from self._parts(self._defs.get(_plain(node["$ref"])), depth + 1)
        for part in node.get("allOf", ()):
            yield from self._parts(part, depth + 1)

    def _alternatives(self, parts: list[Node]) -> list[Any]:
        """The alternatives of the first choice that shapes the value, without null."""
        for part in parts:
            for word in ("oneOf", "anyOf"):
                options = part.get(word, ())
                if not any(isinstance(option, dict) and _SHAPING & option.keys() for option in options):
                    continue
                left = [option for option in options if not self._is_null(option)]
                self._form.null = self._form.null or len(left) < len(options)
                return left
        return []

    def _is_null(self, option: Any) -> bool:
        return all(name == "null" for name in self._types(list(self._parts(option, 0)))) and bool(self._types(list(self._parts(option, 0))))

    def _types(self, parts: list[Node]) -> set[str]:
        declared = [part["type"] for part in parts if "type" in part]
        sets = [{each} if isinstance(each, str) else set(each) for each in declared]
        found: set[str] = set.intersection(*sets) if sets else set()
        if "integer" in set().union(*sets) and "number" in set().union(*sets):
            found.add("integer")
        for part in parts:
            values = part.get("enum", [part["const"]] if "const" in part else [])
            if not sets and values:
                found |= {_type_of(value) for value in values}
        return found or {name for name, words in _MEANT.items() if any(word in part for part in parts for word in words)}

    def _name(self, option: Any, place: int) -> str:
        if isinstance(option, dict) and "$ref" in option:
            return _plain(option["$ref"])
        types = self._types(list(self._parts(option, 0)))
        name = next(iter(types)) if len(types) == 1 else "option"
        return str(option.get("title") or f"{name}{place + 1}") if isinstance(option, dict) else f"option{place + 1}"

    def _choice(self, options: list[tuple[str, Any]]) -> None:
        self._form.sort = Sort.CHOICE
        for place, (name, option) in enumerate(options):
            form = self._inner(option, str(place))
            check = compile_schema({**option, "$defs": self._defs} if isinstance(option, dict) else option)
            self._form.options.append((name, form, check))

    def _one(self, kind: str, parts: list[Node], options: list[Any]) -> None:
        self._form.facets = _merged(parts)
        if kind in _SORTS:
            self._form.sort = _SORTS[kind]
        elif kind == "object":
            self._record(parts + [part for option in options for part in self._parts(option, 0)], parts)
        elif kind == "array":
            self._list(parts)
        elif not self._form.null:
            self._lose("may be anything, and XML says of each element what it is", "give the schema a type")

    def _list(self, parts: list[Node]) -> None:
        self._form.sort = Sort.LIST
        items = next((part["items"] for part in parts if isinstance(part.get("items"), dict)), None)
        if any("prefixItems" in part for part in parts):
            self._lose("gives each place of a list a schema of its own", "make it an object with a name for each place")
        elif items is None:
            self._lose("is a list of anything", "give `items` a schema")
        else:
            self._form.item = self._inner(items, "items")

    def _record(self, parts: list[Node], sure: list[Node]) -> None:
        free = [part["additionalProperties"] for part in parts if part.get("additionalProperties", False) is not False]
        named = dict.fromkeys(name for part in parts for name in part.get("properties", {}))
        if any("patternProperties" in part for part in parts):
            self._lose("names members by a pattern", "use `additionalProperties` alone, or name the members")
        elif free and (named or free[0] is True):
            self._lose("lets any member stand beside those it names", "set `additionalProperties: false`, or name the members")
        elif free:
            self._form.sort = Sort.MAP
            self._form.item = self._inner(free[0], "additionalProperties")
        elif not named and not any(part.get("additionalProperties") is False for part in parts):
            self._lose("is an object without named members", "name its members in `properties`, or say what `additionalProperties` are")
        else:
            self._form.sort = Sort.RECORD
            self._form.required = frozenset(name for part in sure for name in part.get("required", ()) if name in named)
            for name in named:
                nodes = [part["properties"][name] for part in parts if name in part.get("properties", {})]
                self._form.members[name] = self._member(name, nodes)

    def _member(self, name: str, nodes: list[Any]) -> Form:
        at = f"{self._at}/properties/{escape(name)}"
        forms = [self._inner(node, f"properties/{escape(name)}") for node in nodes]
        first = forms[0]
        if len({(form.sort, form.name if form.sort not in _SORTS.values() else "") for form in forms}) > 1:
            self._forms.lose(at, "has several shapes, one for each alternative", "give each alternative a component of its own")
        if len(forms) == 1:
            return first
        null = any(form.null for form in forms)
        return Form(first.sort, null, members=first.members, required=first.required, item=first.item, options=first.options)

    def _inner(self, node: Any, place: str) -> Form:
        return self._forms.form(node, self._defs, f"{self._at}/{place}")

    def _lose(self, reason: str, fix: str) -> None:
        self._forms.lose(self._at, reason, fix)


def _merged(parts: list[Node]) -> dict[str, Any]:
    """The facets of a simple value, the nearest first."""
    found: dict[str, Any] = {}
    for part in parts:
        for name in _FACETS:
            if name in part:
                found.setdefault(name, part[name])
    return found


def _plain(reference: str) -> str:
    return reference.removeprefix(DEFS).replace("~1", "/").replace("~0", "~")


def _type_of(value: Any) -> str:
    names = {bool: "boolean", int: "integer", str: "string", float: "number", type(None): "null", list: "array"}
    return names.get(type(value), "object")
