"""Validate: does a request keep the contract? Strictly; answers are judged in `enforce` (DESIGN decision 15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import Fault, JsonError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.model.agreed import Operation
    from lgsp.model.happening import Message


def validate_request(message: Message, operation: Operation, variables: Mapping[str, str]) -> tuple[Mapping[str, Any], Any]:
    """Typed parameters and the decoded body, both as the contract wants them."""
    if message.speech is not None:
        texts, body = message.speech.read()
        parameters = read_parameters(texts, operation)
    else:
        parameters = read_parameters({**message.query, **variables}, operation)
        body = _read_json(message, operation) if operation.media_types else None
    violations = operation.check_request(body)
    if violations:
        raise Fault("body-invalid", _count(len(violations)), errors=violations)
    return parameters, body


def _read_json(message: Message, operation: Operation) -> Any:
    if message.media_type not in operation.media_types:
        raise Fault("media-type-unsupported", f"expected {' or '.join(operation.media_types)}")
    try:
        return json.decode(message.body)
    except JsonError as error:
        raise Fault("malformed-body", str(error)) from error


def read_parameters(texts: Mapping[str, str], operation: Operation) -> Mapping[str, Any]:
    """Path and query parameters by name, typed."""
    parameters, violations = operation.read_parameters(texts)
    if violations:
        raise Fault("parameter-invalid", _count(len(violations)), errors=violations)
    return parameters


def _count(places: int) -> str:
    return "1 place breaks the contract" if places == 1 else f"{places} places break the contract"
