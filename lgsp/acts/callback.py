"""Callback addresses: register one for a consumer, give it a new secret, remove it. A person names each address; nothing else is called."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lgsp.errors import Fault, Violation
from lgsp.model.parties import Callback
from lgsp.policy.signature import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.parties import Consumer
    from lgsp.ports.office import Office

OVERLAP_S = 86_400.0
"""How long the former secret signs beside a new one, so that a receiver changes over without a gap."""
LOCAL = ("localhost", ".localhost")


@dataclass(frozen=True, slots=True)
class Registered:
    """What was registered; `secret` as people write it, this once, or None where the former one stands."""

    consumer: str
    url: str
    language: str
    secret: str | None

    def __repr__(self) -> str:
        return f"Registered({self.consumer!r}, {self.url!r}, secret=***)"


async def set_callback(office: Office, client_id: str, url: str, language: str, author: str) -> Registered:
    """Register an address, or change it and keep its secret; Fault("body-invalid") for an address that may not be called."""
    consumer = await _consumer(office, client_id)
    reason = unfit(url, plain_http=office.plain_http)
    if reason:
        raise Fault("body-invalid", errors=[Violation("/url", reason, "address")])
    secret = office.new_key()
    callback = Callback(consumer.id, url, language, ((secret, float("inf")),))
    is_new = await office.channels.set_callback(callback, author, office.now())
    return Registered(consumer.id, url, language, shown(secret) if is_new else None)


async def renew_secret(office: Office, client_id: str, author: str) -> Registered:
    """A new secret; the former one signs beside it for a day."""
    consumer = await _consumer(office, client_id)
    secret, now = office.new_key(), office.now()
    if not await office.channels.renew_secret(consumer.id, secret, now + OVERLAP_S, author, now):
        raise _none(consumer.id)
    callback = next(each for each in office.channels.callbacks() if each.consumer == consumer.id)
    return Registered(consumer.id, callback.url, callback.language, shown(secret))


async def remove_callback(office: Office, client_id: str, author: str) -> None:
    """Nothing more is sent there; what is owed to it comes to rest as dead."""
    consumer = await _consumer(office, client_id)
    if not await office.channels.remove_callback(consumer.id, author, office.now()):
        raise _none(consumer.id)


def callbacks(office: Office) -> Sequence[Callback]:
    """Every registered address, by consumer."""
    return sorted(office.channels.callbacks(), key=lambda callback: callback.consumer)


def unfit(url: str, *, plain_http: bool) -> str:
    """Why an address may not be registered; empty if it may. plain_http: development and test, where http and this machine are allowed."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return "is no address"
    if not url.isascii() or any(sign <= " " for sign in url) or not host or port == 0:
        return "is no address"
    if parts.scheme != "https" and not (plain_http and parts.scheme == "http"):
        return "begins with https://"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "must carry no user, password or fragment"
    return "" if plain_http else _unfit_host(host)


def _unfit_host(host: str) -> str:
    """No callback is on this machine or at a link's own addresses; a province's private networks are fine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "is this machine" if host == LOCAL[0] or host.endswith(LOCAL[1]) else ""
    mapped = getattr(address, "ipv4_mapped", None) or address
    fits = not (mapped.is_loopback or mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast or mapped.is_reserved)
    return "" if fits else "is no address of another machine"


async def _consumer(office: Office, client_id: str) -> Consumer:
    found = [each for each in await office.register.consumers() if each.client_id == client_id]
    if not found:
        raise Fault("not-found", f"no consumer has the client id {client_id}")
    return found[0]


def _none(consumer: str) -> Fault:
    return Fault("not-found", f"{consumer} has no callback address")
