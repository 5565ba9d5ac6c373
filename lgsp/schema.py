"""Compiled JSON Schema validators (draft 2020-12): cheap while a value is right, exact about the places when it is not.

jsonschema-rs gives the verdict (DESIGN decision 5). It never fetches, its regular expressions take linear time, formats are asserted, and
what is said about a value never repeats the value: pointer, reason, keyword. Names of members that a sender made up are shown only if they
look like names of fields.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from lgsp.errors import ContractError, Finding, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Check = Callable[[Any], Sequence[Violation]]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_VIOLATIONS = 100
MAX_LISTED_NODES = 1_000
MAX_OPTIONS_SHOWN = 12
PATTERN_SIZE_BYTES = 1 << 20

_NAMING_MEMBERS = frozenset({"additionalProperties", "unevaluatedProperties"})
_MEMBER_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$@.:-]{0,63}")


def compile_schema(
    schema: Mapping[str, Any] | bool,
    documents: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    file: str = "",
    at: str = "",
) -> Check:
    """A function from a JSON value (numbers may be Decimal) to its violations; nothing means valid.

    documents: schemas that may be referenced, by URI; there are no others. file, at: place of the schema (file, JSON pointer), for the
    ContractError that is raised when it cannot be compiled.
    """
    validator = _validator(schema, documents or {}, file, at)

    def check(value: Any) -> Sequence[Violation]:
        return () if validator.is_valid(value) else _listed(validator, value)

    return check


def is_member_name(name: str) -> bool:
    """Whether a name from outside may be shown: it looks like the name of a field, so it is no citizen's number and no sentence."""
    return _MEMBER_NAME.fullmatch(name) is not None


def pointer(path: Sequence[str | int]) -> str:
    """JSON pointer (RFC 6901) of a path in a value; it ends above the first name that may not be shown."""
    tokens = []
    for token in path:
        if isinstance(token, str) and not is_member_name(token):
            break
        tokens.append(escape(str(token)))
    return "".join(f"/{token}" for token in tokens)


