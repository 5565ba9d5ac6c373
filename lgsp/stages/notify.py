"""Notify: owe a consumer's registered address an event for each receipt that came to rest and that it was not told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.codec import json
from lgsp.codec.receipt import instant, report
from lgsp.model.agreed import CHANNELS
from lgsp.model.happening import Stored
from lgsp.model.parties import CALLBACKS, HUB, Purpose, callback_provider, channel_name

if TYPE_CHECKING:
    from lgsp.model.agreed import Operation
    from lgsp.model.happening import Receipt
    from lgsp.model.parties import Callback
    from lgsp.ports.engine import Ports

PAGE = 100
TYPE = "lgsp.receipt"


async def notify(callback: Callback, since: int, ports: Ports) -> int:
    """The events are messages like any others, written once however many nodes try; says how many receipts were told."""
    operation = ports.catalogue.current().operations.get((CALLBACKS, 1, channel_name(callback.consumer)))
    receipts = await ports.receipts.feed(callback.consumer, since, PAGE) if operation is not None else ()
    if operation is None or not receipts:
        return 0
    events = [_event(receipt, callback, operation, ports) for receipt in receipts]
    if await ports.notices.owe(callback.consumer, (since, receipts[-1].number or since), events):
        ports.bell.ring(CHANNELS, [event.message_id for event in events])
    return len(receipts)


def _event(receipt: Receipt, callback: Callback, operation: Operation, ports: Ports) -> Stored:
    message_id, now = ports.new_id(), ports.now()
    content = {
        "type": f"{TYPE}.{receipt.state}",
        "subject": receipt.message_id,
        "time": instant(receipt.settled_at),
        "datacontenttype": "application/json",
        "sequence": str(receipt.number),
        "data": report(receipt, callback.language, ports.issuer),
    }
    return Stored(
        message_id=message_id,
        consumer=HUB,
        service=CALLBACKS,
        major=1,
        operation=operation.name,
        provider=callback_provider(callback.consumer),
        purpose=Purpose(),
        parameters={},
        request=json.encode(content),
        digest="",
        order_key=None,
        business_key=None,
        accepted_at=now,
        deadline_at=now + operation.retry.deadline_s,
        trace_id=message_id.replace("-", ""),
    )
