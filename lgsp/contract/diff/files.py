"""Two contract files of one kind: OpenAPI documents or WSDLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.contract.diff.openapi import compare_files as compare_openapi
from lgsp.contract.diff.wsdl import compare_wsdls
from lgsp.contract.kind import Kind, kind_of
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from pathlib import Path

    from lgsp.contract.diff.change import Comparison

_FIX = "compare two of one kind; `lgsp bridge` draws up one as the other"
_CALLED = {Kind.OPENAPI: "an OpenAPI document", Kind.WSDL: "a WSDL"}


def compare_contracts(base: Path, revision: Path) -> Comparison:
    """Raises ContractError with every finding, and where one is a WSDL and the other is not."""
    kind, other = kind_of(base), kind_of(revision)
    if kind is not other:
        reason = f"is {_CALLED[other]}, and {base.name} is {_CALLED[kind]}: they cannot be compared"
        raise ContractError([Finding(revision.name, 0, "", "kind", reason, _FIX)])
    return compare_wsdls(base, revision) if kind is Kind.WSDL else compare_openapi(base, revision)
