"""The composition root: settings in, a hub out. The only place that knows which driver stands behind which port."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import socket
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from lgsp.acts.people import Applicant, add_person
from lgsp.acts.successor import Successors
from lgsp.drivers.bell import open_bell
from lgsp.drivers.bindings import Bindings
from lgsp.drivers.catalogue import Folders, LiveCatalogue
from lgsp.drivers.channels import ChannelCatalogue
from lgsp.drivers.checkers import Checkers
from lgsp.drivers.cipher import Cipher
from lgsp.drivers.clock import SteadyClock
from lgsp.drivers.code_tables import LiveTables
from lgsp.drivers.conformity import GatheredConformity
from lgsp.drivers.couriers import Courier, recipients
from lgsp.drivers.digests import keyed
from lgsp.drivers.doors.asgi import Limits
from lgsp.drivers.doors.gate import Front, Places, Refusals
from lgsp.drivers.doors.gateway import gateway_app
from lgsp.drivers.doors.management.door import management_app
from lgsp.drivers.doors.token import TokenDoor
from lgsp.drivers.identity import Issuer, Secrets, Tokens, new_signing_key, read_keys
from lgsp.drivers.ids import Ids
from lgsp.drivers.judge import ChildJudge
from lgsp.drivers.lines import Lines
from lgsp.drivers.node import NodeAgent, Turn
from lgsp.drivers.outbound.calls import NativeCalls
from lgsp.drivers.outbound.gather import GatheredCalls
from lgsp.drivers.outbound.guard import GuardedCalls, Surroundings
from lgsp.drivers.outbound.wss import check_bound
from lgsp.drivers.people import ArgonPasswords, FailureCount, SignedSessions
from lgsp.drivers.quotas import LeasedQuotas
from lgsp.drivers.rollout import StagedRollout
from lgsp.drivers.sealer import Sealer, SigningKeys
from lgsp.drivers.store import migrate, open_store
from lgsp.drivers.usage import SampledUsage
from lgsp.drivers.vault import FolderShelf, SealedVault, SharedShelf
from lgsp.drivers.watchers import SharedWatchers
from lgsp.drivers.worker import Times, Worker
from lgsp.errors import Fault, LgspError
from lgsp.model.edition import Node
from lgsp.ports.engine import Ports
from lgsp.ports.evidence import Archive, Witness
from lgsp.ports.office import Office
from lgsp.ports.publishing import Press
from lgsp.telemetry import Telemetry, exposition, process_registry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence

    from lgsp.config import Settings
    from lgsp.drivers.bell import Ringing
    from lgsp.drivers.store import Store
    from lgsp.model.agreed import Provider
    from lgsp.model.catalogue import Catalogue

FIRST_PERSON = "admin"
SQLITE = "sqlite:///"
LOG_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub with its drivers bound: it serves what `gateway` and `management` give; `close` when done."""

    settings: Settings
    ports: Ports
    office: Office
    store: Store
    tokens: Tokens
    bell: Ringing
    outbound: NativeCalls
    guard: GuardedCalls
    conformity: GatheredConformity
    usage: SampledUsage
    tables: LiveTables
    worker: Worker
    vault: SealedVault
    places: Places
    agent: NodeAgent
    seal_due: Callable[[], Awaitable[int]]
    send_heads: Callable[[], Awaitable[None]]

    def gateway(self) -> Any:
        """The data plane as an ASGI application."""
        settings = self.settings
        token_door = TokenDoor(Secrets(self.store, self.office.mac).client_of, self.tokens.issue, self.store, settings.token_life_s)
        front = Front(self.places, self.ready, lambda: self.worker.stopping, Refusals(settings.issuer, self.ports.new_id))
        limits = Limits(settings.body_limit_bytes, settings.file_limit_bytes, settings.public_url, settings.security_servers)
        return gateway_app(self.ports, token_door, limits, front, settings.issuer)

    def management(self) -> Any:
        """The management API as an ASGI application; metrics are rendered in a thread."""
        metrics = partial(exposition, self.ports.telemetry, self.settings.metrics_dir or None)
        return management_app(self.office, metrics, self.ready, self.settings.issuer)

    async def ready(self) -> Mapping[str, bool]:
        """What the hub needs, by name, and whether it is there."""
        checks = {"store": await self.store.answers(), "serving": not self.worker.stopping, "worker": self.worker.alive}
        return {**checks, "catalogue": await self.agent.is_current()}

    async def close(self) -> None:
        """Let go of everything outside, in the reverse order of opening."""
        await self.outbound.close()
        await self.bell.close()
        with contextlib.suppress(Fault):
            await self.conformity.flush(self.ports.now())
            await self.usage.flush(self.ports.now(), at_once=True)
        await self.store.close()
        self.ports.telemetry.settle()


