"""Certificates and WS-Security passwords in memory, and what was shown once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.ports.office import Act

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.parties import Consumer, Enrolled, SubsystemId


class MemoryEnrolment:
    """The ports Enrolments and Proofs."""

    _acts: list[Act]

    def __init__(self) -> None:
        self._certificates: dict[str, Enrolled] = {}
        self._wss_passwords: defaultdict[SubsystemId, list[str]] = defaultdict(list)
        self._shown: dict[bytes, float] = {}

    def subsystem(self, code: SubsystemId) -> Consumer | None:
        """Directory's; the register answers."""
        raise NotImplementedError

    def certificates(self) -> Sequence[Enrolled]:
        """Enrolments, Proofs."""
        return sorted(self._certificates.values(), key=lambda each: (each.consumer, each.fingerprint))

    def wss_passwords(self, consumer: SubsystemId) -> Sequence[str]:
        """Proofs."""
        return tuple(self._wss_passwords.get(consumer, ()))

    async def enrol(self, enrolled: Enrolled, author: str, at: float) -> bool:
        """Enrolments."""
        if self.subsystem(enrolled.consumer) is None:
            raise Fault("not-found", f"{enrolled.consumer} is not registered")
        if enrolled.fingerprint in self._certificates:
            return False
        self._certificates[enrolled.fingerprint] = enrolled
        self._acts.append(Act(at, author, "enrol", enrolled.consumer, {"fingerprint": enrolled.fingerprint}))
        return True

    async def end_enrolment(self, consumer: SubsystemId, fingerprint: str, author: str, at: float) -> bool:
        """Enrolments."""
        found = self._certificates.get(fingerprint)
        if found is None or found.consumer != consumer:
            return False
        del self._certificates[fingerprint]
        self._acts.append(Act(at, author, "end_enrolment", consumer, {"fingerprint": fingerprint}))
        return True

    async def add_wss_password(self, consumer: SubsystemId, password: str, author: str, at: float) -> bool:
        """Enrolments."""
        if self.subsystem(consumer) is None:
            return False
        self._wss_passwords[consumer] = [password, *self._wss_passwords[consumer][:1]]
        self._acts.append(Act(at, author, "add_wss_password", consumer, {}))
        return True

    async def first_shown(self, mark: bytes, until: float) -> bool:
        """Proofs."""
        if mark in self._shown:
            return False
        self._shown[mark] = until
        return True

    async def forget_shown(self, now: float) -> None:
        """Proofs."""
        self._shown = {mark: until for mark, until in self._shown.items() if until >= now}
