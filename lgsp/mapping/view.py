"""A JSON Schema as the proofs see it: what an object may and must have, what a value may be; references followed, alternatives merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEEPEST = 30


@dataclass(frozen=True, slots=True)
class View:
    """One node of a schema; `root` is the document that its references point into."""

    node: Mapping[str, Any]
    root: Mapping[str, Any]

    def parts(self, *, sure: bool = False, depth: int = 0) -> Iterator[Mapping[str, Any]]:
        """The nodes that speak about this value; `sure`: those that speak in any case, so no alternatives."""
        node = self.node
        if depth > _DEEPEST or not isinstance(node, dict):
            return
        yield node
        if "$ref" in node:
            yield from self._at(_resolve(self.root, node["$ref"])).parts(sure=sure, depth=depth + 1)
        for word in ("allOf",) if sure else ("allOf", "anyOf", "oneOf"):
            for part in node.get(word, ()):
                yield from self._at(part).parts(sure=sure, depth=depth + 1)

    def properties(self) -> Mapping[str, View]:
        """Every member that the schema names."""
        return {name: self._at(part) for node in self.parts() for name, part in node.get("properties", {}).items()}

    def required(self) -> frozenset[str]:
        """The members that must be there in any case."""
        return frozenset(name for node in self.parts(sure=True) for name in node.get("required", ()))

    def choices(self) -> list[list[frozenset[str]]]:
        """For each choice (oneOf, anyOf), the members that each of its alternatives requires."""
        words = [node[word] for node in self.parts(sure=True) for word in ("oneOf", "anyOf") if word in node]
        return [[self._at(part).required() for part in parts] for parts in words]

    def items(self) -> View:
        """What a list holds."""
        found: Any = next((node["items"] for node in self.parts() if isinstance(node.get("items"), dict)), {})
        return self._at(found)

    def types(self) -> frozenset[str]:
        """The JSON types that the value may have; empty if the schema does not say."""
        found: set[str] = set()
        for node in self.parts():
            declared: Any = node.get("type", ())
            found.update([declared] if isinstance(declared, str) else declared)
            if "properties" in node and "type" not in node:
                found.add("object")
        values = self.values()
        return frozenset(found) if found or values is None else frozenset(_type_of(value) for value in values)

    def values(self) -> list[Any] | None:
        """The values that are allowed, if the schema lists them."""
        for node in self.parts(sure=True):
            if "enum" in node:
                return list(node["enum"])
            if "const" in node:
                return [node["const"]]
        return None

    def has(self, name: str) -> bool:
        """Whether the schema names this member."""
        return name in self.properties()

    def member(self, key: str) -> View | None:
        """The member, or the item where the key is an index."""
        if "array" in self.types() and key.isdecimal():
            return self.items()
        return self.properties().get(key)

    def _at(self, node: Any) -> View:
        return View(node if isinstance(node, dict) else {}, self.root)


def view(schema: Mapping[str, Any]) -> View:
    """The view of a self-contained schema."""
    return View(schema, schema)


def _resolve(root: Mapping[str, Any], reference: str) -> Any:
    node: Any = root
    for token in reference.removeprefix("#").split("/")[1:]:
        node = node.get(token.replace("~1", "/").replace("~0", "~"), {}) if isinstance(node, dict) else {}
    return node


def _type_of(value: Any) -> str:
    names = {bool: "boolean", int: "integer", str: "string", float: "number", type(None): "null", list: "array"}
    return names.get(type(value), "object")
