"""How long a major version lives, and how its consumers are told: Deprecation (RFC 9745), Sunset (RFC 8594), Link (RFC 8288).

published -> deprecated (told with each answer) -> retired (nothing is taken, 410; what was stored before is still delivered).
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING

from lgsp.model.edition import Stage

if TYPE_CHECKING:
    from lgsp.model.agreed import Service
    from lgsp.model.edition import Lifespan


def aged(service: Service, lifespan: Lifespan | None) -> Service:
    """The service as it is served at this stage of its life; decided when the catalogue is made, not with each request."""
    if lifespan is None or lifespan.stage is Stage.PUBLISHED:
        return service
    told, is_over = notices(lifespan), lifespan.stage is Stage.RETIRED
    return replace(service, operations=tuple(replace(each, notices=told, retired=is_over) for each in service.operations))


def notices(lifespan: Lifespan) -> tuple[tuple[str, str], ...]:
    """Headers of every answer of this version."""
    headers = [("Deprecation", f"@{int(lifespan.since)}")]
    if lifespan.sunset is not None:
        headers.append(("Sunset", formatdate(lifespan.sunset, usegmt=True)))
    if lifespan.successor is not None:
        headers.append(("Link", f'</{lifespan.service}/{lifespan.successor}/openapi.json>; rel="successor-version"'))
    return tuple(headers)
