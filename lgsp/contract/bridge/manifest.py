"""The manifest of a drafted adapter: what its contracts say, and what must be stated by people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.contract.bridge.proofs import Proofs

TO_BE_STATED = "chưa ghi / to be stated"
CONNECT_S = 5
IN_FLIGHT = 16
_NUMERIC = frozenset("0123456789+-.")
_HEADER = "# A draft by `lgsp` from {file}. State owner, legal basis and contact; check data_class, timeouts and what is `safe`.\n"


@dataclass(frozen=True, slots=True)
class Drafted:
    """What the manifest says of the one service.

    place: of the contracts. wsdl: of the service for SOAP consumers, "" for the one that the hub makes. proofs: what the provider wants.
    """

    name: str
    code: str
    system: str
    title: str
    version: str
    place: str
    binding: Mapping[str, Any]
    operations: Mapping[str, Any]
    data_class: str
    timeout_s: int
    calls: Mapping[str, Any]
    wsdl: str
    proofs: Proofs


def manifest_of(drafted: Drafted, file: str) -> str:
    """The text of adapter.yaml."""
    manifest: dict[str, Any] = {
        "system": drafted.system,
        "title": {"vi": drafted.title, "en": drafted.title},
        "owner": {"vi": "chưa ghi", "en": "to be stated"},
        "legal_basis": [TO_BE_STATED],
        "contact": TO_BE_STATED,
        "tier": "provincial",
        "binding": {
            **drafted.binding,
            "address": f"$env.{drafted.name}.url",
            "connect_s": CONNECT_S,
            "timeout_s": drafted.timeout_s,
            "in_flight": IN_FLIGHT,
        },
        **({"uses": {name: f"$env.{drafted.name}.{name}" for name in drafted.proofs.uses}} if drafted.proofs.uses else {}),
        **({"auth": {"headers": drafted.proofs.headers}} if drafted.proofs.headers else {}),
        **({"calls": dict(drafted.calls)} if drafted.calls else {}),
        "services": [
            {
                "code": drafted.code,
                "version": drafted.version,
                "contract": f"{drafted.place}/openapi.yaml",
                **({"wsdl": drafted.wsdl} if drafted.wsdl else {}),
                "data_class": drafted.data_class,
                "operations": dict(drafted.operations),
            }
        ],
    }
    unsaid = "".join(f"# The provider wants {wanted}: say it in `auth`.\n" for wanted in drafted.proofs.unsaid)
    return _HEADER.format(file=file) + unsaid + yaml_of(manifest)


def yaml_of(value: Any) -> str:
    """YAML for people: keys in their order, letters as they are, nothing by reference."""
    return yaml.dump(value, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=140)


class _Plain(yaml.CSafeDumper):
    """Writes what occurs twice twice, and quotes texts that begin like a number: YAML's versions differ about `1e3`."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def text(self, value: str) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:str", value, style="'" if value[:1] in _NUMERIC else None)


_Plain.add_representer(str, _Plain.text)
