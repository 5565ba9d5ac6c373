"""Translate: canonical to native and back, by the operation's compiled mapping, and judge what comes out before anyone sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import Fault, MappingError
from lgsp.mapping.tables import UNKNOWN
from lgsp.model.conformity import Remark

if TYPE_CHECKING:
    from lgsp.model.agreed import Call, Prepared, Session
    from lgsp.model.happening import Exchange
    from lgsp.ports.engine import Ports

SESSION_PLACEHOLDER = "-"
LACKS_ROW = "code-unknown"


def request_scope(exchange: Exchange, ports: Ports) -> dict[str, Any]:
    """What the mappings of one exchange may read; replies of earlier calls are added under `known`."""
    purpose = exchange.purpose
    return {
        "value": exchange.request,
        "request": exchange.request,
        "param": exchange.parameters,
        "message": {"id": exchange.message_id, "received_at": exchange.received_at},
        "purpose": {
            "slug": purpose.slug,
            "official": purpose.official,
            "public_service": purpose.public_service,
            "dossier": purpose.dossier,
            "represented_party": purpose.represented_party,
        },
        "uses": ports.bound(exchange.operation.provider, purpose.represented_party),
        "known": {},
        "now": exchange.received_at,
    }


def translate_requests(exchange: Exchange, ports: Ports) -> tuple[Prepared, ...]:
    """Every request that the exchange would send, as far as it can be told now; raises what `translate_request` does.

    What only lacks a row of a code table is taken nevertheless: it will be held until there is one.
    """
    scope, session = request_scope(exchange, ports), exchange.operation.provider.auth.session
    try:
        return tuple(translate_request(call, scope, session) for call in exchange.operation.calls)
    except Fault as fault:
        if fault.slug == LACKS_ROW:
            return ()
        raise


def translate_request(call: Call, scope: dict[str, Any], session: Session | None) -> Prepared:
    """The native request of one call, valid for the provider; else a Fault that tells the consumer each place."""
    try:
        native = call.to_native(scope)
    except MappingError as error:
        raise Fault(LACKS_ROW if _lacks_rows(error) else "native-invalid", call.name, errors=error.violations) from error
    if session is not None:
        native[session.sends] = SESSION_PLACEHOLDER
    return call.prepare(native)


def translate_reply(exchange: Exchange, native: Any, scope: dict[str, Any]) -> Any:
    """The canonical reply; what cannot be translated is the provider's fault, and goes on under no order."""
    try:
        return exchange.operation.to_canonical({**scope, "value": native})
    except MappingError as error:
        call = exchange.operation.calls[-1].name
        slug = LACKS_ROW if _lacks_rows(error) and not exchange.remarks else "provider-reply-invalid"  # a code that its contract allows
        exchange.remarks.append(Remark(call, error.violations, json.encode(native)))
        raise Fault(slug, call, errors=error.violations) from error


def _lacks_rows(error: MappingError) -> bool:
    """Whether nothing is wrong but that code tables lack rows, which is nobody's fault but the hub's."""
    return all(each.code == UNKNOWN for each in error.violations)
