"""Compiles the folder of an external system to the provider and the services that the engine knows; tells every fault of it at once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from lgsp.contract.adapter.calls import CallCompiler
from lgsp.contract.adapter.hooks import load_hooks
from lgsp.contract.adapter.kept import RECEIPT_STATUS, answer_of, any_answer, hand_over_call, if_answered
from lgsp.contract.adapter.manifest import read_manifest
from lgsp.contract.bridge.face import derived_offer, written_offer
from lgsp.contract.openapi.read import json_wire, read_openapi
from lgsp.contract.source import Source, read_source
from lgsp.contract.wsdl.face import read_offer, soap_contract
from lgsp.contract.wsdl.read import read_wsdl
from lgsp.errors import ContractError, Finding
from lgsp.mapping.compile import IDENTITY, compile_mapping, no_mapping
from lgsp.mapping.rules import Surroundings
from lgsp.model.agreed import DataClass, Forward, Operation, Pattern, Provider, Quota, RetryRule, Service, Timeouts, XRoad
from lgsp.model.evidence import Traces
from lgsp.model.parties import SubsystemId
from lgsp.policy.deadline import read_calendar
from lgsp.policy.disclosure import marked_identifiers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lgsp.contract.adapter.manifest import Manifest
    from lgsp.contract.openapi.read import HttpOperation, OpenApi
    from lgsp.mapping.compile import MappingFile
    from lgsp.model.agreed import Auth, Call, Wire
    from lgsp.model.face import SoapOffer

    _Road = tuple[tuple[Call, ...], Callable[[Mapping[str, Any]], Any]]

T = TypeVar("T")
WSDL = ".wsdl"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A compiled folder with what it was compiled from, for the proofs. `native`: the provider's contract where it speaks JSON."""

    manifest: Manifest
    provider: Provider
    services: tuple[Service, ...]
    mapping: MappingFile
    ours: Mapping[str, OpenApi]
    native: OpenApi | None


