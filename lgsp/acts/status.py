"""How the hub stands: backlog, dead letters by cause, what is published, who did what lately."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lgsp.model.agreed import Service
    from lgsp.model.conformity import Conformance
    from lgsp.ports.office import Act, Backlog, DeadGroup, Office

DEAD_GROUPS = 100
CONFORMANCE_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Status:
    """The hub at one moment; ages and uptime in seconds, `dead` counts messages by cause."""

    version: str
    catalogue: str
    uptime_s: float
    states: Mapping[str, int]
    oldest_age_s: float | None
    providers: Sequence[ProviderStatus]
    dead: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """What one provider is owed, how many of its answers of the last 24 hours broke a contract, and whether this node knows it at all."""

    provider: str
    states: Mapping[str, int]
    oldest_age_s: float | None
    answers: int = 0
    invalid: int = 0
    published: bool = True

    @property
    def conformance(self) -> float | None:
        """The share of its answers that kept their contract; None if it gave none."""
        return 1 - self.invalid / self.answers if self.answers else None


async def status(office: Office) -> Status:
    """The whole picture in three reads."""
    now = office.now()
    backlog = await office.inspection.backlog()
    groups = await office.inspection.dead(DEAD_GROUPS)
    known = office.catalogue.current().providers
    found = _providers(backlog, await office.quarantine.conformance(now - CONFORMANCE_S), now)
    providers = [replace(each, published=each.provider in known) for each in found]
    ages = [each.oldest_age_s for each in providers if each.oldest_age_s is not None]
    return Status(
        version=office.version,
        catalogue=office.catalogue.current().digest,
        uptime_s=now - office.started_at,
        states=_sum(row.states for row in backlog),
        oldest_age_s=max(ages, default=None),
        providers=providers,
        dead=_sum({group.cause: group.count} for group in groups),
    )


async def dead(office: Office, limit: int) -> Sequence[DeadGroup]:
    """Dead letters by provider and cause, the largest group first."""
    return sorted(await office.inspection.dead(limit), key=lambda group: -group.count)


async def acts(office: Office, limit: int) -> Sequence[Act]:
    """The newest administrative acts first."""
    return await office.inspection.acts(limit)


def services(office: Office) -> Sequence[Service]:
    """What is published, by code and major version."""
    published = office.catalogue.current().services
    return [published[key] for key in sorted(published)]


def _providers(backlog: Sequence[Backlog], counted: Sequence[Conformance], now: float) -> list[ProviderStatus]:
    """Those that are owed something or gave an answer lately."""
    owed = {row.provider: row for row in backlog}
    answers: Counter[str] = Counter()
    invalid: Counter[str] = Counter()
    for each in counted:
        answers[each.provider] += each.answers
        invalid[each.provider] += each.invalid
    found = []
    for provider in sorted(owed.keys() | answers.keys()):
        row = owed.get(provider)
        age_s = None if row is None or row.oldest_at is None else max(0.0, now - row.oldest_at)
        found.append(ProviderStatus(provider, row.states if row else {}, age_s, answers[provider], invalid[provider]))
    return found


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(sorted(total.items()))
