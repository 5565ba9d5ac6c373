"""Enforce: how strictly a provider's answer is judged is the service's usual tolerance, or what a person ordered for a while.

Only answers are judged so. Requests are always judged strictly, and `release` gives out what the right names, whatever is ordered here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import Fault
from lgsp.model.conformity import LOOSE, Remark, Rigour
from lgsp.policy.tolerance import without_unknown

if TYPE_CHECKING:
    from lgsp.model.agreed import Call
    from lgsp.model.happening import Exchange
    from lgsp.ports.engine import Ports


def enforce(call: Call, exchange: Exchange, ports: Ports) -> None:
    """After a call: a Fault where the answer broke the provider's contract and this service's answers are blocked for that."""
    if exchange.remarks and ports.conformity.rigour(exchange.operation.service, ports.now()) is Rigour.BLOCK:
        raise _invalid(exchange.remarks[-1], call.name)


def enforce_reply(reply: Any, exchange: Exchange, ports: Ports) -> Any:
    """The canonical answer as it may go on; what our contract does not know is cut away, what else is wrong is the provider's fault."""
    operation = exchange.operation
    violations = operation.check_reply(reply)
    if not violations:
        return reply
    remark = Remark(operation.calls[-1].name, violations, json.encode(reply), is_ours=True)
    exchange.remarks.append(remark)
    rigour = ports.conformity.rigour(operation.service, ports.now())
    if rigour is Rigour.BLOCK:
        raise _invalid(remark)
    reply, left = without_unknown(reply, violations, operation.check_reply)
    if left and rigour not in LOOSE:
        raise _invalid(Remark(remark.call, left, b""))
    return reply


class Judged:
    """Around an exchange's way to its provider: its answer is counted, and one that broke something goes into quarantine.

    Where no answer came there is nothing to count.
    """

    __slots__ = ("_exchange", "_ports")

    def __init__(self, exchange: Exchange, ports: Ports) -> None:
        self._exchange = exchange
        self._ports = ports

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        exchange, ports = self._exchange, self._ports
        if exchange.remarks:
            ports.conformity.broken(exchange, exchange.remarks, ports.now(), passed=kind is None)
        elif kind is None:
            ports.conformity.kept(exchange, ports.now())


def _invalid(remark: Remark, detail: str = "") -> Fault:
    count = len(remark.violations)
    places = "1 place breaks the contract" if count == 1 else f"{count} places break the contract"
    return Fault("provider-reply-invalid", f"{detail}: {places}" if detail else places, errors=remark.violations)
