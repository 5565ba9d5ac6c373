"""References of adapters (`$env.NAME.url`) as this hub binds them: LGSP_BIND_NAME_URL, or what was bound while it ran."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lgsp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.agreed import Provider

REFERENCE = "$env."


class Bindings:
    """Addresses, accounts and secrets of one hub; they are never part of what is published."""

    def __init__(self, given: Mapping[str, str], providers: Sequence[Provider], bound: Mapping[str, str] | None = None) -> None:
        self._given, self._here = given, dict(bound or {})
        self._bound = self.resolved(providers)

    def __call__(self, provider: Provider, party: str | None) -> Mapping[str, str]:  # noqa: ARG002  # accounts by party: the port says so
        """The provider's `address` and `uses`, for a represented party."""
        return self._bound.get(provider.code) or {"address": provider.address}  # a registered address refers to nothing

    def resolved(self, providers: Sequence[Provider], bound: Mapping[str, str] | None = None) -> Mapping[str, Mapping[str, str]]:
        """What they refer to, by provider; SettingsError names what is not bound. `bound`: in place of what is bound here now."""
        complaints: list[str] = []
        values = {**self._given, **(self._here if bound is None else bound)}
        found = {provider.code: _resolve(provider, values, complaints) for provider in providers}
        if complaints:
            raise SettingsError("\n".join(sorted(set(complaints))))
        return found

    def adopt(self, providers: Sequence[Provider]) -> None:
        """From now on these are called."""
        self._bound = self.resolved(providers)

    def rebind(self, providers: Sequence[Provider], bound: Mapping[str, str]) -> None:
        """From now on these values count, in place of the environment's of the same names."""
        self._bound, self._here = self.resolved(providers, bound), dict(bound)


def _resolve(provider: Provider, bound: Mapping[str, str], complaints: list[str]) -> Mapping[str, str]:
    values = {}
    for name, text in {"address": provider.address, **provider.auth.uses}.items():
        if not text.startswith(REFERENCE):
            values[name] = text
            continue
        key = text.removeprefix(REFERENCE).replace(".", "_").upper()
        if key not in bound:
            complaints.append(f"LGSP_BIND_{key}: missing; adapter {provider.code} refers to {text}")
        values[name] = bound.get(key, "")
    return MappingProxyType(values)
