"""What the hub itself reaches: callback addresses and subscribers' mailboxes as providers beside those of the adapters, for one engine.

Each address is a provider of its own, with its connections, circuit and messages: a dead one holds up nobody else. What is sent is a
CloudEvent (1.0, structured JSON mode), signed as policy/signature.py says.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.codec.receipt import instant
from lgsp.model.agreed import MAILBOX, Auth, Call, DataClass, Operation, Pattern, Provider, RetryRule, Timeouts, Wire
from lgsp.model.parties import CALLBACKS, ChannelKind, callback_provider, channel_name
from lgsp.policy.signature import signature_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.errors import Violation
    from lgsp.model.catalogue import Catalogue
    from lgsp.model.parties import Callback, Subscription, SubsystemId
    from lgsp.ports.engine import CatalogueSource, Directory

EVENT = "application/cloudevents+json; charset=utf-8"
RETRY = RetryRule(first_s=5.0, cap_s=900.0, attempts=100, deadline_s=3 * 86_400.0)
TIMEOUTS = Timeouts(connect_s=5.0, total_s=15.0)
IN_FLIGHT = 4


class ChannelCatalogue:
    """The port CatalogueSource: what is published, the addresses that are registered and who is subscribed now."""

    def __init__(self, published: CatalogueSource, directory: Directory, source: str) -> None:
        self._published = published
        self._directory = directory
        self._source = source
        self._parts: tuple[object, ...] = ()
        self._made: Catalogue | None = None

    def current(self) -> Catalogue:
        """CatalogueSource; made anew when one of its parts was swapped for another."""
        parts = (self._published.current(), self._directory.callbacks(), self._directory.subscriptions())
        if self._made is None or any(part is not known for part, known in zip(parts, self._parts, strict=True)):
            self._parts, self._made = parts, with_channels(*parts, self._source)
        return self._made


def with_channels(published: Catalogue, callbacks: Sequence[Callback], subscriptions: Sequence[Subscription], source: str) -> Catalogue:
    """What is published, with an operation for each registered address and for each subscriber of what is published."""
    addresses = {callback_provider(each.consumer): _address(each) for each in callbacks}
    boxes = {each.provider: _box(each) for each in subscriptions if each.channel is ChannelKind.MAILBOX}
    channels = {**addresses, **boxes}
    offered = {(o.service, o.name): o for o in published.operations.values() if o.pattern is Pattern.PUBLISH}
    operations = [callback_operation(each, addresses[callback_provider(each.consumer)], source) for each in callbacks]
    for each in subscriptions:
        whole, channel = offered.get((each.service, each.operation)), channels.get(each.provider)
        if whole is not None and channel is not None:
            operations.append(_part(whole, each, channel, source))
    return published.joined(list(channels.values()), operations)


def callback_operation(callback: Callback, address: Provider, source: str) -> Operation:
    """How a registered address is told of receipts; `source` names the hub in its events."""
    return Operation(
        service=CALLBACKS,
        major=1,
        version="1.0.0",
        name=channel_name(callback.consumer),
        method="",
        path="",
        pattern=Pattern.CALLBACK,
        data_class=DataClass.INTERNAL,
        provider=address,
        calls=(event_call(source, lambda scope: scope["value"]),),
        media_types=(),
        read_parameters=lambda _: ({}, ()),
        check_request=_fine,
        check_reply=_fine,
        to_canonical=lambda _: {},
        retry=RETRY,
    )


def _part(whole: Operation, subscription: Subscription, channel: Provider, source: str) -> Operation:
    """How one subscriber gets what is published by an operation."""
    if subscription.channel is ChannelKind.MAILBOX:
        return replace(whole, name=subscription.name, method="", path="", provider=channel)
    kind = f"{whole.service}.{whole.name}"

    def event(scope: Mapping[str, Any]) -> dict[str, Any]:
        time = instant(scope["message"]["received_at"])
        return {"type": kind, "time": time, "datacontenttype": "application/json", "data": scope["value"]}

    calls = (event_call(source, event),)
    retry = replace(RETRY, deadline_s=whole.retry.deadline_s)
    changes: dict[str, Any] = {"calls": calls, "to_canonical": lambda _: None, "retry": retry}
    return replace(whole, name=subscription.name, method="", path="", provider=channel, **changes)


def _address(callback: Callback) -> Provider:
    auth = Auth(signs=partial(signature_headers, callback.secrets))
    return _provider(callback_provider(callback.consumer), callback.consumer, "callback", callback.url, auth)


def _box(subscription: Subscription) -> Provider:
    return _provider(subscription.provider, subscription.subscriber, MAILBOX, "", Auth())


def _provider(code: str, system: SubsystemId, kind: str, address: str, auth: Auth) -> Provider:
    return Provider(code, system, national=False, kind=kind, address=address, timeouts=TIMEOUTS, in_flight=IN_FLIGHT, auth=auth)


def event_call(source: str, content: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Call:
    """One CloudEvent; a receiver knows it again by its id, so sending it again changes nothing."""
    wire = Wire("POST", "", EVENT, (), lambda native: (json.encode(native), ()), lambda _: {}, _fine)

    def event(scope: Mapping[str, Any]) -> dict[str, Any]:
        return {"specversion": "1.0", "id": scope["message"]["id"], "source": source, **content(scope)}

    return Call("event", wire, event, safe=True)


def _fine(_: Any) -> Sequence[Violation]:
    return ()
