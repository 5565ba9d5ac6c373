"""Makes one self-contained OpenAPI 3.1 document of a contract and the local files that it references.

References leave the contracts' folder never and the machine never (DESIGN decision 16). A referenced schema becomes a component, so that
recursion stays possible; any other referenced part is put in its place.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lgsp.contract.openapi.anatomy import FIELDS, descend, wrong_fields
from lgsp.contract.openapi.swagger import is_swagger, moved_lines, upgrade_document, upgrade_parameter
from lgsp.contract.openapi.upgrade import upgrade_schema
from lgsp.contract.source import Source, read_source
from lgsp.errors import ContractError, Finding
from lgsp.schema import DIALECT, escape

if TYPE_CHECKING:
    from pathlib import Path

COMPONENTS = "#/components/schemas/"
MAX_SCHEMAS = 5_000
MAX_PARTS = 100_000
MAX_CHAIN = 8
SPOKEN = ("summary", "description")
"""Words beside a reference; they stand for those of what it names, where that has such words (OpenAPI 3.1, Reference Object)."""
MAX_APPLIED = 5_000
MAX_TOLD = 100

_OWN_COMPONENT = re.compile(r"/components/schemas/([^/]+)")
_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")

Place = tuple[Source, str, Any]


def bundle(path: Path, root: Path) -> tuple[dict[str, Any], Source, list[Finding]]:
    """The bundled document in OpenAPI 3.1, the file that it began with, and what is wrong; faulty parts are left out of the document.

    Raises ContractError if there is nothing to bundle.
    """
    source = _upgraded(read_source(path, _name(path, root)))
    version = source.value.get("openapi") if isinstance(source.value, dict) else None
    if not isinstance(version, str) or not version.startswith(("3.0.", "3.1.")):
        raise ContractError([source.finding("/openapi", "version", "is neither OpenAPI 3.0.x or 3.1.x nor Swagger 2.0")])
    bundled = _Bundle(source, root.resolve())
    document = bundled.document()
    return document, source, bundled.findings + _endless(document, source)


def files_of(path: Path, root: Path) -> list[Path]:
    """The contract's own file and every file that it references, resolved; raises ContractError if there is nothing to read."""
    bundled = _Bundle(_upgraded(read_source(path, _name(path, root))), root.resolve())
    bundled.document()
    return list(bundled.sources)


def _upgraded(source: Source) -> Source:
    """Swagger 2.0 read as OpenAPI 3.0."""
    if not is_swagger(source.value):
        return source
    return replace(source, value=upgrade_document(source.value), lines=moved_lines(source.lines))


