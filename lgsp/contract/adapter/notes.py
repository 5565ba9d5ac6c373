"""What `lgsp check` says of contracts alone, and of WSDLs beside faults: what was accepted, what zeep speaks in the codec's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.contract.adapter.manifest import read_manifest
from lgsp.contract.kind import Kind, kind_of
from lgsp.contract.openapi.read import read_openapi
from lgsp.contract.wsdl.read import read_contract
from lgsp.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lgsp.errors import Finding


def adapter_notes(folder: Path, contracts: Path) -> Sequence[Finding]:
    """The notes of an adapter's WSDL; none where there is no WSDL, or where it is faulty, which `check_adapter` tells."""
    try:
        binding = read_manifest(folder).binding
        return read_contract(contracts / "wsdl" / binding["wsdl"]).notes if "wsdl" in binding else ()
    except ContractError:
        return ()


def check_contract(path: Path) -> tuple[list[Finding], Sequence[Finding]]:
    """Findings and notes of an OpenAPI file, or of a WSDL or its zip."""
    try:
        if kind_of(path) is Kind.WSDL:
            return [], read_contract(path).notes
        read_openapi(path)
    except ContractError as error:
        return list(error.findings), ()
    return [], ()


__all__ = ["adapter_notes", "check_contract"]
