"""Callback addresses and subscriptions in memory, and what is still to be told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.drivers.memory.exchanges import Owed
from lgsp.errors import Fault
from lgsp.ports.office import Act

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.happening import Receipt, Stored
    from lgsp.model.parties import Callback, Consumer, Subscription, SubsystemId

ALL = 1_000_000_000


class MemoryChannels:
    """The ports Channels and Notices."""

    _acts: list[Act]
    _owed: dict[str, Owed]
    _consumers: dict[str, Consumer]

    def __init__(self) -> None:
        self._callbacks: tuple[Callback, ...] = ()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._fed: dict[SubsystemId, int] = {}

    async def feed(self, consumer: SubsystemId, since: int, limit: int) -> Sequence[Receipt]:
        """The port Receipts's."""
        raise NotImplementedError

    def callbacks(self) -> Sequence[Callback]:
        """Channels, Directory."""
        return self._callbacks

    async def set_callback(self, callback: Callback, author: str, at: float) -> bool:
        """Channels."""
        if all(consumer.id != callback.consumer for consumer in self._consumers.values()):
            raise Fault("not-found", f"{callback.consumer} is not registered")
        known = self._of(callback.consumer)
        history = await self.feed(callback.consumer, 0, ALL)
        if known is None:
            self._fed[callback.consumer] = (history[-1].number or 0) if history else 0
        self._put(callback.consumer, callback if known is None else replace(callback, secrets=known.secrets))
        facts = {"url": callback.url, "language": callback.language}
        self._acts.append(Act(at, author, "set_callback", callback.consumer, facts))
        return known is None

    async def renew_secret(self, consumer: SubsystemId, secret: bytes, former_until: float, author: str, at: float) -> bool:
        """Channels."""
        known = self._of(consumer)
        if known is None:
            return False
        self._put(consumer, replace(known, secrets=((secret, float("inf")), (known.secrets[0][0], former_until))))
        self._acts.append(Act(at, author, "renew_callback_secret", consumer, {}))
        return True

    async def remove_callback(self, consumer: SubsystemId, author: str, at: float) -> bool:
        """Channels."""
        if self._of(consumer) is None:
            return False
        self._put(consumer, None)
        del self._fed[consumer]
        self._acts.append(Act(at, author, "remove_callback", consumer, {}))
        return True

    def subscriptions(self) -> Sequence[Subscription]:
        """Channels, Directory."""
        return self._subscriptions

    async def subscribe(self, subscription: Subscription, author: str, at: float) -> None:
        """Channels."""
        if all(consumer.id != subscription.subscriber for consumer in self._consumers.values()):
            raise Fault("not-found", f"{subscription.subscriber} is not registered")
        others = [each for each in self._subscriptions if _key(each) != _key(subscription)]
        self._subscriptions = tuple(sorted([*others, subscription], key=_key))
        facts = {"service": subscription.service, "operation": subscription.operation, "channel": subscription.channel.value}
        self._acts.append(Act(at, author, "subscribe", subscription.subscriber, facts))

    async def unsubscribe(self, subscription: Subscription, author: str, at: float) -> bool:
        """Channels."""
        kept = tuple(each for each in self._subscriptions if _key(each) != _key(subscription))
        if len(kept) == len(self._subscriptions):
            return False
        self._subscriptions = kept
        facts = {"service": subscription.service, "operation": subscription.operation}
        self._acts.append(Act(at, author, "unsubscribe", subscription.subscriber, facts))
        return True

    async def behind(self) -> Sequence[tuple[SubsystemId, int]]:
        """Notices."""
        active = {consumer.id for consumer in self._consumers.values() if consumer.active}
        return [(consumer, fed) for consumer, fed in sorted(self._fed.items()) if consumer in active and await self.feed(consumer, fed, 1)]

    async def owe(self, consumer: SubsystemId, span: tuple[int, int], events: Sequence[Stored]) -> bool:
        """Notices."""
        since, until = span
        if self._fed.get(consumer) != since:
            return False
        self._fed[consumer] = until
        self._owed.update({event.message_id: Owed(event) for event in events})
        return True

    def _of(self, consumer: SubsystemId) -> Callback | None:
        return next((each for each in self._callbacks if each.consumer == consumer), None)

    def _put(self, consumer: SubsystemId, callback: Callback | None) -> None:
        others = [each for each in self._callbacks if each.consumer != consumer]
        self._callbacks = tuple(sorted(others + ([callback] if callback else []), key=lambda each: each.consumer))


def _key(subscription: Subscription) -> tuple[str, str, str]:
    return subscription.service, subscription.operation, subscription.subscriber
