"""What a change of a contract means for those who use it: breaking, dangerous or safe, on the request's side and on the answer's.

A consumer promises requests and relies on answers, so the two sides mirror each other: what the provider newly asks for breaks a request,
what it no longer promises breaks an answer. Dangerous is what a careful consumer survives: an unknown value in an answer, a field that is
silently ignored.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(StrEnum):
    """How bad a change is, worst first."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


class Side(StrEnum):
    """Which way the changed part travels."""

    REQUEST = "request"
    ANSWER = "answer"


_B, _D, _S = Severity.BREAKING, Severity.DANGEROUS, Severity.SAFE

SEVERITIES: Mapping[str, tuple[Severity, Severity]] = MappingProxyType(
    {
        # operations and what surrounds their bodies: the side makes no difference
        "operation-removed": (_B, _B),
        "operation-added": (_S, _S),
        "operation-renamed": (_D, _D),
        "address-changed": (_B, _B),
        "operation-deprecated": (_S, _S),
        "security-added": (_B, _B),
        "security-removed": (_S, _S),
        "action-changed": (_B, _B),
        "order-changed": (_B, _B),
        "port-removed": (_B, _B),
        "port-added": (_S, _S),
        "element-changed": (_B, _B),
        "namespace-changed": (_B, _B),
        "not-compared": (_D, _D),
        "reply-added": (_D, _D),
        "reply-removed": (_B, _B),
        # media types and statuses
        "body-added": (_S, _S),
        "body-required": (_B, _B),
        "body-removed": (_B, _B),
        "media-type-removed": (_B, _B),
        "media-type-added": (_S, _S),
        "status-removed": (_B, _B),
        "status-added": (_D, _D),
        "refusal-added": (_S, _S),
        "refusal-removed": (_S, _S),
        "header-removed": (_B, _B),
        "header-added": (_S, _S),
        # parameters
        "parameter-added-required": (_B, _B),
        "parameter-added": (_S, _S),
        "parameter-removed": (_B, _B),
        "parameter-required": (_B, _B),
        "parameter-optional": (_S, _S),
        # fields of a body
        "field-added-required": (_B, _S),
        "field-added": (_S, _S),
        "field-added-to-closed": (_S, _D),
        "field-removed": (_D, _B),
        "field-refused": (_B, _B),
        "field-required": (_B, _S),
        "field-optional": (_S, _B),
        "field-deprecated": (_S, _S),
        "other-fields-refused": (_B, _S),
        "other-fields-allowed": (_S, _D),
        # values
        "type-narrowed": (_B, _S),
        "type-widened": (_S, _B),
        "type-changed": (_B, _B),
        "value-removed": (_B, _S),
        "value-added": (_S, _D),
        "values-limited": (_B, _S),
        "values-freed": (_S, _D),
        "limit-tightened": (_B, _S),
        "limit-loosened": (_S, _D),
        "rule-added": (_B, _S),
        "rule-removed": (_S, _D),
        "rule-changed": (_B, _D),
        "many-to-one": (_B, _S),
        "one-to-many": (_S, _B),
        "order-fixed": (_B, _S),
        "order-freed": (_S, _B),
        "alternative-removed": (_B, _S),
        "alternative-added": (_S, _D),
        "default-changed": (_D, _D),
    }
)
"""By rule: how bad it is in a request, and in an answer."""


def severity_of(rule: str, side: Side) -> Severity:
    """How bad this change is on this side."""
    request, answer = SEVERITIES[rule]
    return request if side is Side.REQUEST else answer
