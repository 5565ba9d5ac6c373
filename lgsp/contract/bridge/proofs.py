"""How the hub proves itself to a provider, derived from the security schemes and required headers of its OpenAPI contract.

The values are references that each hub binds; consumers never see them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lgsp.contract.openapi.anatomy import METHODS
from lgsp.contract.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_BEARER = frozenset({"oauth2", "openIdConnect"})
_OURS = frozenset({"accept", "content-type", "authorization"})


@dataclass(slots=True)
class Proofs:
    """Headers by expression, the names that they use, and what no header can say.

    in_query: by the scheme's name, the query parameter and the name that its value is bound to.
    """

    headers: dict[str, str] = field(default_factory=dict)
    uses: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)
    in_query: dict[str, tuple[str, str]] = field(default_factory=dict)

    def bound(self, wish: str) -> str:
        """A name of `uses`."""
        name = "_".join(words_of(wish)) or "value"
        name = name if name[0].isalpha() else f"key_{name}"
        if name not in self.uses:
            self.uses.append(name)
        return name

    def header(self, name: str, expression: str) -> None:
        """What stands in a header; the first word about it holds."""
        self.headers.setdefault(name, expression)


def proofs_of(native: Mapping[str, Any]) -> Proofs:
    """What the contract asks of whoever calls, operation by operation."""
    proofs = Proofs()
    schemes = native.get("components", {}).get("securitySchemes", {})
    for name in dict.fromkeys(_asked(native)):
        if isinstance(schemes.get(name), dict):
            _scheme(proofs, name, schemes[name])
    for parameter in _parameters(native):
        if parameter.get("in") == "header" and parameter.get("required") and str(parameter.get("name")).lower() not in _OURS:
            name = str(parameter["name"])
            if name not in proofs.headers:
                proofs.header(name, proofs.bound(name))
    return proofs


def _scheme(proofs: Proofs, name: str, scheme: Mapping[str, Any]) -> None:
    kind, where = scheme.get("type"), scheme.get("in")
    spoken = str(scheme.get("scheme", "")).lower()
    if kind == "apiKey" and where == "header":
        proofs.header(str(scheme.get("name")), proofs.bound(name))
    elif kind == "apiKey" and where == "cookie":
        proofs.header("Cookie", f'concat("{scheme.get("name")}=", {proofs.bound(name)})')
    elif kind == "apiKey" and where == "query":
        proofs.in_query[name] = (str(scheme.get("name")), proofs.bound(name))
    elif kind == "http" and spoken == "basic":
        proofs.header("Authorization", f"basic({proofs.bound('user')}, {proofs.bound('password')})")
    elif kind in _BEARER or (kind == "http" and spoken == "bearer"):
        proofs.header("Authorization", f'concat("Bearer ", {proofs.bound("token")})')
    elif kind != "mutualTLS":
        proofs.unsaid.append(f"{kind} `{name}`")


def _asked(native: Mapping[str, Any]) -> Iterator[str]:
    """Names of the security schemes that operations use."""
    for operation in _operations(native):
        yield from asked_by(operation, native)


def asked_by(operation: Mapping[str, Any], native: Mapping[str, Any]) -> Sequence[str]:
    """The schemes of the first alternative that an operation accepts."""
    alternatives = operation.get("security", native.get("security", ()))
    return tuple(alternatives[0]) if alternatives else ()


def _operations(native: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for item in native.get("paths", {}).values():
        yield from (item[method] for method in METHODS if method in item)


def _parameters(native: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for item in native.get("paths", {}).values():
        yield from item.get("parameters", ())
    for operation in _operations(native):
        yield from operation.get("parameters", ())
