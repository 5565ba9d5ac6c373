"""What is kept for its addressee instead of being sent: the one call of such an operation, which the addressee itself answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.model.agreed import Call, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.errors import Violation

HAND_OVER = "handOver"
RECEIPT_STATUS = "202"
"""Under it a contract describes the hub's receipt, not what the provider says later."""


def hand_over_call() -> Call:
    """The canonical request as it is; handing it over again changes nothing, since its addressee knows it by its id."""
    wire = Wire("", "", "application/json", (), lambda native: (json.encode(native), ()), json.decode, lambda _: ())
    return Call(HAND_OVER, wire, _as_it_is, safe=True)


def answer_of(scope: Mapping[str, Any]) -> Any:
    """What the addressee answered; it may answer nothing."""
    return scope["value"]


def if_answered(check_reply: Callable[[Any], Sequence[Violation]]) -> Callable[[Any], Sequence[Violation]]:
    """The check of an answer, where there is one."""
    return lambda reply: () if reply is None else check_reply(reply)


def any_answer(_reply: Any) -> Sequence[Violation]:
    """What a provider says to a message for which the contract promises no more than a receipt."""
    return ()


def _as_it_is(scope: Mapping[str, Any]) -> Any:
    return dict(scope["value"]) if isinstance(scope["value"], dict) else scope["value"]
