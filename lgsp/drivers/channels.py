"""What the hub itself reaches: registered callback addresses as providers beside those of the adapters, so that one engine serves both.

Each address is a provider of its own, with its connections, circuit and messages: a dead one holds up nobody else. What is sent is a
CloudEvent (1.0, structured JSON mode), signed as policy/signature.py says.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.model.agreed import Auth, Call, DataClass, Operation, Pattern, Provider, RetryRule, Timeouts, Wire
from lgsp.model.parties import CALLBACKS, callback_provider, channel_name
from lgsp.policy.signature import signature_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.errors import Violation
    from lgsp.model.agreed import Catalogue
    from lgsp.model.parties import Callback
    from lgsp.ports.engine import CatalogueSource

EVENT = "application/cloudevents+json; charset=utf-8"
RETRY = RetryRule(first_s=5.0, cap_s=900.0, attempts=100, deadline_s=3 * 86_400.0)
TIMEOUTS = Timeouts(connect_s=5.0, total_s=15.0)
IN_FLIGHT = 4


class ChannelCatalogue:
    """The port CatalogueSource: what is published, and the addresses that are registered now."""

    def __init__(self, published: CatalogueSource, callbacks: Callable[[], Sequence[Callback]], source: str) -> None:
        self._published = published
        self._callbacks = callbacks
        self._source = source
        self._made_of: tuple[object, object] | None = None
        self._made: Catalogue | None = None

    def current(self) -> Catalogue:
        """CatalogueSource; made anew when either part was swapped for another."""
        published, callbacks = self._published.current(), self._callbacks()
        if self._made is None or self._made_of is None or self._made_of[0] is not published or self._made_of[1] is not callbacks:
            operations = [callback_operation(each, self._source) for each in callbacks]
            self._made_of, self._made = (published, callbacks), published.joined([each.provider for each in operations], operations)
        return self._made


def callback_operation(callback: Callback, source: str) -> Operation:
    """How one registered address is called; `source` names the hub in its events."""
    auth = Auth(signs=partial(signature_headers, callback.secrets))
    provider = Provider(
        code=callback_provider(callback.consumer),
        system=callback.consumer,
        national=False,
        kind="callback",
        address=callback.url,
        timeouts=TIMEOUTS,
        in_flight=IN_FLIGHT,
        auth=auth,
    )
    return Operation(
        service=CALLBACKS,
        major=1,
        version="1.0.0",
        name=channel_name(callback.consumer),
        method="",
        path="",
        pattern=Pattern.CALLBACK,
        data_class=DataClass.INTERNAL,
        provider=provider,
        calls=(event_call(source),),
        media_types=(),
        read_parameters=lambda _: ({}, ()),
        check_request=_fine,
        check_reply=_fine,
        to_canonical=lambda _: {},
        retry=RETRY,
    )


def event_call(source: str) -> Call:
    """One CloudEvent; a receiver knows it again by its id, so sending it again changes nothing."""
    wire = Wire("POST", "", EVENT, (), lambda native: (json.encode(native), ()), lambda _: {}, _fine)

    def event(scope: Mapping[str, Any]) -> dict[str, Any]:
        return {"specversion": "1.0", "id": scope["message"]["id"], "source": source, **scope["value"]}

    return Call("event", wire, event, safe=True)


def _fine(_: Any) -> Sequence[Violation]:
    return ()
