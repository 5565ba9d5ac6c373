"""Publish an adapter: its bundle is judged, held against what is live, approved where that is asked for, and carried to every node.

The same digest moves from hub to hub; nothing in it names an environment.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lgsp.acts.usage import whom_it_breaks
from lgsp.contract.adapter.bundle import adapter_in
from lgsp.contract.archive import digest_of
from lgsp.contract.diff.services import gone, service_changes
from lgsp.errors import ContractError, Fault, Finding, Violation
from lgsp.model.edition import Edition, EditionState
from lgsp.policy.compatibility import Severity
from lgsp.ports.publishing import Bundle, Decided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.contract.diff.change import Change
    from lgsp.model.agreed import Service
    from lgsp.ports.office import Office

MOST_CHANGES = 100
MOST_KEPT = 8
SHIPPED = "release"
"""The author of what came with the release."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants live, why, and why it must be although it breaks consumers."""

    digest: str
    reason: str = ""
    breaking: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An edition, and how many nodes serve it of how many; none while it waits for a second person. changed: False if it was live."""

    edition: Edition
    services: Sequence[Service]
    live: int = 0
    nodes: int = 0
    changed: bool = True


async def upload(office: Office, content: bytes, author: str) -> Bundle:
    """Keep a bundle; Fault("bundle-invalid") for what is none, with its places. The same one again is the same."""
    try:
        bundle = Bundle(digest_of(content), await asyncio.to_thread(adapter_in, content), content)
    except ContractError as error:
        raise _invalid(error.findings) from error
    await office.press.bundles.keep_bundle(bundle, author, office.now())
    return bundle


async def publish(office: Office, wish: Wish, author: str) -> Outcome:
    """Judge it, compare it, and put it live at once or, with two persons, once another one has approved it."""
    bundle = await _bundle(office, wish.digest)
    findings = await office.press.judge.findings(bundle)
    if findings:
        raise _invalid(findings)
    _, services = await _compiled(office, bundle)
    before = _live_services(office, bundle.adapter)
    if before and {each.digest for each in before} == {each.digest for each in services}:
        return await _unchanged(office, bundle, services)
    changes = await asyncio.to_thread(service_changes, before, services)
    await _refuse_breaking(office, changes, wish)
    edition = replace(
        await _edition(office, wish, bundle, author), changes=_told(changes), keeps=await _keeps(office, bundle, before, services)
    )
    await office.press.editions.propose_edition(edition)
    if office.press.two_persons:
        return Outcome(edition, services)
    return await _roll_out(office, edition, author, services)


async def approve(office: Office, edition_id: str, author: str) -> Outcome:
    """The second person: put a proposed edition live."""
    edition = await _edition_of(office, edition_id)
    if edition.state is not EditionState.PROPOSED:
        raise Fault("edition-decided")
    if edition.author == author:
        raise Fault("second-person-needed")
    _, services = await _compiled(office, await _bundle(office, edition.digest))
    return await _roll_out(office, edition, author, services)


async def reject(office: Office, edition_id: str, author: str) -> Edition:
    """A proposed edition does not go live; who proposed it may take it back so, too."""
    await _edition_of(office, edition_id)
    if not await office.press.editions.end_edition(edition_id, EditionState.REJECTED, Decided(author, office.now())):
        raise Fault("edition-decided")
    return await _edition_of(office, edition_id)


async def rollback(office: Office, name: str, digest: str, reason: str, author: str) -> Outcome:
    """Put live what was live before, or the edition that is named; one person is enough, for it was approved once."""
    adapter = adapter_of(office, name)
    former = await former_edition(office, adapter, digest)
    bundle = await _bundle(office, former.digest)
    _, services = await _compiled(office, bundle)
    before = _live_services(office, adapter)
    edition = replace(
        await _edition(office, Wish(former.digest, reason, former.breaking), bundle, author),
        verb="rollback",
        changes=_told(await asyncio.to_thread(service_changes, before, services)),
        keeps=await _keeps(office, bundle, before, services),
    )
    await office.press.editions.propose_edition(edition)
    return await _roll_out(office, edition, author, services)


async def former_edition(office: Office, adapter: str, digest: str = "") -> Edition:
    """The newest that was live before and is another than now; or the one of this digest, if it ever was live."""
    known = await office.press.editions.editions(adapter, 1000)
    live = next((each for each in known if each.state is EditionState.LIVE), None)
    for each in sorted(known, key=lambda edition: edition.live_at or 0.0, reverse=True):
        if each.state is EditionState.SUPERSEDED and (each.digest.startswith(digest) if digest else live and each.digest != live.digest):
            return each
    raise Fault("not-found", f"no edition {digest} of {adapter} was live before" if digest else f"{adapter} was published only once")


async def history(office: Office, name: str, limit: int) -> Sequence[Edition]:
    """Every edition of a service or adapter, the newest first; of all where none is named."""
    return await office.press.editions.editions(adapter_of(office, name) if name else "", limit)


def adapter_of(office: Office, name: str) -> str:
    """The adapter that is called so, or that offers the service that is called so."""
    catalogue = office.catalogue.current()
    codes = (operation.provider.code for operation in catalogue.operations.values() if operation.service == name)
    return next(codes, name)


async def _roll_out(office: Office, edition: Edition, author: str, services: Sequence[Service]) -> Outcome:
    if await _live_digest(office, edition.adapter) != edition.base:
        raise Fault("edition-outdated")
    try:
        live, nodes = await office.press.rollout.roll_out(edition.id, Decided(author, office.now()))
    except Fault as fault:
        if fault.slug == "publish-busy" and not office.press.two_persons:  # nobody waits for it: its author publishes again
            await office.press.editions.end_edition(edition.id, EditionState.REJECTED, Decided(author, office.now(), (fault.slug,)))
        raise
    return Outcome(await _edition_of(office, edition.id), services, live, nodes)


async def _unchanged(office: Office, bundle: Bundle, services: Sequence[Service]) -> Outcome:
    """What is live already, as it was published or as the release has it."""
    known = await office.press.editions.editions(bundle.adapter, 1000)
    live = next((each for each in known if each.state is EditionState.LIVE), None)
    nodes = len(await office.press.nodes.nodes(office.now()))
    shipped = Edition("", bundle.adapter, bundle.digest, SHIPPED, office.started_at, state=EditionState.LIVE)
    return Outcome(live or shipped, services, nodes, nodes, changed=False)


async def _keeps(office: Office, bundle: Bundle, before: Sequence[Service], after: Sequence[Service]) -> Sequence[str]:
    """Older bundles to deliver by what was accepted under operations that end now; the release's own becomes an edition first."""
    live = next((each for each in (await office.press.nodes.published()).live if each.adapter == bundle.adapter), None)
    if live is None and before:
        live = await _ship(office, bundle.adapter)
    kept = live.keeps if live is not None else ()
    former = (live.digest,) if live is not None and gone(before, after) else ()
    return tuple(dict.fromkeys(each for each in (*former, *kept) if each != bundle.digest))[:MOST_KEPT]