def read_adapter(folder: Path, contracts: Path) -> Adapter:
    """Compile a folder, keeping what the proofs need. Raises ContractError with every finding."""
    return _Folder(folder, contracts, read_manifest(folder)).adapter()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the operations of every service are put together from; `mapping` is None where it is faulty."""

    mapping: MappingFile | None
    calls: CallCompiler
    provider: Provider


@dataclass(slots=True)
class _Folder:
    """One folder on its way to a provider and services; faults gather while it goes on."""

    folder: Path
    contracts: Path
    manifest: Manifest
    findings: list[Finding] = field(default_factory=list)
    ours: dict[str, OpenApi] = field(default_factory=dict)
    native: OpenApi | None = None

    def adapter(self) -> Adapter:
        nothing: Mapping[str, Wire] = {}
        wires = self._try(self._wires, nothing)
        for service in self.manifest.value["services"]:
            self._contract(service)
        calls = CallCompiler(self.manifest, wires)
        auth = calls.auth()
        mapping: MappingFile | None = self._try(lambda: self._mapping(calls), None)
        parts = _Parts(mapping, calls, self._provider(auth, mapping))
        services = tuple(
            self._service(f"/services/{at}", service, self.ours[service["contract"]], parts)
            for at, service in enumerate(self.manifest.value["services"])
            if service["contract"] in self.ours
        )
        # Without the provider's contract every call would look unknown; that says nothing new.
        self.findings += calls.findings if wires else []
        if self.findings or mapping is None:
            raise ContractError(list(dict.fromkeys(self.findings)))
        return Adapter(self.manifest, parts.provider, services, mapping, self.ours, self.native)

    def _try(self, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except ContractError as error:
            self.findings += error.findings
            return otherwise

    def _wires(self) -> Mapping[str, Wire]:
        binding = self.manifest.binding
        if self.manifest.is_kept:
            return {}
        if binding["kind"] == "soap":
            return read_wsdl(self.contracts / "wsdl" / binding["wsdl"], binding["port"])
        self.native = read_openapi(self.contracts / "openapi" / binding["contract"], self.contracts.parent)
        return {name: json_wire(operation) for name, operation in self.native.operations.items()}

    def _contract(self, service: Mapping[str, Any]) -> None:
        name = service["contract"]
        try:
            if name.endswith(WSDL):
                self.ours[name] = soap_contract(self.contracts / "wsdl" / name, service["version"])
            else:
                self.ours[name] = read_openapi(self.contracts / "openapi" / name, self.contracts.parent)
        except ContractError as error:
            self.findings += error.findings

    def _mapping(self, calls: CallCompiler) -> MappingFile:
        path, file = self.folder / "mapping.yaml", f"{self.folder.name}/mapping.yaml"
        named = {declared.get("mapping") for _, _, _, declared in self.manifest.operations()}
        if self.manifest.is_kept or (named == {IDENTITY} and not path.exists()):
            return no_mapping(Source(path, file, {}, {}))
        around = Surroundings(uses=self.manifest.uses, known=calls.known(), hooks=load_hooks(self.folder))
        return compile_mapping(read_source(path, file), around)

    def _provider(self, auth: Auth, mapping: MappingFile | None) -> Provider:
        declared, binding = self.manifest.value, self.manifest.binding
        limits = {name: binding[name] for name in ("connect_s", "read_s") if name in binding}
        backlog = {"backlog": binding["backlog"]} if "backlog" in binding else {}
        return Provider(
            code=self.manifest.code,
            system=SubsystemId(declared["system"]),
            national=declared["tier"] == "national",
            kind=binding["kind"],
            address=binding.get("address", ""),
            timeouts=Timeouts(total_s=binding["timeout_s"], **limits) if "timeout_s" in binding else Timeouts(),
            in_flight=binding.get("in_flight", 1),
            gathers=self.manifest.gathers,
            auth=auth,
            tables=mapping.tables if mapping else {},
            xroad=XRoad(**binding["xroad"]) if "xroad" in binding else None,
            forward=Forward(**binding["forward"]) if "forward" in binding else None,
            **backlog,
        )

    def _service(self, at: str, service: Mapping[str, Any], ours: OpenApi, parts: _Parts) -> Service:
        if ours.version != service["version"]:
            reason = f"is {service['version']} here and {ours.version} in {service['contract']}"
            self.findings.append(self.manifest.source.finding(f"{at}/version", "version", reason, "state the contract's version"))
        places = {name: f"{at}/operations/{name}" for name in service["operations"]}
        found = [self._operation(place, service, ours.operations.get(name), parts) for name, place in places.items()]
        operations = tuple(operation for operation in found if operation is not None)
        soap = self._try(lambda: self._offer(service, ours), None)
        digest = self._digest(service, ours, parts.mapping) if parts.mapping else ""
        basis = self.manifest.value.get("legal_basis", "")
        told = "; ".join(map(str, basis)) if isinstance(basis, list) else str(basis)
        traces = Traces(told, marked_identifiers(ours.document))
        operations = tuple(replace(operation, digest=digest, traces=traces) for operation in operations)
        title = ours.document.get("info", {}).get("x-title") or {"vi": ours.title, "en": ours.title}
        major = int(service["version"].partition(".")[0])
        return Service(service["code"], major, service["version"], title, operations, ours.document, digest, soap)

    def _offer(self, service: Mapping[str, Any], ours: OpenApi) -> SoapOffer | None:
        """How SOAP consumers see it: by a WSDL whose form is canonical, by one that stands beside the contract, or by one made of it."""
        names = [name for name in service["operations"] if name in ours.operations]
        receipts = [name for name in names if service["operations"][name]["exchange"] != Pattern.REQUEST_REPLY]
        wsdl = service.get("wsdl", service["contract"] if service["contract"].endswith(WSDL) else None)
        if wsdl is None:
            return derived_offer(ours, f"{service['code']}:{service['version'].partition('.')[0]}", names, receipts)
        path = self.contracts / "wsdl" / wsdl
        if wsdl in (service["contract"], self.manifest.binding.get("wsdl")):
            return read_offer(path, names)
        return written_offer(path, ours, names, receipts)

    def _operation(self, at: str, service: Mapping[str, Any], http: HttpOperation | None, parts: _Parts) -> Operation | None:
        name = at.rpartition("/")[2]
        declared = service["operations"][name]
        if http is None:
            reason = f"{service['contract']} has no operation {name!r}"
            self.findings.append(self.manifest.source.finding(at, "operation", reason, "name one of the contract's operations"))
        if self.manifest.is_kept:
            road: _Road | None = (hand_over_call(),), answer_of
        else:
            road = self._road(at, declared, parts)
        if http is None or road is None:
            return None
        ours = _ours(service, http)
        if self.manifest.is_kept:
            ours["check_reply"] = if_answered(http.check_reply)
        elif declared["exchange"] == Pattern.ONE_WAY and http.answered_by == RECEIPT_STATUS:
            ours["check_reply"] = any_answer
        return Operation(
            **ours,
            pattern=Pattern(declared["exchange"]),
            provider=parts.provider,
            calls=road[0],
            to_canonical=road[1],
            retry=RetryRule(**declared.get("retry", {})),
            quota=Quota(**declared["quota"]) if "quota" in declared else None,
            order_key=_keys(declared.get("order_by")),
            skips_dead=declared.get("on_dead") == "skip",
            business_key=_keys(declared.get("business_key")),
            deduplicates=declared.get("deduplicate") == "business_key",
            requires_key=declared.get("idempotency_key") == "required",
            legal_deadline=self._deadline(declared["deadline"]["working_days"]) if "deadline" in declared else None,
        )

    def _road(self, at: str, declared: Mapping[str, Any], parts: _Parts) -> _Road | None:
        """The calls at the provider, and how the last answer is read; None where something is missing."""
        mapping, name = parts.mapping, at.rpartition("/")[2]
        steps = parts.calls.calls(self.manifest.steps(at, name, declared), mapping, declared["mapping"])
        back = mapping.translations.get((declared["mapping"], "reply")) if mapping else None
        if mapping is not None and back is None:
            reason = f"mapping.yaml has no {declared['mapping']!r} with a reply"
            self.findings.append(self.manifest.source.finding(f"{at}/mapping", "mapping", reason, "add it or name another"))
        return None if back is None else (steps, back.run)

    def _deadline(self, working_days: int) -> Callable[[float], float] | None:
        """By the calendar beside the contracts."""
        path = self.contracts / "holidays.yaml"
        try:
            calendar = read_calendar(read_source(path, path.name).value)
        except ContractError as error:
            self.findings += error.findings
            return None
        except (KeyError, TypeError, ValueError) as error:
            self.findings.append(Finding(path.name, 0, "", "calendar", f"is no calendar of holidays: {error}"))
            return None
        return lambda received_at: calendar.deadline(received_at, working_days)

    def _digest(self, service: Mapping[str, Any], ours: OpenApi, mapping: MappingFile) -> str:
        """SHA-256 over everything that decides how a service behaves; comments, layout of YAML and what is derived decide nothing."""
        plain = [self.manifest.value, ours.document, mapping.source.value, self.native.document if self.native else None]
        whole = hashlib.sha256("\n".join(json.dumps(value, ensure_ascii=False) for value in plain).encode())
        named = {self.manifest.binding.get("wsdl", ""), service.get("wsdl", ""), service["contract"]}
        places = {(self.contracts / "wsdl" / name).parent for name in named if name.endswith(WSDL)}
        files = sorted({path for place in places for path in place.rglob("*.*") if path.is_file()})
        if any("deadline" in operation for operation in service["operations"].values()):
            files += self.contracts.glob("holidays.yaml")
        for path in [*files, *self.folder.glob("hooks.py")]:
            whole.update(f"\n{path.name}\n".encode() + path.read_bytes())
        return whole.hexdigest()


def _ours(service: Mapping[str, Any], http: HttpOperation) -> dict[str, Any]:
    """What our own contract says about an operation."""
    return {
        "service": service["code"],
        "major": int(service["version"].partition(".")[0]),
        "version": service["version"],
        "name": http.name,
        "method": http.method,
        "path": http.path,
        "data_class": DataClass(service["data_class"]),
        "media_types": http.media_types,
        "read_parameters": http.read_parameters,
        "check_request": http.check_request,
        "check_reply": http.check_reply,
    }


def _keys(path: str | None) -> tuple[str, ...] | None:
    return tuple(path.split(".")) if path else None
