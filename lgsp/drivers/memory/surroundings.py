"""What stands around the record, in memory: bell, catalogue, identity, and a provider that a test plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.errors import Fault
from lgsp.evidence.check import Checked, check
from lgsp.evidence.walk import packed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from lgsp.model.agreed import Call, Prepared
    from lgsp.model.catalogue import Catalogue
    from lgsp.model.evidence import SealedLeaf
    from lgsp.model.happening import Exchange


class MemoryBell:
    """Keeps the rings, for tests to look at."""

    def __init__(self) -> None:
        self.rings: list[tuple[str, tuple[str, ...]]] = []

    def ring(self, provider: str, message_ids: Sequence[str]) -> None:
        """Bell."""
        self.rings.append((provider, tuple(message_ids)))


class MemoryCatalogue:
    """What is published, as a value that a test may swap."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def current(self) -> Catalogue:
        """CatalogueSource."""
        return self.catalogue


class MemoryIdentity:
    """Takes `Bearer CLIENT_ID` for the client id that it names: no proof, so for tests only."""

    def identify(self, credential: str | None, now: float) -> str:  # noqa: ARG002 -- the port's signature; these tokens never end
        """Identity."""
        scheme, _, client_id = (credential or "").partition(" ")
        if scheme != "Bearer" or not client_id:
            raise Fault("token-missing")
        return client_id

    def recall(self, credential: str) -> str | None:
        """Identity."""
        return credential.removeprefix("Bearer ") or None


class MemoryOutbound:
    """A provider as a coroutine of the test's; every call is kept in `calls`."""

    def __init__(self, answer: Callable[[Call, Any], Awaitable[Any]]) -> None:
        self._answer = answer
        self.calls: list[tuple[str, str, Any]] = []

    async def call(self, call: Call, request: Prepared, exchange: Exchange) -> Any:
        """Outbound."""
        self.calls.append((exchange.operation.provider.code, call.name, request.native))
        return await self._answer(call, request.native)


class MemoryCheck:
    """The port LeafCheck, in this process."""

    def __init__(self, mac_key: bytes) -> None:
        self._mac_key = mac_key

    async def check(self, pages: AsyncIterator[Sequence[SealedLeaf]]) -> AsyncIterator[tuple[Sequence[SealedLeaf], Checked]]:
        """LeafCheck."""
        async for page in pages:
            yield page, check(packed(page), self._mac_key)
