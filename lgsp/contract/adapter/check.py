"""The folder of an external system: compiled for the engine, and checked: proven against both contracts, its golden examples played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.contract.adapter.folder import read_adapter
from lgsp.contract.adapter.golden import check_examples
from lgsp.contract.adapter.secrets import secrets_in
from lgsp.contract.bridge.losses import losses_to_rest, losses_to_soap
from lgsp.contract.wsdl.read import read_contract
from lgsp.contract.xsd.view import soap_schemas
from lgsp.errors import ContractError, Finding
from lgsp.mapping.compile import IDENTITY
from lgsp.mapping.proof import Sent, prove_reply, prove_request
from lgsp.mapping.view import view
from lgsp.model.agreed import Pattern

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from lgsp.codec.soap.speech import Speech
    from lgsp.contract.adapter.folder import Adapter
    from lgsp.contract.openapi.read import HttpOperation
    from lgsp.mapping.rules import Rule
    from lgsp.model.agreed import Provider, Service

    Place = tuple[str, Mapping[str, Any], str, Mapping[str, Any]]
    Schemas = Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]

NOTHING: Mapping[str, Any] = {}


def compile_adapter(folder: Path, contracts: Path) -> tuple[Provider, tuple[Service, ...]]:
    """The provider and its services. Raises ContractError with every finding that compiling shows."""
    adapter = read_adapter(folder, contracts)
    return adapter.provider, adapter.services


def check_adapter(folder: Path, contracts: Path) -> list[Finding]:
    """Every finding of a folder; nothing means that it may be published."""
    return judge_adapter(folder, contracts)[1]


def judge_adapter(folder: Path, contracts: Path) -> tuple[Adapter | None, list[Finding]]:
    """The same with the compiled adapter, None where it does not compile."""
    secrets = [*secrets_in(folder)]
    try:
        adapter = read_adapter(folder, contracts)
    except ContractError as error:
        return None, [*error.findings, *secrets]
    natives = _natives(adapter, contracts)
    spoken = _spoken(adapter, contracts)
    findings = [finding for place in adapter.manifest.operations() for finding in _operation(adapter, natives, spoken, place)]
    findings += _session(adapter, natives)
    findings += _unspoken(adapter)
    return adapter, [*dict.fromkeys(findings), *check_examples(folder, adapter.services), *secrets]


def _unspoken(adapter: Adapter) -> Iterator[Finding]:
    """Why the face by a WSDL that people wrote cannot be made; one that is derived is not offered then."""
    for declared, service in zip(adapter.manifest.value["services"], adapter.services, strict=True):
        if "wsdl" in declared and service.soap is not None:
            try:
                service.soap.face()
            except ContractError as error:
                yield from error.findings


def _natives(adapter: Adapter, contracts: Path) -> Schemas:
    binding = adapter.manifest.binding
    if binding["kind"] == "soap":
        return soap_schemas(contracts / "wsdl" / binding["wsdl"], binding["port"])
    operations = adapter.native.operations if adapter.native else {}
    return {name: (each.request_schema or NOTHING, each.reply_schema or NOTHING) for name, each in operations.items()}


def _spoken(adapter: Adapter, contracts: Path) -> Mapping[str, Speech]:
    """The operations of a provider that speaks SOAP."""
    binding = adapter.manifest.binding
    return read_contract(contracts / "wsdl" / binding["wsdl"]).port(binding["port"]).operations if binding["kind"] == "soap" else {}


def _operation(adapter: Adapter, natives: Schemas, spoken: Mapping[str, Speech], place: Place) -> Iterator[Finding]:
    at, service, name, declared = place
    ours = adapter.ours[service["contract"]].operations[name]
    canonical = ours.request_schema or NOTHING
    yield from _places(adapter, at, declared, canonical)
    if adapter.manifest.is_kept:
        return
    steps = adapter.manifest.steps(at, name, declared)
    if declared["mapping"] == IDENTITY:
        aside = {"responses"} if declared["exchange"] == Pattern.ONE_WAY else set()
        yield from _losses(adapter, spoken, ours, (service["contract"], steps[-1][1]["call"]), {*aside, *steps[-1][1].get("with", ())})
        return
    yield from _translated(adapter, natives, place, (canonical, ours.reply_schema or NOTHING))


def _translated(adapter: Adapter, natives: Schemas, place: Place, ours: tuple[Mapping[str, Any], Mapping[str, Any]]) -> Iterator[Finding]:
    """Whether what the mapping makes keeps the provider's contract and ours: (request, reply)."""
    at, service, name, declared = place
    steps = adapter.manifest.steps(at, name, declared)
    sent = [_sent(adapter, step, declared["mapping"], natives) for _, step in steps]
    yield from prove_request(adapter.mapping.source, sent, ours[0])
    back = adapter.mapping.translations[declared["mapping"], "reply"]
    yield from prove_reply(adapter.mapping.source, back, natives[steps[-1][1]["call"]][1], ours[1])
    for where, step in steps:
        yield from _step(adapter, where, step, natives)
    if service["data_class"] != "personal":
        rules = [rule for call in sent for rule in call.translation.rules]
        yield from (_uncertain(adapter, rule) for rule in rules if any(path.root == "purpose" for path in rule.sources))


