"""Every port in memory, for tests, demonstrations and training; the same suite holds it to what the real drivers do.

Nothing here survives the process. One event loop uses it; what looks like a transaction is one because nothing in it waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.drivers.memory.channels import MemoryChannels
from lgsp.drivers.memory.code_tables import MemoryCodeRows
from lgsp.drivers.memory.conformity import MemoryJudgements
from lgsp.drivers.memory.corrections import MemoryCorrections
from lgsp.drivers.memory.editions import MemoryEditions
from lgsp.drivers.memory.enrolment import MemoryEnrolment
from lgsp.drivers.memory.evidence import MemoryEvidence
from lgsp.drivers.memory.exchanges import MemoryExchanges
from lgsp.drivers.memory.mailboxes import MemoryMailboxes
from lgsp.drivers.memory.providers import MemoryProviders
from lgsp.drivers.memory.receipts import MemoryReceipts
from lgsp.drivers.memory.register import MemoryRegister
from lgsp.drivers.memory.steering import MemorySteering
from lgsp.drivers.memory.surroundings import MemoryBell, MemoryCatalogue, MemoryCheck, MemoryIdentity, MemoryOutbound
from lgsp.drivers.memory.trials import MemoryTrials
from lgsp.drivers.memory.usage import MemoryUses
from lgsp.drivers.memory.vault import MemoryVault
from lgsp.drivers.memory.witnesses import MemoryWitnesses

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MemoryBell", "MemoryCatalogue", "MemoryCheck", "MemoryIdentity", "MemoryOutbound", "MemoryStore", "MemoryVault"]


class MemoryStore(
    MemorySteering,
    MemoryCorrections,
    MemoryEvidence,
    MemoryExchanges,
    MemoryMailboxes,
    MemoryReceipts,
    MemoryChannels,
    MemoryRegister,
    MemoryEnrolment,
    MemoryProviders,
    MemoryEditions,
    MemoryWitnesses,
    MemoryJudgements,
    MemoryUses,
    MemoryCodeRows,
    MemoryTrials,
):
    """All that a database keeps."""

    def __init__(self, now: Callable[[], float]) -> None:
        MemoryExchanges.__init__(self, now)
        MemoryReceipts.__init__(self)
        MemoryChannels.__init__(self)
        MemoryRegister.__init__(self)
        MemoryEnrolment.__init__(self)
        MemorySteering.__init__(self)
        MemoryProviders.__init__(self)
        MemoryJudgements.__init__(self)
        MemoryUses.__init__(self)
        MemoryCodeRows.__init__(self)
        MemoryCorrections.__init__(self)
        MemoryEditions.__init__(self)
        MemoryEvidence.__init__(self)
        MemoryWitnesses.__init__(self)

    async def answers(self) -> bool:
        """Whether it can be read and written now."""
        return True

    async def close(self) -> None:
        """Nothing is open."""
