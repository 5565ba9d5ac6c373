"""What an adapter is drafted from where a provider speaks OpenAPI: its own contract bundled, and ours made of it."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.contract.bridge.proofs import Proofs, asked_by, proofs_of
from lgsp.contract.bridge.to_rest import PROBLEM, operation_ids, problem_responses, problem_schema
from lgsp.contract.bridge.to_soap import RECEIPT
from lgsp.contract.openapi.anatomy import METHODS
from lgsp.contract.openapi.read import ANSWERS, JSON, OPAQUE, compile_contract
from lgsp.errors import ContractError
from lgsp.mapping.compile import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from lgsp.contract.source import Source
    from lgsp.errors import Finding

VERSION = "1.0.0"
_VERSION = re.compile(r"[1-9][0-9]*\.[0-9]+\.[0-9]+")
_IDEMPOTENT = frozenset({"get", "head", "put", "delete", "options", "trace"})
"""Methods that may be repeated (RFC 9110, section 9.2.2)."""
_OMITTED = frozenset({"media-type", "parameter"})
"""What makes one operation impossible and says nothing of the others."""


@dataclass(frozen=True, slots=True)
class Native:
    """A provider's document with the operations that are offered, ours, and what was derived.

    operations, calls: of the manifest. left_out: why operations are not offered.
    """

    document: dict[str, Any]
    ours: dict[str, Any]
    operations: Mapping[str, Any]
    calls: Mapping[str, Any]
    proofs: Proofs
    left_out: Sequence[Finding]


def native_of(document: dict[str, Any], chosen: Collection[str], source: Source, *, whole: bool) -> Native:
    """`document`: bundled, every operation named. whole: an operation that cannot be offered refuses all; else it is left out.

    Raises ContractError with every finding.
    """
    native = _only_json(_without(deepcopy(document), chosen))
    left_out: Sequence[Finding] = ()
    try:
        compile_contract(native, source, ())
    except ContractError as error:
        spared = {} if whole else _impossible(native, error.findings)
        names = [item["operationId"] for _, item in items(native) if item["operationId"] not in spared.values()]
        if not names or not spared:
            raise
        native, left_out = _without(native, names), error.findings
        compile_contract(native, source, ())
    ids = operation_ids([item["operationId"] for _, item in items(native)])
    proofs = proofs_of(native)
    ours = _ours(native, ids)
    operations, calls = {}, {}
    for method, item in items(native):
        given = _given(item, native, proofs)
        name = ids[item["operationId"]]
        operations[name] = entry(
            item["operationId"], safe=method in _IDEMPOTENT, one_way=_is_one_way(method, item), native="native" if not given else ""
        )
        if given:
            calls[name] = [{"call": item["operationId"], "with": given, **({"safe": True} if method in _IDEMPOTENT else {})}]
    return Native(native, ours, operations, calls, proofs, left_out)


def entry(native_name: str, *, safe: bool = False, one_way: bool = False, native: str = "native") -> dict[str, Any]:
    """What the manifest says of one operation; without `native` its calls stand by themselves, with what they add."""
    return {
        "exchange": "one_way" if one_way else "request_reply",
        **({native: native_name, **({"safe": True} if safe else {})} if native else {}),
        "mapping": IDENTITY,
    }


def carries_files(document: Mapping[str, Any]) -> bool:
    """Whether an operation takes whole files."""
    return any(media.partition(";")[0] in OPAQUE for _, item in items(document) for media in item.get("requestBody", {}).get("content", {}))


def _impossible(native: Mapping[str, Any], findings: Sequence[Finding]) -> Mapping[str, str]:
    """Pointer to name of the operations that every finding is about; nothing where one is about more than an operation."""
    found = {}
    for finding in findings:
        tokens = finding.pointer.split("/")
        if finding.rule not in _OMITTED or tokens[1:2] != ["paths"] or len(tokens) < 4:  # noqa: PLR2004  # /paths/PATH/METHOD
            return {}
        path = tokens[2].replace("~1", "/").replace("~0", "~")
        found["/".join(tokens[:4])] = str(native["paths"][path][tokens[3]]["operationId"])
    return found


def _is_one_way(method: str, item: Mapping[str, Any]) -> bool:
    """Whether the provider only ever says that it has taken the message."""
    good = [status for status in item.get("responses", {}) if status.startswith("2")]
    return method not in _IDEMPOTENT and good == ["202"] and not item["responses"]["202"].get("content")


def _given(item: dict[str, Any], native: Mapping[str, Any], proofs: Proofs) -> dict[str, str]:
    """Native path to expression of the keys that stand in this operation's query; declared as parameters, so that they are sent."""
    wanted = [proofs.in_query[name] for name in asked_by(item, native) if name in proofs.in_query]
    declared = {each.get("name") for each in item.get("parameters", ())}
    added = [{"name": name, "in": "query", "schema": {"type": "string"}} for name, _ in wanted if name not in declared]
    if added:
        item["parameters"] = [*item.get("parameters", []), *added]
    return {name: f"$uses.{bound}" for name, bound in wanted}