class _LostError(Exception):
    """A reference that cannot be followed: reason, fix."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


_OUTSIDE = ("leads out of the contracts", "reference a file of the contracts by its relative path")


class _Bundle:
    """What is gathered on the way: files read, names given, schemas still to be brought in, findings."""

    def __init__(self, source: Source, root: Path) -> None:
        self.source = source
        self.root = root
        self.findings: list[Finding] = []
        self.sources: dict[Path, Source] = {source.path.resolve(): source}
        self.names: dict[tuple[Path, str], str] = {}
        self.taken = set(_own_schemas(source.value))
        self.waiting: list[tuple[str, Place]] = []
        self.parts = 0

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = self.part(self.source.value, "document", "", self.source, ())
        document["openapi"] = "3.1.1"
        schemas = self.brought_in()
        if schemas:
            components = document.get("components", {})
            document["components"] = {**components, "schemas": {**components.get("schemas", {}), **schemas}}
        return document

    def brought_in(self) -> dict[str, Any]:
        schemas: dict[str, Any] = {}
        while self.waiting and len(schemas) < MAX_SCHEMAS:
            name, (source, at, schema) = self.waiting.pop()
            schemas[name] = self.schema(schema, at, source)
        if self.waiting:
            self.findings.append(self.source.finding("", "reference", f"more than {MAX_SCHEMAS} referenced schemas"))
        return schemas

    def part(self, node: Any, kind: str, at: str, source: Source, chain: tuple[tuple[Path, str], ...]) -> Any:
        """One object of the document, with its references put in their places; `chain` are the references that led here."""
        if kind == "schema":
            return self.schema(node, at, source)
        if not isinstance(node, dict):
            self.fault(source, at, "shape", f"must be an object ({kind})")
            return {}
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise ContractError([*self.findings, source.finding(at, "reference", f"more than {MAX_PARTS} parts, counted as referenced")])
        if isinstance(node.get("$ref"), str):
            return self.in_its_place(node, kind, at, source, chain)
        wrong = dict(wrong_fields(node, kind))
        for name, reason in wrong.items():
            self.fault(source, f"{at}/{escape(name)}", "field", reason)
        sound = {name: value for name, value in node.items() if name not in wrong}
        return descend(sound, kind, at, lambda value, inner, place: self.part(value, inner, place, source, chain))

    def in_its_place(self, node: dict[str, Any], kind: str, at: str, source: Source, chain: tuple[tuple[Path, str], ...]) -> Any:
        place = self.locate(node["$ref"], at, source)
        if place is None:
            return {}
        target, pointer, value = place
        if kind == "parameter":
            value = upgrade_parameter(value)  # a file of its own may still speak Swagger 2.0
        if (target.path, pointer) in chain or len(chain) == MAX_CHAIN:
            self.fault(source, f"{at}/$ref", "reference", "leads back to itself, or over too many references")
            return {}
        result = self.part(value, kind, pointer, target, (*chain, (target.path, pointer)))
        beside = {name: value for name, value in node.items() if name != "$ref" and (name in FIELDS[kind] or name not in SPOKEN)}
        return {**result, **descend(beside, kind, at, lambda value, inner, spot: self.part(value, inner, spot, source, chain))}

    def schema(self, node: Any, at: str, source: Source) -> Any:
        if not isinstance(node, dict):
            return node  # `true`, `false`, or nonsense that the compiler will name
        result = descend(node, "schema", at, lambda value, _kind, place: self.schema(value, place, source))
        if not self._is_plain(node, at, source):
            return True
        for name in ("$id", "$schema"):
            result.pop(name, None)
        if "$ref" in node:
            found = self.name(node["$ref"], at, source)
            result |= {"$ref": COMPONENTS + escape(found)} if found else {}
            if not found:
                del result["$ref"]
        return upgrade_schema(result) if self._is_3_0(source) else result

    def _is_plain(self, node: dict[str, Any], at: str, source: Source) -> bool:
        """Whether pointers alone say what is meant; identifiers are dropped at the top of a file, where its path names it."""
        if "$id" in node and at:
            self.fault(source, f"{at}/$id", "reference", "a schema inside of another cannot have an identifier", "move it to its own file")
        elif node.get("$schema", DIALECT).rstrip("#") != DIALECT:
            self.fault(source, f"{at}/$schema", "schema", "is another dialect than JSON Schema 2020-12")
        elif "$dynamicRef" in node:
            self.fault(
                source, f"{at}/$dynamicRef", "reference", "what it names depends on who asks", "reference by `$ref` and JSON pointer"
            )
        elif not isinstance(node.get("$ref", ""), str):
            self.fault(source, f"{at}/$ref", "reference", "must be text")
        else:
            return True
        return False

    def _is_3_0(self, source: Source) -> bool:
        """Files without a version of their own speak as the contract does; a file with `$schema` speaks 2020-12."""
        value = source.value if isinstance(source.value, dict) else {}
        spoken = value.get("openapi", "3.1" if "$schema" in value else self.source.value["openapi"])
        return str(spoken).startswith("3.0")

    def name(self, reference: str, at: str, source: Source) -> str | None:
        """The component's name of a referenced schema; a schema that is met for the first time is put on the waiting list."""
        place = self.locate(reference, at, source)
        if place is None:
            return None
        target, pointer, _ = place
        own = _OWN_COMPONENT.fullmatch(pointer)
        if own and target is self.source:
            return _plain_token(own[1])
        key = (target.path, pointer)
        if key not in self.names:
            wish = _plain_token(pointer.rpartition("/")[2]) if pointer else target.path.name.partition(".")[0]
            self.names[key] = self._free_name(re.sub(r"[^A-Za-z0-9._-]", "_", wish) or "schema")
            self.waiting.append((self.names[key], place))
        return self.names[key]

    def _free_name(self, wish: str) -> str:
        name, count = wish, 1
        while name in self.taken:
            count += 1
            name = f"{wish}_{count}"
        self.taken.add(name)
        return name

    def locate(self, reference: str, at: str, source: Source) -> Place | None:
        """File, pointer and value of a reference, or None and a finding."""
        try:
            return self.target(reference, source)
        except _LostError as lost:
            self.fault(source, f"{at}/$ref", "reference", str(lost), lost.fix)
        except ContractError as error:
            self.findings += error.findings
            self.fault(source, f"{at}/$ref", "reference", "names a file that is faulty itself")
        return None

    def target(self, reference: str, source: Source) -> Place:
        try:
            parts = urlsplit(reference)
        except ValueError:
            raise _LostError("is no URI reference") from None
        if parts.scheme or parts.netloc:
            raise _LostError(*_OUTSIDE)
        target = self.file(unquote(parts.path), source) if parts.path else source
        pointer = unquote(parts.fragment)
        if pointer and not pointer.startswith("/"):
            raise _LostError("names an anchor", "reference by JSON pointer")
        value = target.value
        for token in pointer.split("/")[1:]:
            value = _member(value, _plain_token(token))
        return target, pointer, value

    def file(self, relative: str, source: Source) -> Source:
        if relative.startswith(("/", "\\")) or "\0" in relative:
            raise _LostError(*_OUTSIDE)
        path = (source.path.parent / relative).resolve()
        if not path.is_relative_to(self.root):
            raise _LostError(*_OUTSIDE)
        if not path.is_file():
            raise _LostError("names a file that is not there")
        if path not in self.sources:
            self.sources[path] = read_source(path, _name(path, self.root))
        return self.sources[path]

    def fault(self, source: Source, at: str, rule: str, reason: str, fix: str = "") -> None:
        self.findings.append(source.finding(at, rule, reason, fix))