def escape(token: str) -> str:
    """One token of a JSON pointer (RFC 6901, section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


# ---- compiling -----------------------------------------------------------------------------------------------------------------------


def _validator(
    schema: Mapping[str, Any] | bool,
    documents: Mapping[str, Mapping[str, Any]],
    file: str,
    at: str,
) -> jsonschema_rs.Validator:
    try:
        registry = jsonschema_rs.Registry([(uri, dict(document)) for uri, document in documents.items()], retriever=_refuse_to_fetch)
        return jsonschema_rs.Draft202012Validator(
            schema if isinstance(schema, bool) else dict(schema),
            validate_formats=True,
            registry=registry if documents else None,
            mask="the value",
            pattern_options=jsonschema_rs.RegexOptions(size_limit=PATTERN_SIZE_BYTES),
            offline=True,
        )
    except jsonschema_rs.ValidationError as error:
        place = at + "".join(f"/{escape(str(token))}" for token in error.instance_path)
        raise ContractError([Finding(file, 0, place, "schema", *_complaint(error))]) from None
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise ContractError([Finding(file, 0, at, "schema", f"cannot be compiled: {error}")]) from None


def _refuse_to_fetch(uri: str) -> Any:
    raise LookupError(f"{uri} is not among the local documents")


def _complaint(error: jsonschema_rs.ValidationError) -> tuple[str, str]:
    """Reason and fix for a schema that the engine refuses."""
    if error.kind.name == "format" and error.kind.value == "regex":
        return "no regular expression that runs in linear time", "avoid look-around, back-references and huge repetitions"
    if error.kind.name == "referencing":
        return f"unresolved reference: {error.kind.value}", "reference only what the contract carries"
    return f"not JSON Schema 2020-12: {_detail(error)}", ""


# ---- telling -------------------------------------------------------------------------------------------------------------------------


def _listed(validator: jsonschema_rs.Validator, value: Any) -> Sequence[Violation]:
    """All violations of a value of usual size; the first one of a larger value, since the engine gathers all before it tells any."""
    if _is_small(value):
        return tuple(islice(_violations(validator.iter_errors(value)), MAX_VIOLATIONS))
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return tuple(islice(_violations(iter([error])), MAX_VIOLATIONS))
    raise AssertionError("the engine contradicts itself: not valid, and no error")


def _is_small(value: Any) -> bool:
    ahead, seen = [value], 0
    while ahead and seen <= MAX_LISTED_NODES:
        node = ahead.pop()
        seen += 1
        if isinstance(node, dict):
            ahead += islice(node.values(), MAX_LISTED_NODES)
        elif isinstance(node, list):
            ahead += islice(node, MAX_LISTED_NODES)
    return seen <= MAX_LISTED_NODES


def _violations(errors: Iterator[jsonschema_rs.ValidationError]) -> Iterator[Violation]:
    for error in errors:
        branch = _only_branch(error)
        if branch is not None:
            yield from _violations(iter(branch))
        else:
            code = _code(error)
            members = tuple(getattr(error.kind, "value", None) or ()) if code in _NAMING_MEMBERS and error.kind.name == code else ()
            yield Violation(pointer(error.instance_path), _detail(error), code, members=members)


def _only_branch(error: jsonschema_rs.ValidationError) -> list[jsonschema_rs.ValidationError] | None:
    """The errors of the one alternative whose type fits, so that `anyOf: [{...}, {type: null}]` names the field and not the choice."""
    if error.kind.name not in {"anyOf", "oneOf"}:
        return None
    fitting = [branch for branch in error.kind.value if branch and not any(_is_type_of(each, error) for each in branch)]
    return fitting[0] if len(fitting) == 1 else None


def _is_type_of(inner: jsonschema_rs.ValidationError, outer: jsonschema_rs.ValidationError) -> bool:
    return inner.kind.name == "type" and inner.instance_path == outer.instance_path


def _code(error: jsonschema_rs.ValidationError) -> str:
    """The keyword that failed. A `false` schema is told by the keyword that applies it."""
    if error.kind.name != "falseSchema":
        return str(error.kind.name)
    last = error.schema_path[-1] if error.schema_path else ""
    return str(last) if last in {"additionalProperties", "unevaluatedProperties", "items", "unevaluatedItems", "then", "else"} else "false"


def _detail(error: jsonschema_rs.ValidationError) -> str:
    describe = _DETAILS.get(_code(error))
    return describe(error.kind.value) if describe else "not allowed here"


def _shown(names: Sequence[str]) -> str:
    """Member names that may be shown, the others counted."""
    shown = [f"'{name}'" for name in names if is_member_name(name)]
    hidden = len(names) - len(shown)
    return ", ".join([*shown, f"{hidden} more"] if hidden and shown else shown or [f"{hidden} members"])


def _unexpected(names: Sequence[str] | None) -> str:
    return f"not in the contract: {_shown(names)}" if names else "no members are allowed here"


def _one_of(options: Sequence[Any]) -> str:
    listed = ", ".join(str(option) for option in options[:MAX_OPTIONS_SHOWN])
    return f"must be one of: {listed}{', ...' if len(options) > MAX_OPTIONS_SHOWN else ''}"


_DETAILS: dict[str, Callable[[Any], str]] = {
    "additionalProperties": _unexpected,
    "anyOf": lambda _: "fits none of the alternatives",
    "const": lambda expected: f"must be {expected}",
    "contains": lambda _: "too few or too many items of the kind that the contract counts",
    "enum": _one_of,
    "exclusiveMaximum": lambda limit: f"must be less than {limit}",
    "exclusiveMinimum": lambda limit: f"must be greater than {limit}",
    "format": lambda name: f"not a valid {name}",
    "items": lambda _: "more items than the contract allows",
    "maxItems": lambda limit: f"must have at most {limit} items",
    "maxLength": lambda limit: f"must have at most {limit} characters",
    "maxProperties": lambda limit: f"must have at most {limit} members",
    "maximum": lambda limit: f"must be at most {limit}",
    "minItems": lambda limit: f"must have at least {limit} items",
    "minLength": lambda limit: f"must have at least {limit} characters",
    "minProperties": lambda limit: f"must have at least {limit} members",
    "minimum": lambda limit: f"must be at least {limit}",
    "multipleOf": lambda step: f"must be a multiple of {step}",
    "not": lambda _: "is of a kind that the contract excludes",
    "oneOf": lambda _: "must fit exactly one of the alternatives",
    "pattern": lambda expression: f"must match {expression}",
    "propertyNames": lambda inner: f"a member has a wrong name: {_detail(inner)}",
    "required": lambda name: f"'{name}' is missing",
    "type": lambda types: f"must be of type {' or '.join(sorted(types))}",
    "unevaluatedItems": lambda _: "more items than the contract allows",
    "unevaluatedProperties": _unexpected,
    "uniqueItems": lambda _: "items must differ from one another",
}
