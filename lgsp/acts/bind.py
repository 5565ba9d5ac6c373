"""What this hub binds to the references of adapters: addresses, accounts, secrets. It acts at once and publishes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import Fault, SettingsError, Violation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.ports.office import Office

REFERENCE = "$env."


@dataclass(frozen=True, slots=True)
class Reference:
    """One name, which adapters refer to it, and where its value comes from: hub, environment, or nowhere. Values are shown to nobody."""

    name: str
    adapters: Sequence[str]
    source: str


async def references(office: Office) -> Sequence[Reference]:
    """Every name that an adapter refers to or that is bound here."""
    bound, given = await office.press.bindings.bindings(), office.press.given
    used: dict[str, list[str]] = {name: [] for name in bound}
    for provider in office.catalogue.current().providers.values():
        for text in {provider.address, *provider.auth.uses.values()}:
            if text.startswith(REFERENCE):
                used.setdefault(text.removeprefix(REFERENCE).replace(".", "_").upper(), []).append(provider.code)
    sources = {name: "hub" if name in bound else "environment" if name in given else "" for name in used}
    return [Reference(name, sorted(adapters), sources[name]) for name, adapters in sorted(used.items())]


async def bind(office: Office, name: str, value: str, author: str) -> Reference:
    """Take this value from now on, in place of the environment's; Fault("body-invalid") for one that cannot be used."""
    _check(office, {**await office.press.bindings.bindings(), name: value})
    await office.press.bindings.bind(name, value, author, office.now())
    office.press.nudge()
    return next(each for each in await references(office) if each.name == name)


async def unbind(office: Office, name: str, author: str) -> None:
    """Take the environment's value again; Fault("body-invalid") where there is none and an adapter needs it."""
    bound = dict(await office.press.bindings.bindings())
    if bound.pop(name, None) is None:
        raise Fault("not-found", f"{name} is not bound here")
    _check(office, bound)
    await office.press.bindings.unbind(name, author, office.now())
    office.press.nudge()


def _check(office: Office, bindings: dict[str, str]) -> None:
    try:
        office.press.reachable(bindings)
    except SettingsError as error:
        raise Fault("body-invalid", errors=[Violation("/value", str(error), "binding")]) from error
