"""The composition root: settings in, a hub out. The only place that knows which driver stands behind which port."""

from __future__ import annotations

import hashlib
import hmac
import os
import random
import secrets
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from lgsp.acts.people import Applicant, add_person
from lgsp.drivers.bell import open_bell
from lgsp.drivers.bindings import Bindings
from lgsp.drivers.catalogue import FolderCatalogue
from lgsp.drivers.cipher import Cipher
from lgsp.drivers.doors.gateway import gateway_app
from lgsp.drivers.doors.management import management_app
from lgsp.drivers.doors.rest import Limits
from lgsp.drivers.doors.token import TokenDoor
from lgsp.drivers.identity import Issuer, Secrets, Tokens, new_signing_key, read_keys
from lgsp.drivers.outbound.calls import NativeCalls
from lgsp.drivers.people import ArgonPasswords, FailureCount, SignedSessions
from lgsp.drivers.quotas import LeasedQuotas
from lgsp.drivers.store import migrate, open_store
from lgsp.drivers.worker import Worker
from lgsp.errors import Fault
from lgsp.ports import Office, Ports
from lgsp.telemetry import Telemetry, exposition, process_registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.config import Settings
    from lgsp.drivers.bell import Ringing
    from lgsp.drivers.store import Store

FIRST_PERSON = "admin"


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that is ready to serve: its ports, its doors, its worker; `close` when done."""

    settings: Settings
    ports: Ports
    office: Office
    store: Store
    bell: Ringing
    outbound: NativeCalls
    worker: Worker
    gateway: Any
    management: Any

    async def ready(self) -> Mapping[str, bool]:
        """What the hub needs, by name, and whether it is there."""
        try:
            await self.store.refresh()
        except Fault:
            return {"store": False, "worker": not self.worker.stopping}
        return {"store": True, "worker": not self.worker.stopping}

    async def close(self) -> None:
        """Let go of everything outside, in the reverse order of opening."""
        await self.outbound.close()
        await self.bell.close()
        await self.store.close()


def new_id() -> str:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then randomness; ids made later sort later."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


async def open_hub(settings: Settings) -> Hub:
    """Build every driver and bind them; raises SettingsError or ContractError, with everything that is wrong, before any door opens."""
    catalogue = FolderCatalogue(settings.adapters, settings.contracts)
    bound = Bindings(settings.bindings, tuple(catalogue.current().providers.values()))
    mac = _keyed(settings.master_key, b"secrets")
    telemetry = Telemetry(process_registry())
    telemetry.announce(version("lgsp"), catalogue.current())
    await migrate(settings.database_url)
    store = await open_store(settings.database_url, Cipher(settings.master_key), time.time)
    kid, pem = await store.load_or_create_key("sign", new_signing_key)
    tokens = Tokens(Issuer(settings.issuer, settings.issuer, settings.token_life_s, read_keys([(kid, pem)])), new_id)
    bell = open_bell(settings.broker_url)
    outbound = NativeCalls(bound, time.time, telemetry)
    ports = Ports(
        catalogue=catalogue,
        directory=store,
        identity=tokens,
        quotas=LeasedQuotas(store),
        log=store,
        outbox=store,
        receipts=store,
        outbound=outbound,
        bell=bell,
        telemetry=telemetry,
        now=time.time,
        tick=time.monotonic_ns,
        jitter=random.random,
        new_id=new_id,
        digest=_keyed(settings.master_key, b"digest"),
        bound=bound,
    )
    office = await _office(settings, store, bell, ports, mac)
    token_door = TokenDoor(Secrets(store, mac).client_of, tokens.issue, store, settings.token_life_s)
    limits = Limits(settings.body_limit_bytes, settings.exchanges_limit)
    worker = Worker(ports, settings.lease_margin_s)
    hub: list[Hub] = []
    management = management_app(
        office, lambda: exposition(telemetry.registry, settings.metrics_dir or None), lambda: hub[0].ready(), settings.issuer
    )
    gateway = gateway_app(ports, token_door, limits, settings.issuer)
    hub.append(Hub(settings, ports, office, store, bell, outbound, worker, gateway, management))
    return hub[0]


async def _office(settings: Settings, store: Store, bell: Ringing, ports: Ports, mac: Any) -> Office:
    office = Office(
        inspection=store,
        steering=store,
        register=store,
        rights=store,
        people=store,
        passwords=ArgonPasswords(),
        sessions=SignedSessions(hmac.digest(settings.master_key, b"sessions", hashlib.sha256)),
        sign_in_guard=FailureCount(),
        bell=bell,
        catalogue=ports.catalogue,
        now=time.time,
        new_id=new_id,
        new_secret=lambda: secrets.token_urlsafe(32),
        mac=mac,
        started_at=time.time(),
        version=version("lgsp"),
    )
    if settings.admin_password:
        try:
            await add_person(office, Applicant(FIRST_PERSON, "admin", settings.admin_password), "settings")
        except Fault as fault:
            if fault.slug != "already-exists":
                raise
    return office


def _keyed(master_key: bytes, purpose: bytes) -> Any:
    key = hmac.digest(master_key, purpose, hashlib.sha256)
    return lambda content: hmac.digest(key, content, hashlib.sha256)


def configure_log(level: str) -> None:
    """JSON logs on standard output: one object a line, with the field names of CONVENTIONS."""
    encoder = msgspec.json.Encoder()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.EventRenamer("message"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=lambda event, **_: encoder.encode(event)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
