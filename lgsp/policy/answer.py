"""What a provider's answer means, and what is sent once more after a duplicate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.errors import BusinessRefusal, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.model.agreed import Call, SoapFault

AMBIGUOUS = frozenset({"provider-failed"})
"""A provider that fails while it works (500, a Server fault) may have done its work before; we must not simply call again."""


def fault_of(fault: SoapFault, *, whole: bool = False) -> Fault:
    """SOAP 1.1 section 4.4.1: Client means that the message was wrong, Server that its processing failed; `whole`: with its detail."""
    extra: dict[str, Any] = {"providerMessage": fault.reason}
    if whole:
        extra["providerFault"] = {"code": fault.code, "reason": fault.reason}
        typed = {"name": fault.name or None, "detail": fault.detail}
        extra["providerFault"] |= {name: value for name, value in typed.items() if value is not None}
    if fault.code.rpartition(":")[2].partition(".")[0] in {"Client", "Sender"}:
        return BusinessRefusal("provider-refused", extra=extra)
    return Fault("provider-failed", extra=extra)


def again(native: Any, call: Call, scope: Mapping[str, Any]) -> Any:
    """The native value with what the manifest sets after a duplicate."""
    changed = dict(native)
    for path, value in call.again_with:
        branch = changed
        for name in path[:-1]:
            branch[name] = branch = dict(branch[name])
        branch[path[-1]] = value(scope)
    return changed


def words_at(reply: Any, path: tuple[str, ...]) -> str:
    """The provider's own words; they may name a person, so they go to the consumer and the encrypted payload, never into a log row."""
    for name in path:
        reply = reply.get(name) if isinstance(reply, dict) else None
    return str(reply) if reply else ""
