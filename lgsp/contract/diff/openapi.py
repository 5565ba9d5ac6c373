"""What changed between two versions of an OpenAPI contract, and whom it breaks: operation by operation, request and answer.

Operations are the same where their names (operationId) are, or else their method and path. Schemas are compared by schemas.py, what a
change means stands in policy/compatibility.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.contract.diff.change import change, ranked
from lgsp.contract.diff.schemas import SchemaDiff
from lgsp.contract.openapi.bundle import bundle
from lgsp.contract.openapi.read import operations_of
from lgsp.errors import ContractError
from lgsp.policy.compatibility import Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lgsp.contract.diff.change import Change, Comparison


def compare_files(base: Path, revision: Path) -> Comparison:
    """The same of two files, each with what it references in its folder; raises ContractError with every finding."""
    return compare(_document(base), _document(revision))


def compare(base: Mapping[str, Any], revision: Mapping[str, Any]) -> Comparison:
    """Of two bundled documents (see openapi/bundle.py)."""
    return ranked(_Diff(base, revision).changes(), str(base["info"]["version"]), str(revision["info"]["version"]))


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
                yield change("operation-removed", name, Side.REQUEST, detail=f"{address} is gone")
        for name, (address, _) in self._revision.items():
            if name not in pairs.values():
                yield change("operation-added", name, Side.REQUEST, detail=f"{address} is new")
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
            yield change("operation-renamed", name, Side.REQUEST, detail=f"is called {new_name} now; access rights name operations")
        if address != new_address:
            yield change("address-changed", name, Side.REQUEST, detail=f"{address} became {new_address}")
        if new.get("deprecated") is True and old.get("deprecated") is not True:
            yield change("operation-deprecated", name, Side.REQUEST, detail="is deprecated now")
        yield from _security(name, old.get("security", self._security[0]), new.get("security", self._security[1]))
        yield from self._parameters(name, old["parameters"], new["parameters"])
        yield from self._request(name, old.get("requestBody", {}), new.get("requestBody", {}))
        yield from self._answers(name, old.get("responses", {}), new.get("responses", {}))

    def _parameters(self, name: str, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
        before, after = ({(each["in"], each["name"]): each for each in items} for items in (old, new))
        for key, parameter in before.items():
            place = f"/{key[0]}/{key[1]}"
            if key not in after:
                yield change("parameter-removed", name, Side.REQUEST, place, "is no longer in the contract")
                continue
            was, is_now = bool(parameter.get("required")), bool(after[key].get("required"))
            if was != is_now:
                rule = "parameter-required" if is_now else "parameter-optional"
                yield change(rule, name, Side.REQUEST, place, "must be there now" if is_now else "may be absent now")
            yield from self._schema(name, Side.REQUEST, (parameter.get("schema", True), after[key].get("schema", True)), place)
        for key, parameter in after.items():
            if key not in before:
                rule = "parameter-added-required" if parameter.get("required") else "parameter-added"
                yield change(rule, name, Side.REQUEST, f"/{key[0]}/{key[1]}", "is new")

    def _request(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        if bool(old) != bool(new):
            rule = "body-removed" if old else "body-required" if new.get("required") else "body-added"
            yield change(rule, name, Side.REQUEST, detail="a body is no longer taken" if old else "there is a body now")
        elif new.get("required") and not old.get("required"):
            yield change("body-required", name, Side.REQUEST, detail="the body must be there now")
        if old and new:
            yield from self._contents(name, Side.REQUEST, old.get("content", {}), new.get("content", {}))

    def _answers(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        for status, answer in old.items():
            if status in new:
                yield from self._contents(name, Side.ANSWER, answer.get("content", {}), new[status].get("content", {}), f"{status}: ")
                yield from _headers(name, status, answer.get("headers", {}), new[status].get("headers", {}))
            else:
                rule = "status-removed" if status.startswith("2") else "refusal-removed"
                yield change(rule, name, Side.ANSWER, detail=f"{status} is no longer answered")
        for status in new:
            if status not in old:
                rule = "status-added" if status.startswith("2") else "refusal-added"
                yield change(rule, name, Side.ANSWER, detail=f"{status} may be answered now")

    def _contents(self, name: str, side: Side, old: Mapping[str, Any], new: Mapping[str, Any], of: str = "") -> Iterator[Change]:
        for media in {**old, **new}:
            if media not in new:
                yield change("media-type-removed", name, side, detail=f"{of}{media} is gone")
            elif media not in old:
                yield change("media-type-added", name, side, detail=f"{of}{media} is new")
            else:
                yield from self._schema(name, side, (old[media].get("schema", True), new[media].get("schema", True)), of=of)

    def _schema(self, name: str, side: Side, pair: tuple[Any, Any], place: str = "", of: str = "") -> Iterator[Change]:
        for found in SchemaDiff(self._schemas[0], self._schemas[1], side).compare(*pair, place):
            yield change(found.rule, name, side, found.pointer, of + found.detail)


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
        yield change("security-removed", name, Side.REQUEST, detail="no credential is asked for any more")
    elif (any(each not in new for each in old) and not is_open_now) or (is_open and not is_open_now):
        yield change("security-added", name, Side.REQUEST, detail="another credential is asked for")


def _headers(name: str, status: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    yield from (change("header-removed", name, Side.ANSWER, detail=f"{status}: {each} is gone") for each in old if each not in new)
    yield from (change("header-added", name, Side.ANSWER, detail=f"{status}: {each} is new") for each in new if each not in old)
