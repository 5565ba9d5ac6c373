"""The data plane as one ASGI application: connexion's stack with the REST door in front, and the catalogue's contracts as its routes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import connexion
from connexion.middleware.lifespan import LifespanMiddleware
from connexion.resolver import Resolver

from lgsp.contract.openapi.read import for_connexion
from lgsp.drivers.doors.gate import Front, Gate
from lgsp.drivers.doors.rest import RestDoor

if TYPE_CHECKING:
    from lgsp.drivers.doors.asgi import Limits
    from lgsp.drivers.doors.token import TokenDoor
    from lgsp.ports.engine import Ports


def gateway_app(ports: Ports, token_door: TokenDoor, limits: Limits, front: Front, issuer: str) -> Any:
    """Port 8080, behind its gate.

    The routes are handed over when the stack is built, at the server's start, and each is held against the catalogue.
    """
    door = partial(RestDoor, ports=ports, token_door=token_door, limits=limits, issuer=issuer)
    app = connexion.AsyncApp("lgsp", middlewares=[door, LifespanMiddleware])
    for service in (each for each in ports.catalogue.current().services.values() if each.document):
        base_path = f"/{service.code}/{service.major}"
        app.add_api(for_connexion(service.document), base_path=base_path, name=base_path, resolver=Resolver(lambda _: _behind_the_door))
    return Gate(app, ports.identity, front)


async def _behind_the_door() -> None:
    """What connexion would call if the door in front ever let an HTTP request through."""
    message = "the REST door answers every request"
    raise RuntimeError(message)
