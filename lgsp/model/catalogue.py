"""A frozen snapshot of what is published: services and their operations, found by what a consumer asks for."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.agreed import Operation, Provider, Service


class Catalogue:
    """A frozen snapshot of what is published; one exchange uses one snapshot."""

    def __init__(self, services: Sequence[Service], providers: Sequence[Provider], digest: str) -> None:
        self.services = {(s.code, s.major): s for s in services}
        self.providers = {p.code: p for p in providers}
        self.operations = {(o.service, o.major, o.name): o for s in services for o in s.operations}
        self.digest = digest
        nothing: Mapping[str, str] = {}
        self._exact = {(o.method, _address(o)): (o, nothing) for o in self.operations.values() if o.method and "{" not in o.path}
        self._addresses: dict[tuple[str, ...], list[tuple[Operation, list[str]]]] = {}
        for operation in self.operations.values():
            address = _address(operation).split("/")
            self._addresses.setdefault(tuple(address[1:3]), []).append((operation, address))

    def joined(self, providers: Sequence[Provider], operations: Sequence[Operation]) -> Catalogue:
        """The same snapshot with what no contract offers: the channels by which the hub itself reaches subsystems."""
        whole = copy(self)
        whole.providers = {**self.providers, **{p.code: p for p in providers}}
        whole.operations = {**self.operations, **{(o.service, o.major, o.name): o for o in operations}}
        return whole

    def find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
        """The operation at `/{service}/{major}/...` and its path variables; an exact path wins over a template."""
        found = self._exact.get((method, path))
        if found is not None:
            return found
        parts = path.split("/")
        for operation, template in self._addresses.get(tuple(parts[1:3]), ()):
            if operation.method == method and "{" in operation.path and (variables := _variables(template, parts)) is not None:
                return operation, variables
        return None

    def at(self, path: str) -> Sequence[Operation]:
        """The operations at this path, whatever the method."""
        parts = path.split("/")
        return [o for o, address in self._addresses.get(tuple(parts[1:3]), ()) if _variables(address, parts) is not None]


def _address(operation: Operation) -> str:
    return f"/{operation.service}/{operation.major}{operation.path}"


def _variables(template: Sequence[str], parts: Sequence[str]) -> Mapping[str, str] | None:
    if len(template) != len(parts):
        return None
    variables = {}
    for expected, part in zip(template, parts, strict=True):
        if expected[:1] == "{" and part:
            variables[expected[1:-1]] = part
        elif expected != part:
            return None
    return variables
