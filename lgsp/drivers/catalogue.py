"""The catalogue: every adapter folder, compiled to frozen services; one reference that is swapped whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lgsp.contract.adapter.check import compile_adapter
from lgsp.errors import ContractError, Finding
from lgsp.model.agreed import Catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lgsp.model.agreed import Provider, Service


class FolderCatalogue:
    """The CatalogueSource port over a folder of adapters, read once."""

    def __init__(self, adapters: Path, contracts: Path) -> None:
        self._current = read_catalogue(adapters, contracts)

    def current(self) -> Catalogue:
        """The snapshot that is served now."""
        return self._current


def read_catalogue(adapters: Path, contracts: Path) -> Catalogue:
    """Compile every adapter; raises ContractError with the findings of all of them together."""
    providers: list[Provider] = []
    services: list[Service] = []
    findings: list[Finding] = []
    for folder in sorted(path.parent for path in adapters.glob("*/adapter.yaml")):
        try:
            provider, offered = compile_adapter(folder, contracts)
        except ContractError as error:
            findings.extend(error.findings)
            continue
        providers.append(provider)
        services.extend(offered)
    findings.extend(_doubled(services))
    if findings:
        raise ContractError(findings)
    digest = hashlib.sha256("\n".join(sorted(s.digest for s in services)).encode()).hexdigest()
    return Catalogue(services, providers, digest)


def _doubled(services: Sequence[Service]) -> list[Finding]:
    seen: set[tuple[str, int]] = set()
    doubled = []
    for service in services:
        key = (service.code, service.major)
        if key in seen:
            doubled.append(Finding("adapters", 0, "/services", "unique", f"service {service.code} v{service.major} is offered twice"))
        seen.add(key)
    return doubled
