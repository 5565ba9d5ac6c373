"""SOAP faces for the door: each made once, in a thread, one at a time, so that the loop serves others meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lgsp.errors import ContractError, Fault

if TYPE_CHECKING:
    from lgsp.model.agreed import Service
    from lgsp.model.face import SoapFace, SoapOffer

WAIT_S = 20.0
"""So long a caller waits; what is being made goes on for the next."""
AGAIN_S = 5.0
BUSY = "the service is being made ready for SOAP"


class Faces:
    """Threads that compile at the same time would only take the loop's turns from it, so services queue, too."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._turn = asyncio.Lock()
        self._under_way: dict[SoapOffer, asyncio.Task[SoapFace]] = {}
        self._log = structlog.get_logger().bind(logger="lgsp.door")

    async def face(self, service: Service, offer: SoapOffer) -> SoapFace:
        """The face of a service's offer; Fault "overloaded" where it is not ready in time, "soap-unavailable" where it cannot be made."""
        if offer.made is not None:
            return offer.made
        task = self._under_way.get(offer)
        if task is None:
            task = self._under_way[offer] = asyncio.create_task(self._make(offer))
        await asyncio.wait({task}, timeout=self._wait_s)  # a caller that goes away takes nothing from the others
        if not task.done():
            raise Fault("overloaded", BUSY, retry_after_s=AGAIN_S)
        try:
            return task.result()
        except ContractError as error:
            self._log.warning(
                "soap_face_failed", service=f"{service.code}/{service.major}", findings=[str(each) for each in error.findings]
            )
            raise Fault("soap-unavailable") from error

    async def _make(self, offer: SoapOffer) -> SoapFace:
        try:
            async with self._turn:
                return await asyncio.to_thread(offer.face)
        finally:
            del self._under_way[offer]
