"""How answers are judged, which are in quarantine and how many keep their contract, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.ports.office import Act

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.conformity import Conformance, Enforcement, Suspect


class MemoryJudgements:
    """The ports Enforcements and Quarantine."""

    _acts: list[Act]

    def __init__(self) -> None:
        self._enforcements: dict[str, Enforcement] = {}
        self._suspects: dict[str, Suspect] = {}
        self._conformance: dict[tuple[str, str, str, int], Conformance] = {}

    def enforcements(self) -> Sequence[Enforcement]:
        """Enforcements."""
        return tuple(self._enforcements[service] for service in sorted(self._enforcements))

    async def enforce(self, order: Enforcement) -> None:
        """Enforcements."""
        self._enforcements[order.service] = order
        facts = {"replies": order.rigour.value, "until_at": order.until_at, "reason": order.reason}
        self._acts.append(Act(order.from_at, order.author, "enforce", order.service, facts))

    async def end_enforcement(self, service: str, author: str, at: float) -> bool:
        """Enforcements."""
        order = self._enforcements.get(service)
        if order is None or order.until_at <= at:
            return False
        del self._enforcements[service]
        self._acts.append(Act(at, author, "end_enforcement", service, {}))
        return True

    async def add_suspects(self, suspects: Sequence[Suspect]) -> None:
        """Quarantine."""
        self._suspects.update({each.id: each for each in suspects})

    async def add_conformance(self, counted: Sequence[Conformance]) -> None:
        """Quarantine."""
        for each in counted:
            key = (each.provider, each.service, each.operation, each.hour)
            stands = self._conformance.get(key, replace(each, answers=0, invalid=0))
            self._conformance[key] = replace(each, answers=stands.answers + each.answers, invalid=stands.invalid + each.invalid)

    async def suspects(self, limit: int, provider: str = "", service: str = "") -> Sequence[Suspect]:
        """Quarantine."""
        chosen = [each for each in self._suspects.values() if provider in {"", each.provider} and service in {"", each.service}]
        newest = sorted(chosen, key=lambda each: (each.at, each.id), reverse=True)
        return [replace(each, content=b"") for each in newest[:limit]]

    async def suspect(self, suspect_id: str, reader: str, at: float) -> Suspect | None:
        """Quarantine."""
        found = self._suspects.get(suspect_id)
        if found is not None:
            self._acts.append(Act(at, reader, "read_quarantine", found.message_id, {"suspect": suspect_id}))
        return found

    async def conformance(self, since: float) -> Sequence[Conformance]:
        """Quarantine."""
        sums: dict[tuple[str, str, str], Conformance] = {}
        for each in sorted(self._conformance.values(), key=lambda each: (each.provider, each.service, each.operation, each.hour)):
            if each.hour >= since:
                key = (each.provider, each.service, each.operation)
                before = sums.get(key, replace(each, answers=0, invalid=0))
                sums[key] = replace(each, answers=before.answers + each.answers, invalid=before.invalid + each.invalid)
        return list(sums.values())

    async def forget_answers(self, suspects_before: float, counts_before: float) -> int:
        """Quarantine."""
        self._conformance = {key: each for key, each in self._conformance.items() if each.hour >= counts_before}
        old = [each.id for each in self._suspects.values() if each.at < suspects_before]
        for suspect_id in old:
            del self._suspects[suspect_id]
        return len(old)
