"""The bell: tells workers that messages of a provider are due. In this process by default; over a broker for several nodes.

A lost, late or doubled ring is harmless: the database is the record, a claim checks, and a sweep each second finds what no bell announced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.drivers.bell.local import LocalBell, Ringing

if TYPE_CHECKING:
    from collections.abc import Callable


def open_bell(broker_url: str = "", prefix: str = "lgsp.bell", on_fault: Callable[[str], None] = lambda _: None) -> Ringing:
    """The bell of this process if no broker is given, otherwise one over the broker.

    `prefix` begins the names of its queues; `on_fault` is told what goes wrong, in threads of the bell: broken, blocked, unroutable.
    """
    if not broker_url:
        return LocalBell()
    from lgsp.drivers.bell.broker import BrokerBell  # noqa: PLC0415  # kombu takes 5 MB, which a hub without a broker keeps free

    return BrokerBell(broker_url, prefix, on_fault)


__all__ = ["Ringing", "open_bell"]
