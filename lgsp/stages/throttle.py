"""Throttle: refuse what a provider's full backlog cannot take; spend one call of the consumer's quota, and tell it what is left.

The headers are those of draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.agreed import Pattern
from lgsp.policy.drain import refused_s
from lgsp.policy.quota import reset_s

if TYPE_CHECKING:
    from lgsp.model.agreed import Operation
    from lgsp.model.parties import Right
    from lgsp.ports.engine import Ports

type_headers = tuple[tuple[str, str], ...]


async def throttle(right: Right, operation: Operation, now: float, ports: Ports) -> type_headers:
    """Response headers that tell the quota; raises Fault("backlog-full"), or Fault("quota-exceeded") when it is used up."""
    if operation.pattern is not Pattern.REQUEST_REPLY:
        _refuse_more(operation, ports)
    quota = right.quota or operation.quota
    if quota is None:
        return ()
    left = await ports.quotas.spend(right.consumer, operation.service, quota, now)
    ends_s = reset_s(quota, now)
    headers = (
        ("RateLimit-Policy", f'"default";q={quota.q};w={quota.w}'),
        ("RateLimit", f'"default";r={max(left, 0)};t={ends_s}'),
        ("X-RateLimit-Limit", str(quota.q)),
        ("X-RateLimit-Remaining", str(max(left, 0))),
        ("X-RateLimit-Reset", str(ends_s)),
    )
    if left < 0:
        detail = f"{quota.q} calls in {quota.w} s"
        raise Fault("quota-exceeded", detail, retry_after_s=ends_s, headers=headers, extra={"violated-policies": ["default"]})
    return headers


def _refuse_more(operation: Operation, ports: Ports) -> None:
    """Where the provider is owed as much as its manifest allows, say when there will be room, by the rate at which it goes."""
    wait_s = refused_s(ports.drains.drain(operation.provider.code), operation.provider.backlog)
    if wait_s is not None:
        raise Fault("backlog-full", f"{operation.provider.backlog} messages wait for {operation.provider.code}", retry_after_s=wait_s)