def _places(adapter: Adapter, at: str, declared: Mapping[str, Any], canonical: Mapping[str, Any]) -> Iterator[Finding]:
    for word in ("order_by", "business_key"):
        if word in declared:
            yield from _there(adapter, f"{at}/{word}", declared[word], canonical, required=True)


def _losses(
    adapter: Adapter, spoken: Mapping[str, Speech], ours: HttpOperation, names: tuple[str, str], aside: Collection[str]
) -> Sequence[Finding]:
    """What would be lost where nothing is translated; `names`: our contract's file, the native operation; `aside`: what is no loss."""
    file, native = names
    if native in spoken:
        return losses_to_soap(ours, spoken[native], f"contracts/openapi/{file}")
    theirs = adapter.native.operations[native] if adapter.native else None
    return losses_to_rest(ours, theirs, f"contracts/openapi/{file}", aside=aside) if theirs else []


def _uncertain(adapter: Adapter, rule: Rule) -> Finding:
    reason = "the purpose headers are required for personal data only, so this may be absent"
    return adapter.mapping.source.finding(rule.at, "purpose", reason, "declare the service's data_class as personal, or give a default")


def _sent(adapter: Adapter, step: Mapping[str, Any], fallback: str, natives: Schemas) -> Sent:
    given = {tuple(path.split(".")) for path in step.get("with", ())}
    session = adapter.provider.auth.session
    if session is not None:
        given.add((session.sends,))
    return Sent(adapter.mapping.translations[step.get("mapping", fallback), "request"], natives[step["call"]][0], frozenset(given))


def _step(adapter: Adapter, at: str, step: Mapping[str, Any], natives: Schemas) -> Iterator[Finding]:
    request, reply = natives[step["call"]]
    for path in step.get("with", ()):
        yield from _there(adapter, f"{at}/with/{path}", path, request)
    for path in step.get("on_duplicate", {}).get("again_with", ()):
        yield from _there(adapter, f"{at}/on_duplicate/again_with/{path}", path, request)
    if "key" in step:
        yield from _there(adapter, f"{at}/key", step["key"], request, required=True)
    if "message_at" in step:
        yield from _there(adapter, f"{at}/message_at", step["message_at"], reply)


def _session(adapter: Adapter, natives: Schemas) -> Sequence[Finding]:
    session = adapter.manifest.value.get("auth", {}).get("session")
    if session is None:
        return []
    request, reply = natives[session["call"]]
    found = [finding for path in session["with"] for finding in _there(adapter, f"/auth/session/with/{path}", path, request)]
    return [*found, *_there(adapter, "/auth/session/reads", session["reads"], reply)]


def _there(adapter: Adapter, at: str, path: str, schema: Mapping[str, Any], *, required: bool = False) -> Iterator[Finding]:
    seen = view(schema)
    for key in path.split("."):
        inner = seen.member(key)
        if inner is None:
            yield adapter.manifest.source.finding(at, "path", f"the contract has no {path!r}")
            return
        if required and not key.isdecimal() and key not in seen.required():
            yield adapter.manifest.source.finding(at, "path", f"{path!r} may be absent", "choose a required field")
        seen = inner