async def _ship(office: Office, adapter: str) -> Edition | None:
    """What the release serves so far, kept as the first edition, so that there is a way back to it."""
    content = await office.press.compiler.shipped(adapter)
    if content is None:
        return None
    bundle = Bundle(digest_of(content), adapter, content)
    await office.press.bundles.keep_bundle(bundle, SHIPPED, office.now())
    edition = Edition(office.new_id(), adapter, bundle.digest, SHIPPED, office.started_at, state=EditionState.SUPERSEDED)
    known = await office.press.editions.editions(adapter, 1000)
    if all(each.digest != bundle.digest for each in known):
        await office.press.editions.propose_edition(edition)
    return edition


async def _refuse_breaking(office: Office, changes: Sequence[Change], wish: Wish) -> None:
    """Told with each place, and with whom it breaks by what was used lately."""
    breaking = [change for change in changes if change.severity is Severity.BREAKING]
    if breaking and not wish.breaking:
        places = [Violation(f"{change.operation} {change.side} {change.pointer or '/'}", change.detail, change.rule) for change in breaking]
        raise Fault("change-breaks", await whom_it_breaks(office, breaking), errors=places[:MOST_CHANGES])


async def _edition(office: Office, wish: Wish, bundle: Bundle, author: str) -> Edition:
    made = Edition(office.new_id(), bundle.adapter, bundle.digest, author, office.now())
    return replace(made, reason=wish.reason, breaking=wish.breaking, base=await _live_digest(office, bundle.adapter))


async def _live_digest(office: Office, adapter: str) -> str:
    return next((each.digest for each in (await office.press.nodes.published()).live if each.adapter == adapter), "")


def _told(changes: Sequence[Change]) -> Sequence[str]:
    return tuple(f"{change.severity.value}: {change}" for change in changes[:MOST_CHANGES])


def _live_services(office: Office, adapter: str) -> Sequence[Service]:
    services = office.catalogue.current().services.values()
    return [each for each in services if each.operations and each.operations[0].provider.code == adapter]


async def _bundle(office: Office, digest: str) -> Bundle:
    found = await office.press.bundles.bundle(digest)
    if found is None:
        raise Fault("not-found", f"no bundle {digest}; send it first")
    return found


async def _compiled(office: Office, bundle: Bundle) -> tuple[object, Sequence[Service]]:
    try:
        return await office.press.compiler.compiled(bundle.digest)
    except ContractError as error:
        raise _invalid(error.findings) from error


async def _edition_of(office: Office, edition_id: str) -> Edition:
    found = await office.press.editions.edition(edition_id)
    if found is None:
        raise Fault("not-found", "no edition has this id")
    return found


def _invalid(findings: Sequence[Finding]) -> Fault:
    """Each finding with its file, line and place."""
    places = [
        Violation(f"{each.file}:{each.line}{each.pointer}", each.reason + (f" ({each.fix})" if each.fix else ""), each.rule)
        for each in findings
    ]
    return Fault("bundle-invalid", errors=places[:MOST_CHANGES])
