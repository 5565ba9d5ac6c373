"""What changed between two versions of an OpenAPI contract, and whom it breaks: operation by operation, request and answer.

Operations are the same where their names (operationId) are, or else their method and path. Schemas are compared by schemas.py, what a
change means stands in policy/compatibility.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.contract.diff.schemas import SchemaDiff
from lgsp.contract.openapi.bundle import bundle
from lgsp.contract.openapi.read import operations_of
from lgsp.errors import ContractError
from lgsp.policy.compatibility import Severity, Side, severity_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Change:
    """One change: how bad, of which operation, on which side, where in the value, by which rule, and in words."""

    severity: Severity
    operation: str
    side: Side
    pointer: str
    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.operation} {self.side} {self.pointer or '/'}: {self.detail} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The changes, the worst first, and the two versions that the contracts name themselves."""

    changes: Sequence[Change]
    base_version: str
    revision_version: str

    def count(self, severity: Severity) -> int:
        """How many changes are so bad."""
        return sum(change.severity is severity for change in self.changes)

    @property
    def needs_new_major(self) -> bool:
        """Whether something breaks under the same major version."""
        return self.count(Severity.BREAKING) > 0 and self.base_version.partition(".")[0] == self.revision_version.partition(".")[0]


def compare_files(base: Path, revision: Path) -> Comparison:
    """The same of two files, each with what it references in its folder; raises ContractError with every finding."""
    return compare(_document(base), _document(revision))


def compare(base: Mapping[str, Any], revision: Mapping[str, Any]) -> Comparison:
    """Of two bundled documents (see openapi/bundle.py)."""
    changes = list(dict.fromkeys(_Diff(base, revision).changes()))
    ranked = sorted(changes, key=lambda change: list(Severity).index(change.severity))
    return Comparison(ranked, str(base["info"]["version"]), str(revision["info"]["version"]))


def _document(path: Path) -> Mapping[str, Any]:
    document, _, findings = bundle(path, _root(path))
    if findings:
        raise ContractError(findings)
    return document


def _root(path: Path) -> Path:
    """What its references must not leave: the folder that holds `contracts/`, where it lies in such a one (they share `schemas/`)."""
    return next((folder.parent for folder in path.resolve().parents if folder.name == "contracts"), path.parent)