def items(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Method and operation, in the document's order."""
    for item in document.get("paths", {}).values():
        for method in METHODS:
            if method in item:
                yield method, item[method]


def _without(copy: dict[str, Any], chosen: Collection[str]) -> dict[str, Any]:
    """With the chosen operations only."""
    for key in [*copy.get("paths", {})]:
        item = copy["paths"][key]
        for method in METHODS:
            if method in item and item[method]["operationId"] not in chosen:
                del item[method]
        if not any(method in item for method in METHODS):
            del copy["paths"][key]
    return copy


def _only_json(document: dict[str, Any]) -> dict[str, Any]:
    """Where a body may be JSON or something else, JSON it is."""
    for _, item in items(document):
        for holder in (item.get("requestBody", {}), *item.get("responses", {}).values()):
            content = holder.get("content", {}) if isinstance(holder, dict) else {}
            spoken = {media: each for media, each in content.items() if "json" in media}
            if spoken:
                holder["content"] = spoken
    return document


def _ours(native: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """Our contract: the provider's operations and schemas, without its servers, its own proofs of identity, and its errors."""
    ours = deepcopy({name: value for name, value in native.items() if name not in {"servers", "security", "webhooks", "tags"}})
    version = str(ours["info"]["version"])
    ours["info"] = {"title": ours["info"]["title"], "version": version if _VERSION.fullmatch(version) else VERSION}
    schemas = ours.get("components", {}).get("schemas", {})
    ours["components"] = {"schemas": {**schemas, PROBLEM: problem_schema()}}
    for item in ours.get("paths", {}).values():
        item.pop("servers", None)
        item["parameters"] = _in_url(item.get("parameters", []))
        for method, operation in ((method, item[method]) for method in METHODS if method in item):
            for name in ("security", "servers", "callbacks", "tags"):
                operation.pop(name, None)
            operation["parameters"] = _in_url(operation.get("parameters", []))
            operation["operationId"] = ids[operation["operationId"]]
            operation["responses"] = _answers(method, operation)
    return ours


def _answers(method: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    """The reply, or the receipt of what is kept and delivered later; and problems."""
    responses = operation.get("responses", {})
    receipt = {"202": {"description": "Giấy nhận / Receipt", "content": {JSON: {"schema": RECEIPT}}}}
    good = receipt if _is_one_way(method, operation) else {"200": _reply(responses)}
    return {**good, **problem_responses(_fault(responses))}


def _in_url(parameters: list[Any]) -> list[Any]:
    return [each for each in parameters if each.get("in") in {"path", "query"}]


def _reply(responses: Mapping[str, Any]) -> dict[str, Any]:
    """The good answer, under the status that the hub gives it."""
    good: dict[str, Any] = next((responses[status] for status in ANSWERS if status in responses), {})
    spoken = [holder for media, holder in good.get("content", {}).items() if "json" in media][:1]
    return {"description": good.get("description", "Trả lời / Reply"), **({"content": {JSON: spoken[0]}} if spoken else {})}


def _fault(responses: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the provider answers instead of a reply: one of the JSON bodies that it declares."""
    bad = [each.get("content", {}) for status, each in responses.items() if status not in {*ANSWERS, "204"}]
    schemas = [holder["schema"] for content in bad for media, holder in content.items() if "json" in media and "schema" in holder]
    distinct = [schema for place, schema in enumerate(schemas) if schema not in schemas[:place]]
    return None if not distinct else distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
