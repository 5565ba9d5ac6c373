"""The directory: consumers, rights and what was ordered about providers as a snapshot in memory, fetched anew when its epoch has risen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from lgsp.drivers.store import rows, tables
from lgsp.drivers.store.channels import callback_of, subscriptions_in
from lgsp.drivers.store.code_tables import code_rows_in
from lgsp.drivers.store.conformity import enforcements_in
from lgsp.drivers.store.core import DIRECTORY, ENFORCEMENT, KEYS, PROVIDERS
from lgsp.drivers.store.enrolment import Snapshot, enrolled_in
from lgsp.drivers.store.providers import rulings_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.store.core import Core
    from lgsp.model.code_tables import CodeRow
    from lgsp.model.conformity import Enforcement
    from lgsp.model.parties import Callback, Consumer, Enrolled, Right, Ruling, Subscription, SubsystemId


class Directory:
    """The port Directory, and the reading side of ProviderStates."""

    core: Core

    def __init__(self) -> None:
        self._epochs: dict[str, int] = {}
        self._consumers: dict[str, Consumer] = {}
        self._subsystems: dict[SubsystemId, Consumer] = {}
        self._enrolled = Snapshot()
        self._rights: dict[tuple[SubsystemId, str, str], Right] = {}
        self._callbacks: tuple[Callback, ...] = ()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._rulings: tuple[Ruling, ...] = ()
        self._rulings_of: dict[str, tuple[Ruling, ...]] = {}
        self._enforcements: tuple[Enforcement, ...] = ()
        self._code_rows: tuple[CodeRow, ...] = ()

    def consumer(self, client_id: str) -> Consumer | None:
        """Directory."""
        return self._consumers.get(client_id)

    def subsystem(self, code: SubsystemId) -> Consumer | None:
        """Directory."""
        return self._subsystems.get(code)

    def certificates(self) -> Sequence[Enrolled]:
        """Proofs."""
        return self._enrolled.certificates

    def wss_passwords(self, consumer: SubsystemId) -> Sequence[str]:
        """Proofs."""
        return self._enrolled.passwords.get(consumer, ())

    def right(self, consumer: SubsystemId, service: str, operation: str) -> Right | None:
        """Directory."""
        return self._rights.get((consumer, service, operation))

    def callbacks(self) -> Sequence[Callback]:
        """Directory."""
        return self._callbacks

    def subscriptions(self) -> Sequence[Subscription]:
        """Directory."""
        return self._subscriptions

    def rulings(self, provider: str | None = None) -> Sequence[Ruling]:
        """ProviderStates."""
        return self._rulings if provider is None else self._rulings_of.get(provider, ())

    def enforcements(self) -> Sequence[Enforcement]:
        """Enforcements."""
        return self._enforcements

    def code_rows(self) -> Sequence[CodeRow]:
        """CodeRows."""
        return self._code_rows

    async def refresh(self) -> None:
        """See now what was changed; otherwise it is seen within a second."""
        async with self.core.transaction() as connection:
            epochs = {row.name: row.value for row in await connection.execute(select(tables.epoch))}
            if epochs == self._epochs:
                return
            consumers = [rows.consumer(row) for row in await connection.execute(select(tables.consumer))]
            rights = [rows.right(row) for row in await connection.execute(select(tables.access_right))]
            rulings = await rulings_in(connection)
            enforcements = await enforcements_in(connection)
            code_rows = await code_rows_in(connection)
            enrolled = await enrolled_in(connection)
            subscriptions = await subscriptions_in(connection)
            callbacks = (await connection.execute(select(tables.callback).order_by(tables.callback.c.consumer))).all()
        if epochs[KEYS] != self._epochs.get(KEYS):
            await self.core.adopt_keys()
        if epochs[DIRECTORY] != self._epochs.get(DIRECTORY):
            self._subscriptions = tuple(subscriptions)
            self._callbacks = tuple([await callback_of(row, self.core) for row in callbacks])
            self._consumers = {each.client_id: each for each in consumers}
            self._subsystems = {each.id: each for each in consumers}
            self._enrolled = await enrolled.opened(self.core)
            self._rights = {(each.consumer, each.service, each.operation): each for each in rights}
        if epochs[PROVIDERS] != self._epochs.get(PROVIDERS):
            self._rulings = tuple(rulings)
            self._rulings_of = {code: tuple(r for r in rulings if r.provider == code) for code in {r.provider for r in rulings}}
        if epochs[ENFORCEMENT] != self._epochs.get(ENFORCEMENT):
            self._enforcements = tuple(enforcements)
            self._code_rows = tuple(code_rows)
        self._epochs = epochs
