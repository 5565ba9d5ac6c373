"""What one Idempotency-Key means, beyond what every exchange shows: the body's meaning counts, its scope, and where it is required."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgsp.errors import Fault
from tests.unit.small_hub import OPERATION, SmallHub


def body(text: str) -> dict[str, bytes]:
    return {"body": text.encode()}


async def test_the_same_request_laid_out_otherwise_is_the_same_request() -> None:
    hub = await SmallHub().open()
    await hub.carry(idempotency_key='"k"', **body('{"name": "Trần Thị Bưởi", "age": 41}'))

    again = await hub.carry(idempotency_key="k", **body('{"age":41,\n "name":"Trần Thị Bưởi"}'))

    assert dict(again.headers)["Idempotent-Replayed"] == "true"
    assert len(hub.outbound.calls) == 1


@pytest.mark.parametrize("other", ['{"name": "Trần Thị Bưởi", "age": 42}', '{"name": "Trần Thị Bưởi"}', '{"name": ["Trần Thị Bưởi"]}'])
async def test_another_meaning_under_the_same_key_is_refused(other) -> None:
    hub = await SmallHub().open()
    await hub.carry(idempotency_key='"k"', **body('{"name": "Trần Thị Bưởi", "age": 41}'))

    with pytest.raises(Fault) as refused:
        await hub.carry(idempotency_key='"k"', **body(other))

    assert (refused.value.slug, refused.value.problem.status) == ("idempotency-key-reused", 422)


async def test_another_query_under_the_same_key_is_another_request() -> None:
    hub = await SmallHub().open()
    await hub.carry(idempotency_key='"k"', query={"page": "1"})

    with pytest.raises(Fault, match="idempotency-key-reused"):
        await hub.carry(idempotency_key='"k"', query={"page": "2"})


async def test_an_operation_that_requires_a_key_takes_nothing_without_one() -> None:
    hub = await SmallHub(operation=replace(OPERATION, requires_key=True)).open()

    with pytest.raises(Fault) as refused:
        await hub.carry()

    assert (refused.value.slug, refused.value.problem.status) == ("idempotency-key-missing", 400)
    assert (await hub.carry(idempotency_key="k")).status == 200
