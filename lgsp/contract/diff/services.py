"""What changed between two editions of an adapter, service by service, in the words of the diff of their contracts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.contract.diff.change import Change
from lgsp.contract.diff.openapi import compare
from lgsp.contract.diff.wsdl import compare_sources
from lgsp.contract.wsdl.single import MAIN, linked
from lgsp.errors import ContractError
from lgsp.policy.compatibility import Severity, Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lgsp.model.agreed import Service
    from lgsp.model.face import SoapOffer


def service_changes(before: Sequence[Service], after: Sequence[Service]) -> Sequence[Change]:
    """Of each major version that was there, the worst first; a new one breaks nobody."""
    revised = {(service.code, service.major): service for service in after}
    changes = list(dict.fromkeys(change for service in before for change in _of(service, revised.get((service.code, service.major)))))
    known = {(service.code, service.major) for service in before}
    changes += [_change(Severity.SAFE, each, "", "version-added", "is new") for each in after if (each.code, each.major) not in known]
    return sorted(changes, key=lambda change: list(Severity).index(change.severity))


def gone(before: Sequence[Service], after: Sequence[Service]) -> bool:
    """Whether an operation is offered no more."""
    return not _operations(before) <= _operations(after)


def _operations(services: Sequence[Service]) -> set[tuple[str, int, str]]:
    return {(service.code, service.major, operation.name) for service in services for operation in service.operations}


def _of(before: Service, after: Service | None) -> Iterator[Change]:
    if after is None:
        yield _change(Severity.BREAKING, before, "", "version-removed", "is offered no more")
        return
    if before.document and after.document:
        for change in compare(before.document, after.document).changes:
            yield replace(change, operation=f"{_name(before)} {change.operation}")
    elif bool(before.document) != bool(after.document):
        yield _change(Severity.BREAKING, before, "", "form-changed", "changes between REST and SOAP only")
    revised = {operation.name: operation for operation in after.operations}
    for operation in before.operations:
        other = revised.get(operation.name)
        if other is None:
            if before.document and after.document:
                continue  # told above, by its path
            yield _change(Severity.BREAKING, before, operation.name, "operation-removed", "is offered no more")
        elif other.pattern is not operation.pattern:
            detail = f"was {operation.pattern.value}, is {other.pattern.value}"
            yield _change(Severity.BREAKING, before, operation.name, "exchange-changed", detail)
    if _wsdl(before.soap) != _wsdl(after.soap):
        yield from _spoken(before, after)


def _spoken(before: Service, after: Service) -> Iterator[Change]:
    speaks = _speaks(before.soap), _speaks(after.soap)
    if speaks == (True, True):
        for change in _rewritten(_wsdl(before.soap), _wsdl(after.soap)):
            yield replace(change, operation=f"{_name(before)} {change.operation}".rstrip())
    elif speaks == (False, True):
        yield _change(Severity.SAFE, before, "", "soap-changed", "is offered to SOAP too")
    elif speaks == (True, False):
        yield _change(Severity.BREAKING, before, "", "soap-changed", "no longer speaks SOAP")


def _rewritten(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Sequence[Change]:
    """What became otherwise in a WSDL that both offer; that alone, where no change has a name."""
    unnamed = Change(Severity.DANGEROUS, "", Side.REQUEST, "", "wsdl-changed", "its WSDL reads otherwise")
    try:
        return compare_sources((linked(before), MAIN), (linked(after), MAIN)).changes or [unnamed]
    except ContractError:
        return [unnamed]


def _speaks(offer: SoapOffer | None) -> bool:
    return offer is not None and offer.is_sound()


def _wsdl(offer: SoapOffer | None) -> Mapping[str, bytes]:
    """What is published; nothing where it cannot be written."""
    try:
        return offer.wsdl.documents() if offer is not None else {}
    except ContractError:
        return {}


def _change(severity: Severity, service: Service, operation: str, rule: str, detail: str) -> Change:
    return Change(severity, f"{_name(service)} {operation}".rstrip(), Side.REQUEST, "", rule, detail)


def _name(service: Service) -> str:
    return f"{service.code}/{service.major}"
