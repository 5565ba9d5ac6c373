"""What consumers used, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.model.usage import Use
from lgsp.ports.office import Act

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.parties import Consumer, SubsystemId


class MemoryUses:
    """The port Uses."""

    _acts: list[Act]
    _consumers: dict[str, Consumer]

    def __init__(self) -> None:
        self._uses: dict[tuple[SubsystemId, str, int, str, int], int] = {}
        self._fields: dict[tuple[SubsystemId, str, int, str, bool, str], int] = {}
        self._contacts: dict[SubsystemId, str] = {}

    async def add_uses(self, uses: Sequence[Use]) -> None:
        """Uses."""
        for use in uses:
            key = (use.consumer, use.service, use.major, use.operation)
            self._uses[*key, use.day] = self._uses.get((*key, use.day), 0) + use.count
            for is_sent, pointers in ((True, use.sent), (False, use.got)):
                for pointer in pointers:
                    field = (*key, is_sent, pointer)
                    self._fields[field] = max(use.day, self._fields.get(field, 0))

    async def uses(self, service: str, major: int, since: float) -> Sequence[Use]:
        """Uses."""
        found: dict[tuple[SubsystemId, str, int, str], tuple[int, int]] = {}
        for (consumer, code, number, operation, day), count in self._uses.items():
            if (code, number) == (service, major) and day >= since:
                key = (consumer, code, number, operation)
                last, sum_ = found.get(key, (0, 0))
                found[key] = (max(last, day), sum_ + count)
        return [Use(*key, *found[key], *(self._seen(key, since, is_sent=is_sent) for is_sent in (True, False))) for key in sorted(found)]

    async def forget_uses(self, before: float) -> None:
        """Uses."""
        self._uses = {key: count for key, count in self._uses.items() if key[-1] >= before}
        self._fields = {key: day for key, day in self._fields.items() if day >= before}

    async def set_contact(self, consumer: SubsystemId, contact: str, author: str, at: float) -> bool:
        """Uses."""
        if all(each.id != consumer for each in self._consumers.values()):
            return False
        self._contacts.pop(consumer, None)
        if contact:
            self._contacts[consumer] = contact
        self._acts.append(Act(at, author, "set_contact", consumer, {}))
        return True

    async def contacts(self) -> Mapping[SubsystemId, str]:
        """Uses."""
        return dict(self._contacts)

    def _seen(self, key: tuple[SubsystemId, str, int, str], since: float, *, is_sent: bool) -> frozenset[str]:
        return frozenset(field[-1] for field, day in self._fields.items() if field[:4] == key and field[4] is is_sent and day >= since)
