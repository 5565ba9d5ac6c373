"""The register in memory: consumers, secrets, rights, people, keys; and the directory that the exchanges read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lgsp.errors import Fault
from lgsp.ports.office import Act, Person

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lgsp.model.parties import Consumer, Right, SubsystemId


class MemoryRegister:
    """Consumers, secrets, rights, people, keys; and the directory that the exchanges read."""

    _acts: list[Act]

    def __init__(self) -> None:
        self._consumers: dict[str, Consumer] = {}
        self._secrets: defaultdict[str, list[bytes]] = defaultdict(list)
        self._rights: dict[tuple[SubsystemId, str, str], Right] = {}
        self._people: dict[str, Person] = {}
        self._made_keys: dict[str, tuple[str, bytes]] = {}

    def consumer(self, client_id: str) -> Consumer | None:
        """Directory."""
        return self._consumers.get(client_id)

    def subsystem(self, code: SubsystemId) -> Consumer | None:
        """Directory."""
        return next((each for each in self._consumers.values() if each.id == code), None)

    def right(self, consumer: SubsystemId, service: str, operation: str) -> Right | None:
        """Directory."""
        return self._rights.get((consumer, service, operation))

    async def refresh(self) -> None:
        """Directory; there is nothing to fetch."""

    async def add_consumer(self, consumer: Consumer, secret_mac: bytes, author: str, at: float) -> bool:
        """Register."""
        if consumer.client_id in self._consumers or any(each.id == consumer.id for each in self._consumers.values()):
            return False
        self._consumers[consumer.client_id] = consumer
        self._secrets[consumer.client_id].append(secret_mac)
        self._acts.append(Act(at, author, "add_consumer", consumer.id, {"client_id": consumer.client_id}))
        return True

    async def add_secret(self, client_id: str, secret_mac: bytes, author: str, at: float) -> bool:
        """Register."""
        consumer = self._consumers.get(client_id)
        if consumer is None:
            return False
        self._secrets[client_id].append(secret_mac)
        self._acts.append(Act(at, author, "add_secret", consumer.id, {"client_id": client_id}))
        return True

    async def set_active(self, client_id: str, author: str, at: float, *, active: bool) -> bool:
        """Register."""
        consumer = self._consumers.get(client_id)
        if consumer is None:
            return False
        self._consumers[client_id] = replace(consumer, active=active)
        self._acts.append(Act(at, author, "activate" if active else "suspend", consumer.id, {"client_id": client_id}))
        return True

    async def secret_macs(self, client_id: str) -> Sequence[bytes]:
        """Register."""
        return tuple(self._secrets[client_id]) if client_id in self._consumers else ()

    async def consumers(self) -> Sequence[Consumer]:
        """Register."""
        return sorted(self._consumers.values(), key=lambda consumer: consumer.id)

    async def grant(self, right: Right, author: str, at: float) -> None:
        """Rights."""
        if all(consumer.id != right.consumer for consumer in self._consumers.values()):
            raise Fault("not-found", f"{right.consumer} is not registered")
        self._rights[right.consumer, right.service, right.operation] = right
        self._acts.append(Act(at, author, "grant", right.consumer, _granted(right)))

    async def withdraw(self, right: Right, author: str, at: float) -> bool:
        """Rights."""
        if self._rights.pop((right.consumer, right.service, right.operation), None) is None:
            return False
        self._acts.append(Act(at, author, "withdraw", right.consumer, {"service": right.service, "operation": right.operation}))
        return True

    async def rights(self) -> Sequence[Right]:
        """Rights."""
        return [self._rights[key] for key in sorted(self._rights)]

    async def add_person(self, person: Person, author: str, at: float) -> bool:
        """People."""
        if person.name in self._people:
            return False
        self._people[person.name] = person
        self._acts.append(Act(at, author, "add_person", person.name, {"role": person.role}))
        return True

    async def person(self, name: str) -> Person | None:
        """People."""
        return self._people.get(name)

    async def load_or_create_key(self, kind: str, create: Callable[[], bytes]) -> tuple[str, bytes]:
        """The hub's newest key of this kind, with its id; made once, by `create`."""
        if kind not in self._made_keys:
            self._made_keys[kind] = ("1", create())
        return self._made_keys[kind]


def _granted(right: Right) -> dict[str, Any]:
    return {"service": right.service, "operation": right.operation, "purposes": sorted(right.purposes)}
