"""What a callback's answer means: 2xx took it, everything else is tried again; redirects are not followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.drivers.outbound.rest import BUSY, retry_after_s
from lgsp.errors import Fault

if TYPE_CHECKING:
    from lgsp.drivers.outbound.connection import Answer


def judge_callback(answer: Answer) -> None:
    """Return if the receiver took it; it may mend whatever it says otherwise, until the message's deadline."""
    if 200 <= answer.status < 300:  # noqa: PLR2004  # 2xx
        return
    if answer.status in BUSY:
        raise Fault("provider-busy", f"status {answer.status}", retry_after_s=retry_after_s(answer))
    raise Fault("provider-failed", f"status {answer.status} from the callback address")
