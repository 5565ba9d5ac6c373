"""Answer: the canonical reply as JSON, which is kept, and in the consumer's own tongue where that is another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.model.happening import Reply

if TYPE_CHECKING:
    from lgsp.model.happening import Exchange

JSON = (("Content-Type", "application/json"),)


def answer_with(value: Any, exchange: Exchange) -> Reply:
    """What goes back; a Fault if the consumer's tongue cannot hold it, before anything was recorded as answered."""
    spoken = b"" if exchange.speech is None else exchange.speech.write(value)
    return Reply(200, json.encode(value), JSON, spoken)
