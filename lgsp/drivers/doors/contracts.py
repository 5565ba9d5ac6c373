"""`GET /{service}/{major}/openapi.json`: a service's contract, as far as the consumer that asks may use it (DESIGN decision 26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.contract.openapi.published import published_openapi
from lgsp.errors import Fault
from lgsp.model.happening import Reply
from lgsp.stages.identify import identify

if TYPE_CHECKING:
    from lgsp.model.agreed import Service
    from lgsp.model.happening import Message
    from lgsp.ports.engine import Ports

SUFFIX = "/openapi.json"
HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "private, no-cache"))


def is_asked(message: Message, ports: Ports) -> bool:
    """Whether a contract is asked for; an operation of that address comes first."""
    if message.method != "GET" or not message.path.endswith(SUFFIX):
        return False
    return (message.catalogue or ports.catalogue.current()).find("GET", message.path) is None


def contract_reply(message: Message, ports: Ports) -> Reply:
    """The contract with the operations that this consumer has a right to; Fault("not-found") where that is none."""
    consumer = identify(message, ports)
    service = _service(message.path.removesuffix(SUFFIX), ports)
    if service is None:
        raise Fault("not-found")
    allowed = frozenset(o.name for o in service.operations if o.method and ports.directory.right(consumer.id, service.code, o.name))
    if not allowed:
        raise Fault("not-found")
    return Reply(200, published_openapi(service, allowed), HEADERS)


def _service(path: str, ports: Ports) -> Service | None:
    code, _, major = path.removeprefix("/").partition("/")
    if not (major.isascii() and major.isdigit()) or len(major) > 9:  # noqa: PLR2004  # no version is that high
        return None
    found = ports.catalogue.current().services.get((code, int(major)))
    return found if found is not None and str(found.major) == major and found.document else None