async def open_hub(settings: Settings) -> Hub:
    """Build every driver and bind them; raises SettingsError or ContractError, with everything that is wrong, before any door opens."""
    new_id, now = Ids(), SteadyClock(time.time, time.monotonic_ns, _clock_stepped)
    store = await _store(settings, now)
    try:
        return await _open_over(store, settings, new_id, now)
    except (LgspError, ValueError):
        await store.close()
        raise


async def _open_over(store: Store, settings: Settings, new_id: Ids, now: SteadyClock) -> Hub:
    catalogue, published = LiveCatalogue(Folders(settings.adapters, settings.contracts), store), await store.published()
    await catalogue.begin(published)
    bound = _bound(settings, tuple(catalogue.current().providers.values()), await store.bindings())
    telemetry = Telemetry(process_registry())
    telemetry.announce(version("lgsp"), catalogue.current())
    tokens = await _tokens(settings, store, new_id)
    bell, vault = open_bell(settings.broker_url, on_fault=telemetry.bell_failed), open_vault(settings, store, new_id)
    outbound = NativeCalls(bound, now, telemetry, vault, settings.file_limit_bytes)
    guard = _guard(outbound, Surroundings(store, store, telemetry, now, random.random), tuple(catalogue.current().providers.values()))
    counted = (GatheredConformity(store, telemetry, new_id), SampledUsage(store))
    ports = _ports(_Parts(settings, catalogue, bound, telemetry, (new_id, now), store, tokens, bell, guard, vault, counted))
    tables = LiveTables(ports.catalogue, store, now)
    worker = Worker(ports, guard, store, Times(settings.lease_margin_s, settings.stop_drain_s))
    turn = Turn(
        partial(_check_reachable, bound),
        partial(_adopt, bound, guard, telemetry, tables),
        partial(setattr, worker, "behind"),
        partial(_rebind, bound, catalogue),
    )
    agent = NodeAgent(store, catalogue, Node(_node_name(new_id), "", published.epoch), turn, now)
    press = Press(
        store,
        store,
        store,
        store,
        catalogue,
        ChildJudge(settings.adapters),
        StagedRollout(store, agent.nudge, now),
        two_persons=settings.publish_approval,
        public=settings.public_url,
        bindings=store,
        given=frozenset(settings.bindings),
        reachable=lambda here: _check_reachable(bound, tuple(catalogue.current().providers.values()), here),
        nudge=agent.nudge,
    )
    office = _office(settings, store, ports, guard, press)
    await _first_person(settings, office)
    places, evidence = Places(settings.exchanges_limit, telemetry), _evidence(settings, store, ports, office)
    return Hub(settings, ports, office, store, tokens, bell, outbound, guard, *counted, tables, worker, vault, places, agent, *evidence)


def _node_name(new_id: Ids) -> str:
    """The machine and the process, and something that no restart repeats."""
    return f"{socket.gethostname()}.{os.getpid()}.{new_id()[-6:]}"


def _check_reachable(bound: Bindings, providers: Sequence[Provider], here: Mapping[str, str] | None = None) -> None:
    found = bound.resolved(providers, here)
    check_bound(lambda provider, _: found[provider.code], providers)


def _rebind(bound: Bindings, catalogue: LiveCatalogue, here: Mapping[str, str]) -> None:
    providers = tuple(catalogue.current().providers.values())
    _check_reachable(bound, providers, here)
    bound.rebind(providers, here)


def _adopt(bound: Bindings, guard: GuardedCalls, telemetry: Telemetry, tables: LiveTables, catalogue: Catalogue) -> None:
    tables.prepare(catalogue)
    providers = tuple(catalogue.providers.values())
    bound.adopt(providers)
    guard.know(providers)
    telemetry.announce(version("lgsp"), catalogue)


def _evidence(
    settings: Settings, store: Store, ports: Ports, office: Office
) -> tuple[Callable[[], Awaitable[int]], Callable[[], Awaitable[None]]]:
    """What seals, and what sends heads out."""
    sealer = Sealer(store, settings.issuer, evidence_mac_key(settings), SigningKeys(store).newest)
    named = recipients(settings.evidence_drop, settings.evidence_mail, settings.evidence_hubs)
    courier = Courier(office.evidence, store, named, settings.evidence_send_s)
    return (
        partial(sealer.seal_due, ports.new_id(), ports.now, os.urandom),
        partial(courier.send_due, ports.now, ports.telemetry.head_unconfirmed),
    )


def _archive(settings: Settings, store: Store) -> Archive:
    checkers = Checkers(evidence_mac_key(settings), os.cpu_count() or 1)
    return Archive(store, store, SigningKeys(store), checkers, store, store, store, settings.issuer, keyed(settings.master_key, b"digest"))


def evidence_mac_key(settings: Settings) -> bytes:
    """By which the hub knows its leaves again."""
    return keyed(settings.master_key, b"evidence")(b"")


def _guard(outbound: NativeCalls, around: Surroundings, providers: Sequence[Provider]) -> GuardedCalls:
    guard = GuardedCalls(outbound, around)
    guard.know(providers)
    return guard


