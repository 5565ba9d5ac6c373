"""Whether a request shows a credential of the kind that an OpenAPI contract declares; what it is worth, a stand-in cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Shown(Protocol):
    """What of a request may carry a credential; header names in lower case."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def query(self) -> Mapping[str, str]: ...


def challenge(needs: Sequence[Mapping[str, Any]], schemes: Mapping[str, Any], shown: Shown) -> str | None:
    """None where one of the alternatives is met, or nothing is asked; else the challenge of RFC 9110 section 11.6.1."""
    if not needs or any(all(_is_shown(schemes.get(name, {}), shown) for name in alternative) for alternative in needs):
        return None
    wanted = [schemes.get(name, {}) for alternative in needs for name in alternative]
    return ", ".join(dict.fromkeys(_challenge_of(scheme) for scheme in wanted))


def _is_shown(scheme: Mapping[str, Any], shown: Shown) -> bool:
    kind, name = scheme.get("type"), str(scheme.get("name", ""))
    if kind == "apiKey":
        places = {"header": name.lower() in shown.headers, "query": name in shown.query}
        return places.get(str(scheme.get("in")), f"{name}=" in shown.headers.get("cookie", ""))
    if kind == "mutualTLS":
        return True  # ends before any stand-in
    return shown.headers.get("authorization", "").lower().startswith(_challenge_of(scheme).lower() + " ")


def _challenge_of(scheme: Mapping[str, Any]) -> str:
    if scheme.get("type") == "http":
        return str(scheme.get("scheme", "Bearer")).capitalize()
    return "Bearer" if scheme.get("type") in {"oauth2", "openIdConnect"} else "ApiKey"
