"""Try a mapping on stored messages: masked ones for whoever changes it, real ones for publishing, which stops at an unexpected change."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import Fault
from lgsp.mapping.replay import changed_fields
from lgsp.model.agreed import DataClass
from lgsp.model.sample import Sample
from lgsp.policy.mask import codes_in, masked, of_purpose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.agreed import Operation, Service
    from lgsp.model.happening import Stored
    from lgsp.model.sample import FieldChange
    from lgsp.ports.office import Office

MOST_BYTES = 8 << 20


async def samples(office: Office, service: str, major: int, limit: int, author: str) -> Sequence[Sample]:
    """The newest stored messages, with stand-ins unless the service is open; that somebody read them is an act."""
    published = office.catalogue.current().services.get((service, major))
    if published is None:
        raise Fault("not-found", f"no service {service}/{major} is published")
    stored = await office.trials.latest_stored(service, major, limit)
    stored = _within(stored)
    await office.trials.note_trial(f"{service}/{major}", len(stored), author, office.now())
    kept = _kept(published)
    operations = {operation.name: operation for operation in published.operations}
    return [_masked(office, _sample(each), operations.get(each.operation), kept) for each in stored]


async def changes_by(
    office: Office, base: Mapping[str, Operation], candidate: Mapping[str, Operation], limit: int
) -> Sequence[FieldChange]:
    """What candidate operations (by name, of one service) would make otherwise of its newest stored messages; examples are left out."""
    operation = next(iter(base.values()), None)
    if operation is None:
        return []
    stored = await office.trials.latest_stored(operation.service, operation.major, limit)
    found = changed_fields(base, candidate, [_sample(each) for each in stored])
    return [replace(each, before=None, after=None) for each in found]


def _within(stored: Sequence[Stored]) -> Sequence[Stored]:
    """The newest of them, as many as one answer holds."""
    size = 0
    for at, each in enumerate(stored):
        size += len(each.request)
        if size > MOST_BYTES:
            return stored[:at]
    return stored


def _sample(stored: Stored) -> Sample:
    request, purpose = json.decode(stored.request), asdict(stored.purpose)
    return Sample(stored.message_id, stored.operation, stored.accepted_at, stored.parameters, request, purpose)


def _kept(service: Service) -> frozenset[Any]:
    """Codes that the contract or a code table lists."""
    tables = [table for operation in service.operations for table in operation.provider.tables.values()]
    return codes_in(service.document) | {row["ours"] for table in tables for row in table.rows}


def _masked(office: Office, sample: Sample, operation: Operation | None, kept: frozenset[Any]) -> Sample:
    if operation is not None and operation.data_class is DataClass.OPEN:
        return sample
    parameters: Any = masked(dict(sample.parameters), office.mac, kept)
    request, purpose = masked(sample.request, office.mac, kept), of_purpose(sample.purpose, office.mac)
    return replace(sample, parameters=parameters, request=request, purpose=purpose)