def _bound(settings: Settings, providers: Sequence[Provider], here: Mapping[str, str]) -> Bindings:
    bound = Bindings(settings.bindings, providers, here)
    check_bound(bound, providers)
    return bound


async def _store(settings: Settings, now: Callable[[], float]) -> Store:
    await migrate(settings.database_url)
    return await open_store(settings.database_url, Cipher(settings.master_key), now)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The drivers that stand behind the ports of the engine."""

    settings: Settings
    catalogue: LiveCatalogue
    bound: Bindings
    telemetry: Telemetry
    ids_and_time: tuple[Ids, SteadyClock]
    store: Store
    tokens: Tokens
    bell: Ringing
    guard: GuardedCalls
    vault: SealedVault
    counted: tuple[GatheredConformity, SampledUsage]


def _ports(parts: _Parts) -> Ports:
    store, settings, (new_id, now) = parts.store, parts.settings, parts.ids_and_time
    return Ports(
        catalogue=ChannelCatalogue(parts.catalogue, store, settings.issuer),
        directory=store,
        identity=parts.tokens,
        proofs=store,
        quotas=LeasedQuotas(store),
        log=store,
        outbox=store,
        mailboxes=store,
        receipts=store,
        notices=store,
        drains=store,
        outbound=GatheredCalls(parts.guard, parts.telemetry),
        vault=parts.vault,
        bell=parts.bell,
        watchers=SharedWatchers(store.at_rest),
        conformity=parts.counted[0],
        usage=parts.counted[1],
        telemetry=parts.telemetry,
        now=now,
        tick=time.monotonic_ns,
        jitter=random.random,
        new_id=new_id,
        digest=keyed(settings.master_key, b"digest"),
        bound=parts.bound,
        evidence_overdue=lambda: store.behind_s() > settings.evidence_behind_s,
        issuer=settings.issuer,
    )


async def _tokens(settings: Settings, store: Store, new_id: Callable[[], str]) -> Tokens:
    signing_key = await store.load_or_create_key("sign", new_signing_key)
    return Tokens(Issuer(settings.issuer, settings.issuer, settings.token_life_s, read_keys([signing_key])), new_id)


def open_vault(settings: Settings, store: Store, new_id: Callable[[], str]) -> SealedVault:
    """Files lie in a folder beside an SQLite database or where the settings say, and otherwise in the database that the nodes share."""
    folder = settings.vault_dir
    if not folder and settings.database_url.startswith(SQLITE):
        folder = str(Path(settings.database_url.removeprefix(SQLITE)).parent / "vault")
    return SealedVault(store, FolderShelf(Path(folder)) if folder else SharedShelf(store), new_id)


def _office(settings: Settings, store: Store, ports: Ports, guard: GuardedCalls, press: Press) -> Office:
    return Office(
        inspection=store,
        steering=store,
        runs=store,
        corrections=store,
        successors=Successors(ports),
        register=store,
        rights=store,
        enrolments=store,
        channels=store,
        people=store,
        passwords=ArgonPasswords(),
        sessions=SignedSessions(keyed(settings.master_key, b"sessions")(b"")),
        sign_in_guard=FailureCount(),
        bell=ports.bell,
        catalogue=ports.catalogue,
        states=store,
        circuits=guard,
        press=press,
        evidence=_archive(settings, store),
        witness=Witness(store, settings.evidence_witnesses),
        enforcements=store,
        quarantine=store,
        uses=store,
        code_rows=store,
        trials=store,
        now=ports.now,
        new_id=ports.new_id,
        new_secret=lambda: secrets.token_urlsafe(32),
        new_key=lambda: secrets.token_bytes(32),
        mac=keyed(settings.master_key, b"secrets"),
        started_at=ports.now(),
        version=version("lgsp"),
        plain_http=settings.environment != "production",
    )


def _clock_stepped(behind_s: float) -> None:
    structlog.get_logger().bind(logger="lgsp.clock").warning("clock_stepped", behind_s=round(behind_s, 3))


async def _first_person(settings: Settings, office: Office) -> None:
    """Whoever signs in first, where the settings give a password; one that exists keeps theirs."""
    if not settings.admin_password:
        return
    try:
        await add_person(office, Applicant(FIRST_PERSON, "admin", settings.admin_password), "settings")
    except Fault as fault:
        if fault.slug != "already-exists":
            raise


def configure_log(level: str) -> None:
    """JSON logs on standard output: one object a line, with the field names of CONVENTIONS."""
    lines = Lines(sys.stdout.buffer)
    structlog.configure(
        processors=[structlog.processors.format_exc_info, _line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )


def _line(_logger: object, level: str, event: MutableMapping[str, Any]) -> bytes:
    """One event as one JSON object; `ago_s`: how long ago it was, if it was not now."""
    event["message"] = event.pop("event")
    event["level"] = level
    event["timestamp"] = datetime.fromtimestamp(time.time() - event.pop("ago_s", 0.0), UTC).isoformat()
    return LOG_ENCODER.encode(event)
