"""The catalogue: the adapters of this release, published bundles over them, compiled to frozen services; one reference, swapped whole.

An adapter that was published is served as it was published, whatever lies in the folder. What is compiled is kept as long as it is live or
staged, so that publishing one adapter compiles one.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lgsp.contract.adapter.bundle import bundle_adapter, laid_out
from lgsp.contract.adapter.check import compile_adapter
from lgsp.contract.openapi.read import for_connexion
from lgsp.errors import ContractError, Fault, Finding
from lgsp.model.catalogue import Catalogue
from lgsp.policy.lifespan import aged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lgsp.model.agreed import Operation, Provider, Service
    from lgsp.model.edition import Edition, Lifespan, Published
    from lgsp.ports.publishing import Bundle, Bundles

    Compiled = tuple[Provider, tuple[Service, ...]]


@dataclass(frozen=True, slots=True)
class Folders:
    """Where this release has its adapters and contracts."""

    adapters: Path
    contracts: Path

    def names(self) -> list[str]:
        """Of the adapters."""
        return sorted(path.parent.name for path in self.adapters.glob("*/adapter.yaml"))


class LiveCatalogue:
    """The ports CatalogueSource and Compiler."""

    def __init__(self, folders: Folders, bundles: Bundles) -> None:
        self._folders = folders
        self._bundles = bundles
        self._compiled: dict[str, Compiled] = {}
        self._base: dict[str, Compiled] = {}
        self._current = Catalogue([], [], "")

    def current(self) -> Catalogue:
        """The snapshot that is served now."""
        return self._current

    async def begin(self, published: Published) -> None:
        """Read the folder and what is published; raises ContractError with the findings of all adapters together."""
        overlaid = {edition.adapter for edition in published.live}
        self._base = _compiled_folders(self._folders, [name for name in self._folders.names() if name not in overlaid])
        await self.adopt(published)

    async def adopt(self, published: Published) -> Catalogue:
        """Serve what is published from now on; raises ContractError, and nothing has changed."""
        catalogue = await self._assembled(published.live, published.lifespans)
        needed = {digest for edition in (*published.live, published.staged) if edition for digest in (edition.digest, *edition.keeps)}
        self._current, self._compiled = catalogue, {digest: self._compiled[digest] for digest in needed & self._compiled.keys()}
        return catalogue

    async def rehearsed(self, published: Published) -> Catalogue:
        """What will be served once the staged edition is live; raises ContractError."""
        staged = published.staged
        live = [edition for edition in published.live if staged is None or edition.adapter != staged.adapter]
        return await self._assembled([*live, *([staged] if staged else [])], published.lifespans)

    async def compiled(self, digest: str) -> Compiled:
        """Compiler."""
        found = self._compiled.get(digest)
        if found is None:
            bundle = await self._bundles.bundle(digest)
            if bundle is None:
                raise Fault("not-found", f"no bundle {digest}")
            found = self._compiled[digest] = await asyncio.to_thread(self._compile, bundle)
        return found

    async def shipped(self, adapter: str) -> bytes | None:
        """Compiler."""
        folder = self._folders.adapters / adapter
        if not (folder / "adapter.yaml").is_file():
            return None
        return await asyncio.to_thread(bundle_adapter, folder, self._folders.contracts)

    def _compile(self, bundle: Bundle) -> Compiled:
        with laid_out(bundle.content, self._folders.adapters) as (folder, contracts):
            return _compiled(folder, contracts)

    async def _assembled(self, live: Sequence[Edition], lifespans: Mapping[tuple[str, int], Lifespan]) -> Catalogue:
        overlaid = {edition.adapter: await self.compiled(edition.digest) for edition in live}
        kept = [await self.compiled(digest) for edition in live for digest in edition.keeps]
        parts = {**{name: each for name, each in self._base.items() if name not in overlaid}, **overlaid}
        return _joined([parts[name] for name in sorted(parts)], kept, lifespans)


def read_catalogue(adapters: Path, contracts: Path) -> Catalogue:
    """Compile every adapter; raises ContractError with the findings of all of them together."""
    folders = Folders(adapters, contracts)
    return _joined(list(_compiled_folders(folders, folders.names()).values()), [], {})


def _compiled_folders(folders: Folders, names: Sequence[str]) -> dict[str, Compiled]:
    compiled: dict[str, Compiled] = {}
    findings: list[Finding] = []
    for name in names:
        try:
            compiled[name] = _compiled(folders.adapters / name, folders.contracts)
        except ContractError as error:
            findings.extend(error.findings)
    if findings:
        raise ContractError(findings)
    return compiled


def _compiled(folder: Path, contracts: Path) -> Compiled:
    provider, services = compile_adapter(folder, contracts)
    findings = [finding for service in services for finding in _unrouted(service)]
    if findings:
        raise ContractError(findings)
    return provider, services


def _joined(parts: Sequence[Compiled], kept: Sequence[Compiled], lifespans: Mapping[tuple[str, int], Lifespan]) -> Catalogue:
    services = [aged(service, lifespans.get((service.code, service.major))) for _, offered in parts for service in offered]
    findings = _doubled(services)
    if findings:
        raise ContractError(findings)
    digest = hashlib.sha256("\n".join(sorted(s.digest for s in services)).encode()).hexdigest()
    catalogue = Catalogue(services, [provider for provider, _ in parts], digest)
    return catalogue.joined([], list(_withdrawn(kept, catalogue)))


def _withdrawn(kept: Sequence[Compiled], catalogue: Catalogue) -> Iterator[Operation]:
    """Operations that are offered no more, for the messages that were accepted while they were."""
    for _, offered in kept:
        for operation in (each for service in offered for each in service.operations):
            if (operation.service, operation.major, operation.name) not in catalogue.operations:
                provider = catalogue.providers.get(operation.provider.code, operation.provider)
                yield replace(operation, method="", path="", provider=provider, retired=True)


def _unrouted(service: Service) -> Iterator[Finding]:
    """Routes of the contract that the door would not answer."""
    base, catalogue = f"/{service.code}/{service.major}", Catalogue([service], [], "")
    for path, methods in for_connexion(service.document)["paths"].items() if service.document else ():
        for method in methods:
            if catalogue.find(method.upper(), base + path) is None:
                yield Finding(base, 0, path, "route", f"{method.upper()} is in no catalogue")


def _doubled(services: Sequence[Service]) -> list[Finding]:
    seen: set[tuple[str, int]] = set()
    doubled = []
    for service in services:
        key = (service.code, service.major)
        if key in seen:
            doubled.append(Finding("adapters", 0, "/services", "unique", f"service {service.code} v{service.major} is offered twice"))
        seen.add(key)
    return doubled