class _Diff:
    """Two documents side by side."""

    def __init__(self, base: Mapping[str, Any], revision: Mapping[str, Any]) -> None:
        self._base = _by_name(base)
        self._revision = _by_name(revision)
        self._schemas = [document.get("components", {}).get("schemas", {}) for document in (base, revision)]
        self._security = [document.get("security", []) for document in (base, revision)]

    def changes(self) -> Iterator[Change]:
        pairs = dict(self._pairs())
        for name, (address, _) in self._base.items():
            if name not in pairs:
                yield _change("operation-removed", name, Side.REQUEST, detail=f"{address} is gone")
        for name, (address, _) in self._revision.items():
            if name not in pairs.values():
                yield _change("operation-added", name, Side.REQUEST, detail=f"{address} is new")
        for old, new in pairs.items():
            yield from self._operation(old, new)

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """Which operation became which."""
        addresses = {address: name for name, (address, _) in self._revision.items() if name not in self._base}
        for name, (address, _) in self._base.items():
            found = name if name in self._revision else addresses.get(address)
            if found is not None:
                yield name, found

    def _operation(self, name: str, new_name: str) -> Iterator[Change]:
        (address, old), (new_address, new) = self._base[name], self._revision[new_name]
        if name != new_name:
            yield _change("operation-renamed", name, Side.REQUEST, detail=f"is called {new_name} now; access rights name operations")
        if address != new_address:
            yield _change("address-changed", name, Side.REQUEST, detail=f"{address} became {new_address}")
        if new.get("deprecated") is True and old.get("deprecated") is not True:
            yield _change("operation-deprecated", name, Side.REQUEST, detail="is deprecated now")
        yield from _security(name, old.get("security", self._security[0]), new.get("security", self._security[1]))
        yield from self._parameters(name, old["parameters"], new["parameters"])
        yield from self._request(name, old.get("requestBody", {}), new.get("requestBody", {}))
        yield from self._answers(name, old.get("responses", {}), new.get("responses", {}))

    def _parameters(self, name: str, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
        before, after = ({(each["in"], each["name"]): each for each in items} for items in (old, new))
        for key, parameter in before.items():
            place = f"/{key[0]}/{key[1]}"
            if key not in after:
                yield _change("parameter-removed", name, Side.REQUEST, place, "is no longer in the contract")
                continue
            was, is_now = bool(parameter.get("required")), bool(after[key].get("required"))
            if was != is_now:
                rule = "parameter-required" if is_now else "parameter-optional"
                yield _change(rule, name, Side.REQUEST, place, "must be there now" if is_now else "may be absent now")
            yield from self._schema(name, Side.REQUEST, (parameter.get("schema", True), after[key].get("schema", True)), place)
        for key, parameter in after.items():
            if key not in before:
                rule = "parameter-added-required" if parameter.get("required") else "parameter-added"
                yield _change(rule, name, Side.REQUEST, f"/{key[0]}/{key[1]}", "is new")

    def _request(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        if bool(old) != bool(new):
            rule = "body-removed" if old else "body-required" if new.get("required") else "body-added"
            yield _change(rule, name, Side.REQUEST, detail="a body is no longer taken" if old else "there is a body now")
        elif new.get("required") and not old.get("required"):
            yield _change("body-required", name, Side.REQUEST, detail="the body must be there now")
        if old and new:
            yield from self._contents(name, Side.REQUEST, old.get("content", {}), new.get("content", {}))

    def _answers(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        for status, answer in old.items():
            if status in new:
                yield from self._contents(name, Side.ANSWER, answer.get("content", {}), new[status].get("content", {}), f"{status}: ")
                yield from _headers(name, status, answer.get("headers", {}), new[status].get("headers", {}))
            else:
                rule = "status-removed" if status.startswith("2") else "refusal-removed"
                yield _change(rule, name, Side.ANSWER, detail=f"{status} is no longer answered")
        for status in new:
            if status not in old:
                rule = "status-added" if status.startswith("2") else "refusal-added"
                yield _change(rule, name, Side.ANSWER, detail=f"{status} may be answered now")

    def _contents(self, name: str, side: Side, old: Mapping[str, Any], new: Mapping[str, Any], of: str = "") -> Iterator[Change]:
        for media in {**old, **new}:
            if media not in new:
                yield _change("media-type-removed", name, side, detail=f"{of}{media} is gone")
            elif media not in old:
                yield _change("media-type-added", name, side, detail=f"{of}{media} is new")
            else:
                yield from self._schema(name, side, (old[media].get("schema", True), new[media].get("schema", True)), of=of)

    def _schema(self, name: str, side: Side, pair: tuple[Any, Any], place: str = "", of: str = "") -> Iterator[Change]:
        for found in SchemaDiff(self._schemas[0], self._schemas[1], side).compare(*pair, place):
            yield _change(found.rule, name, side, found.pointer, of + found.detail)


def _by_name(document: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Address (method and path) and operation, by operationId or else by address."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for _, key, method, operation in operations_of(document):
        address = f"{method.upper()} {key}"
        found[str(operation.get("operationId", address))] = (address, operation)
    return found


def _security(name: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
    """Alternatives of schemes; an empty one, or none at all, asks for nothing."""
    is_open, is_open_now = (not needs or {} in needs for needs in (old, new))
    if is_open_now and not is_open:
        yield _change("security-removed", name, Side.REQUEST, detail="no credential is asked for any more")
    elif (any(each not in new for each in old) and not is_open_now) or (is_open and not is_open_now):
        yield _change("security-added", name, Side.REQUEST, detail="another credential is asked for")


def _headers(name: str, status: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    yield from (_change("header-removed", name, Side.ANSWER, detail=f"{status}: {each} is gone") for each in old if each not in new)
    yield from (_change("header-added", name, Side.ANSWER, detail=f"{status}: {each} is new") for each in new if each not in old)


def _change(rule: str, operation: str, side: Side, pointer: str = "", detail: str = "") -> Change:
    return Change(severity_of(rule, side), operation, side, pointer, rule, detail)
