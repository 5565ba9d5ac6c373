"""Hand over: the provider is an addressee that came itself, so its answer is there before it is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lgsp.errors import BusinessRefusal, Fault

if TYPE_CHECKING:
    from lgsp.model.agreed import Call, Prepared
    from lgsp.model.happening import Exchange
    from lgsp.ports.engine import Ports


class Addressee:
    """The port Outbound: answers with what was given, or with a Fault."""

    def __init__(self, answer: Any, fault: Fault | None) -> None:
        self._answer = answer
        self._fault = fault

    async def call(self, call: Call, request: Prepared, exchange: Exchange) -> Any:  # noqa: ARG002 -- the port's signature
        """Outbound."""
        if self._fault is not None:
            raise self._fault
        return self._answer


def confirmed(ports: Ports, answer: Any) -> Ports:
    """The addressee took the message; `answer` as the operation's contract has it, or None."""
    return replace(ports, outbound=Addressee(answer, None))


def refused(ports: Ports, reason: str) -> Ports:
    """The addressee took it and says no; its words go to the sender and the encrypted payload, never into a log row."""
    return replace(ports, outbound=Addressee(None, BusinessRefusal("refused-by-addressee", extra={"providerMessage": reason})))


def partly(ports: Ports) -> Ports:
    """Of a publication, all parts of which have an end: not every subscriber took it."""
    return replace(ports, outbound=Addressee(None, BusinessRefusal("partly-delivered")))


def expired(ports: Ports) -> Ports:
    """Nobody confirmed it in time."""
    return replace(ports, outbound=Addressee(None, Fault("mailbox-expired")))
