"""Reads one contract file, YAML or JSON, as plain values with the line of each place; nothing in it is ever executed or followed.

YAML here is the JSON-like part of YAML 1.2, as OpenAPI asks: no tags, no merge keys, no dates, `no` is a word and not `false`. Doubled
keys are refused, and so is an alias that makes the document larger than MAX_NODES values ("billion laughs").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import yaml

from lgsp.codec import json
from lgsp.errors import ContractError, Finding, JsonError
from lgsp.schema import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MAX_BYTES = 4 << 20
MAX_DEPTH = 64
MAX_NODES = 200_000

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read. `file` is its name for people, relative to the contracts; `lines` gives the 1-based line of JSON pointers."""

    path: Path
    file: str
    value: Any
    lines: Mapping[str, int]

    def finding(self, pointer: str, rule: str, reason: str, fix: str = "") -> Finding:
        """A fault at a place of this file; a place without a line of its own has its parent's."""
        place = pointer
        while place not in self.lines and place:
            place = place.rpartition("/")[0]
        return Finding(self.file, self.lines.get(place, 0), pointer, rule, reason, fix)


def read_source(path: Path, file: str) -> Source:
    """The file's value; raises ContractError with line and place."""
    try:
        body = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
        text = body.decode("utf-8-sig") if body is not None else None
    except OSError:
        raise ContractError([Finding(file, 0, "", "file", "cannot be read")]) from None
    except UnicodeDecodeError:
        raise ContractError([Finding(file, 0, "", "file", "is not UTF-8")]) from None
    if text is None:
        raise ContractError([Finding(file, 0, "", "file", f"is larger than {MAX_BYTES} bytes")])
    value, lines = _json(text, file) if path.suffix == ".json" else _yaml(text, file)
    return Source(path, file, value, lines)


def _json(text: str, file: str) -> tuple[Any, Mapping[str, int]]:
    body = text.encode()
    try:
        value = _floats(json.decode(body, MAX_DEPTH))
    except JsonError as error:
        line = 0 if error.offset is None else body.count(b"\n", 0, error.offset) + 1
        raise ContractError([Finding(file, line, error.pointer, "json", error.reason)]) from None
    try:
        return value, _yaml(text, file)[1]  # nearly all JSON is YAML, which knows the lines
    except ContractError:
        return value, {}


def _floats(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _floats(member) for name, member in value.items()}
    return [_floats(item) for item in value] if isinstance(value, list) else value


def _yaml(text: str, file: str) -> tuple[Any, Mapping[str, int]]:
    try:
        reader = _YamlReader(yaml.parse(text, Loader=yaml.CSafeLoader), file)
        value = reader.document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ContractError([Finding(file, line, "", "yaml", f"not YAML: {error.problem}")]) from None
    except yaml.YAMLError:
        raise ContractError([Finding(file, 0, "", "yaml", "not YAML: a character is not allowed")]) from None
    if reader.findings:
        raise ContractError(reader.findings)
    return value, reader.lines


class _YamlReader:
    """Builds values from the parser's events, so that keys, aliases and depth are seen before anything is built."""

    def __init__(self, events: Iterator[Any], file: str) -> None:
        self.events = events
        self.file = file
        self.lines: dict[str, int] = {}
        self.findings: list[Finding] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = 0

    def document(self) -> Any:
        next(self.events)  # the stream's start
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        value = self.node(next(self.events), "", 0)
        next(self.events)  # the document's end
        if not isinstance(extra := next(self.events), yaml.StreamEndEvent):
            self.refuse(extra, "", "one document a file")
        return value

    def node(self, event: Any, at: str, depth: int) -> Any:
        self.lines.setdefault(at, event.start_mark.line + 1)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, at)
        if depth > MAX_DEPTH:
            self.stop(event, at, f"nested deeper than {MAX_DEPTH} levels")
        if event.tag not in (None, "!"):
            self.refuse(event, at, "tags are not allowed")
        before = self.nodes
        self.count(event, at, 1)
        if isinstance(event, yaml.ScalarEvent):
            value: Any = self.scalar(event, at)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(at, depth)
        else:
            value = self.mapping(at, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.nodes - before)
        return value

    def alias(self, event: Any, at: str) -> Any:
        if event.anchor not in self.anchors:
            self.stop(event, at, "an alias names something that is not complete before it")
        value, size = self.anchors[event.anchor]
        self.count(event, at, size)
        return value

    def sequence(self, at: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, f"{at}/{len(items)}", depth + 1))
        return items

    def mapping(self, at: str, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not isinstance(key := next(self.events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                self.stop(key, at, "a key must be a word")
            place = f"{at}/{escape(key.value)}"
            if key.value in members:
                self.refuse(key, place, "the key occurs twice")
            if key.value == "<<" and key.implicit[0]:
                self.refuse(key, place, "merge keys are not allowed")
            self.lines.setdefault(place, key.start_mark.line + 1)
            members[key.value] = self.node(next(self.events), place, depth + 1)
        return members

    def scalar(self, event: Any, at: str) -> Any:
        text = event.value
        if not event.implicit[0]:
            return text
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if number in (float("inf"), float("-inf")):
                self.refuse(event, at, "a number is too large")
            return number
        return _word(text)

    def count(self, event: Any, at: str, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self.stop(event, at, f"more than {MAX_NODES} values, aliases counted as often as they are used")

    def refuse(self, event: Any, at: str, reason: str) -> None:
        self.findings.append(Finding(self.file, event.start_mark.line + 1, at, "yaml", reason))

    def stop(self, event: Any, at: str, reason: str) -> None:
        self.refuse(event, at, reason)
        raise ContractError(self.findings)


def _word(text: str) -> Any:
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    return False if _FALSE.fullmatch(text) else text
