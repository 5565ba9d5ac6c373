"""Callback addresses and subscriptions at the management door: parse, call an act, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.acts import callback, subscribe
from lgsp.drivers.doors.management.answers import Answer, json_answer
from lgsp.model.parties import ChannelKind, Subscription, SubsystemId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.ports.office import Office

NO_STORE = {"Cache-Control": "no-store"}


class ChannelDesk:
    """One method for each operation; connexion passes `body`, path values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {
            "listCallbacks": self.list_callbacks,
            "setCallback": self.set_callback,
            "renewCallbackSecret": self.renew_secret,
            "removeCallback": self.remove_callback,
            "listSubscriptions": self.list_subscriptions,
            "addSubscription": self.subscribe,
            "removeSubscription": self.unsubscribe,
        }

    async def list_callbacks(self) -> Answer:
        """GET /callbacks."""
        found = callback.callbacks(self._office)
        return json_answer([{"consumer": each.consumer, "url": each.url, "language": each.language} for each in found])

    async def set_callback(self, client_id: str, body: dict[str, str], user: str) -> Answer:
        """PUT /consumers/{client_id}/callback."""
        registered = await callback.set_callback(self._office, client_id, body["url"], body.get("language", "vi"), user)
        return json_answer(_registered(registered), 201 if registered.secret else 200, NO_STORE)

    async def renew_secret(self, client_id: str, user: str) -> Answer:
        """POST /consumers/{client_id}/callback/secrets."""
        return json_answer(_registered(await callback.renew_secret(self._office, client_id, user)), 201, NO_STORE)

    async def remove_callback(self, client_id: str, user: str) -> Answer:
        """DELETE /consumers/{client_id}/callback."""
        await callback.remove_callback(self._office, client_id, user)
        return json_answer({"client_id": client_id})

    async def list_subscriptions(self) -> Answer:
        """GET /subscriptions."""
        return json_answer([_subscription(each) for each in subscribe.subscriptions(self._office)])

    async def subscribe(self, body: dict[str, str], user: str) -> Answer:
        """POST /subscriptions."""
        subscription = _read(body)
        await subscribe.subscribe(self._office, subscription, user)
        return json_answer(_subscription(subscription), 201)

    async def unsubscribe(self, body: dict[str, str], user: str) -> Answer:
        """POST /subscriptions/removals."""
        await subscribe.unsubscribe(self._office, _read(body), user)
        return json_answer(body)


def _read(body: dict[str, str]) -> Subscription:
    channel = ChannelKind(body.get("channel", ChannelKind.MAILBOX))
    return Subscription(body["service"], body["operation"], SubsystemId(body["subscriber"]), channel)


def _subscription(found: Subscription) -> dict[str, Any]:
    return {"subscriber": found.subscriber, "service": found.service, "operation": found.operation, "channel": found.channel.value}


def _registered(found: callback.Registered) -> dict[str, Any]:
    facts = {"consumer": found.consumer, "url": found.url, "language": found.language}
    return {**facts, "secret": found.secret} if found.secret else facts