def _member(value: Any, token: str) -> Any:
    if isinstance(value, dict) and token in value:
        return value[token]
    if isinstance(value, list) and token.isascii() and token.isdigit() and int(token[:9]) < len(value):
        return value[int(token[:9])]
    raise _LostError("leads to nothing")


def _plain_token(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def _name(path: Path, root: Path) -> str:
    resolved = path.resolve()
    return resolved.relative_to(root.resolve()).as_posix() if resolved.is_relative_to(root.resolve()) else path.name


def _own_schemas(document: dict[str, Any]) -> dict[str, Any]:
    components = document.get("components")
    schemas = components.get("schemas") if isinstance(components, dict) else None
    return schemas if isinstance(schemas, dict) else {}


# ---- references that come back without having looked at anything ------------------------------------------------------------


def _endless(document: dict[str, Any], source: Source) -> list[Finding]:
    """Components that apply themselves to the same value again, so that nothing is judged; through a property, recursion is fine."""
    graph = {name: _applied(schema) for name, schema in _own_schemas(document).items()}
    circles = [name for name in graph if _comes_back(name, graph)]
    if circles:
        return [source.finding(f"/components/schemas/{escape(name)}", "reference", "applies itself without end") for name in circles]
    counted: dict[str, int] = {}
    reason = f"applies more than {MAX_APPLIED} schemas to one value, counted as referenced"
    return [
        source.finding(f"/components/schemas/{escape(name)}", "reference", reason, "name each alternative once")
        for name in graph
        if _times(name, graph, counted) > MAX_APPLIED
    ][:MAX_TOLD]


def _applied(schema: Any) -> list[str]:
    """Names of the components that judge the same value as this schema does, each as often as it does."""
    if not isinstance(schema, dict):
        return []
    names = [_plain_token(schema["$ref"].removeprefix(COMPONENTS))] if "$ref" in schema else []
    for keyword in _IN_PLACE:
        inner = schema.get(keyword)
        for part in inner if isinstance(inner, list) else [inner]:
            names += _applied(part)
    return names


def _times(name: str, graph: dict[str, list[str]], counted: dict[str, int]) -> int:
    """How many schemas judge one value in this component's name; the graph has no circle."""
    ahead = [name]
    while ahead:
        waiting = [each for each in graph.get(ahead[-1], ()) if each not in counted]
        if waiting:
            ahead += waiting
        else:
            done = ahead.pop()
            counted[done] = 1 + sum(counted[each] for each in graph.get(done, ()))
    return counted[name]


def _comes_back(name: str, graph: dict[str, list[str]]) -> bool:
    seen: set[str] = set()
    ahead = list(graph[name])
    while ahead:
        step = ahead.pop()
        if step == name:
            return True
        if step not in seen:
            seen.add(step)
            ahead += graph.get(step, ())
    return False
