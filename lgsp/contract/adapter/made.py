"""Calls made up from a contract, the same ones each time: valid ones, and invalid ones that break one rule each."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.contract.adapter.golden import Example
from lgsp.contract.adapter.place import in_url
from lgsp.contract.broken import STRANGER, broken
from lgsp.contract.invent import Inventor
from lgsp.contract.schema_view import TYPES, read, types_of
from lgsp.contract.wsdl.invent import invented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lgsp.codec.soap.speech import Speech
    from lgsp.contract.openapi.parameters import Parameter
    from lgsp.contract.openapi.read import HttpOperation
    from lgsp.model.agreed import Operation

TRIES = 20
"""Seeds that are tried before a value is given up: a schema may ask for more than invention knows."""


@dataclass(frozen=True, slots=True)
class Made:
    """One call: its body, and path and query as texts; of an invalid one the rule that it breaks and the pointer to be named."""

    body: Any
    texts: Mapping[str, str] = field(default_factory=dict)
    rule: str = ""
    pointer: str = ""


def valid_call(operation: Operation, http: HttpOperation, speech: Speech | None, turn: int) -> Made | None:
    """A call that keeps our contract, another one for each turn; None where none was found.

    speech: where nothing is translated, values are made by the XSD, which says more than a JSON Schema can (the days of February).
    """
    name = f"{operation.name}#{turn}" if turn else operation.name
    texts = {each.name: in_url(parameter_value(each.schema, f"{name}/{each.name}")) for each in http.parameters if _is_sent(each)}
    if operation.read_parameters(texts)[1]:
        return None
    if speech is not None and operation.calls[-1].one_form:
        value, violations = invented(speech.request, speech, operation.name, turn)
        value = json.decode(json.encode(value))
        return None if violations or operation.check_request(value) else Made(value, texts)
    if not http.media_types:
        return Made(None, texts)
    body = json.decode(json.encode(sound_value(http.request_schema, operation.check_request, name)))
    return None if operation.check_request(body) else Made(body, texts)


def golden_calls(operation: Operation, files: Sequence[Path]) -> Iterator[Made]:
    """Calls of the golden examples that keep the operation's contract, and of which no problem is expected."""
    for file in files:
        if file.with_name(file.name.replace(".request.", ".problem.")).exists():
            continue
        example = Example(file)
        texts = {name: in_url(value) for name, value in example.parameters.items()}
        is_sound = not operation.check_request(example.request) and not operation.read_parameters(texts)[1]
        if is_sound and operation in example.meant([operation]):
            yield Made(example.request, texts)


def invalid_calls(http: HttpOperation, sound: Made, each_rule: int) -> Iterator[Made]:
    """Calls that break one rule each, `each_rule` of every rule, of a sound one."""
    counted: dict[str, int] = {}
    for made in itertools.chain(_wrong_texts(http, sound), _wrong_bodies(http, sound)):
        counted[made.rule] = counted.get(made.rule, 0) + 1
        if counted[made.rule] <= each_rule:
            yield made


def sound_value(schema: Any, check: Callable[[Any], Any], name: str) -> Any:
    """A value that the check finds sound, the same one for the same name; the last one tried, where none is."""
    value: Any = None
    for seed in itertools.islice(itertools.count(zlib.crc32(name.encode())), TRIES):
        value = Inventor(_definitions(schema), seed).value(schema)
        if not check(value):
            break
    return value


def parameter_value(schema: Mapping[str, Any], name: str) -> Any:
    """A value for path or query; texts without blanks, which people would have to encode."""
    value = Inventor(_definitions(schema), zlib.crc32(name.encode())).value(schema)
    return "-".join(value.split()) if isinstance(value, str) else value


def _definitions(schema: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema.get("$defs", {}) if isinstance(schema, dict) else {}
    return found


def _is_sent(parameter: Parameter) -> bool:
    return parameter.required and parameter.where in {"path", "query"}


def _wrong_bodies(http: HttpOperation, sound: Made) -> Iterator[Made]:
    if http.request_schema is None or not http.media_types:
        return
    for each in broken(http.request_schema, sound.body):
        yield replace(sound, body=each.value, rule=each.rule, pointer=each.pointer)


def _wrong_texts(http: HttpOperation, sound: Made) -> Iterator[Made]:
    for each in http.parameters:
        if each.where not in {"path", "query"}:
            continue
        at = f"/{each.where}/{each.name}"
        if _is_sent(each) and each.where == "query":
            others = {name: text for name, text in sound.texts.items() if name != each.name}
            yield replace(sound, texts=others, rule="required")
        seen = read(each.schema, _definitions(each.schema))
        allowed = types_of(seen)
        if allowed != TYPES and not allowed & {"string", "array"}:
            yield replace(sound, texts={**sound.texts, each.name: STRANGER}, rule="type", pointer=at)
        elif isinstance(seen.get("enum"), list) and "string" in allowed and STRANGER not in seen["enum"]:
            yield replace(sound, texts={**sound.texts, each.name: STRANGER}, rule="enum", pointer=at)
    if http.method:
        yield replace(sound, texts={**sound.texts, STRANGER: "?"}, rule="unknown-field")


__all__ = ["Made", "golden_calls", "invalid_calls", "parameter_value", "sound_value", "valid_call"]
