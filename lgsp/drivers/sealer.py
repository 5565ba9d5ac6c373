"""The sealer: each second, what happened and has no leaf yet becomes leaves under a signed head, on one node of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lgsp.errors import Fault
from lgsp.evidence import batch as batches
from lgsp.evidence import tree
from lgsp.evidence.events import moment
from lgsp.evidence.stretches import stretches
from lgsp.evidence.verifier import EMPTY, Frontier, WrongError, fingerprint
from lgsp.ports.evidence import Leaves, Sealing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from lgsp.model.evidence import Turn, Unsealed

LEAVES_AT_ONCE = 500
DAMAGED = "the end of the sealed tree is not the one that was signed; lgsp audit verify tells more"
LEASE_S = 10.0
"""So long the others wait for a sealer that died."""


class SigningKey:
    """An Ed25519 key (RFC 8032) from its 32 bytes."""

    def __init__(self, private: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self.public = self._key.public_key().public_bytes_raw()
        self.fingerprint = fingerprint(self.public)

    def sign(self, content: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self._key.sign(content)


def new_evidence_key() -> bytes:
    """32 random bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


class KeyStore(Protocol):
    """Where keys are kept, wrapped by the master key."""

    async def load_or_create_key(self, kind: str, create: Callable[[], bytes]) -> tuple[str, bytes]: ...

    async def keys_of(self, kind: str) -> Sequence[bytes]: ...

    async def add_key(self, kind: str, plain: bytes, author: str, at: float) -> None: ...


class SigningKeys:
    """The port EvidenceKeys, over a store of keys."""

    KIND = "evidence"

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    async def newest(self) -> bytes:
        """The key that signs; made once."""
        return (await self._store.load_or_create_key(self.KIND, new_evidence_key))[1]

    async def publics(self) -> Mapping[str, str]:
        """EvidenceKeys."""
        keys = [SigningKey(private) for private in await self._store.keys_of(self.KIND)]
        return {key.fingerprint: key.public.hex() for key in keys}

    async def rotate(self, author: str, at: float) -> str:
        """EvidenceKeys."""
        private = new_evidence_key()
        await self._store.add_key(self.KIND, private, author, at)
        return SigningKey(private).fingerprint


class Tree(Sealing, Leaves, Protocol):
    """The sealed tree and its end."""


class Sealer:
    """One for each node; `newest_key` gives the signing key that is to be used, `random` so many random bytes."""

    def __init__(self, store: Tree, hub: str, mac_key: bytes, newest_key: Callable[[], Awaitable[bytes]]) -> None:
        self._store = store
        self._hub = hub
        self._mac_key = mac_key
        self._newest_key = newest_key
        self._front = Frontier()
        self._fence = -1
        self._signer: SigningKey | None = None

    async def seal_due(self, holder: str, now: Callable[[], float], random: Callable[[int], bytes]) -> int:
        """Seal everything that is not sealed, if it is this node's turn; how many leaves that made."""
        made, more = 0, True
        while more:
            turn = await self._store.take_turn(holder, now(), LEASE_S)
            if turn is None:
                return made
            unsealed = await self._store.unsealed(turn, LEAVES_AT_ONCE)
            if not unsealed.events:
                return made
            await self._adopt(turn)
            if not await self._seal(turn, unsealed, moment(now()), random):
                return made
            made, more = made + len(unsealed.events), unsealed.more
        return made

    async def _adopt(self, turn: Turn) -> None:
        """Know the end of the tree: it may have grown by other hands, or a write of ours may not have come through."""
        if self._fence != turn.fence or self._front.size != turn.size or self._signer is None:
            self._front = await self._end_of(turn)
            self._signer, self._fence = SigningKey(await self._newest_key()), turn.fence

    async def _end_of(self, turn: Turn) -> Frontier:
        """The end of the tree, if it is the one whose root was signed: nothing is built on what somebody changed."""
        head = await self._store.head()
        try:
            front = tree.frontier(turn.size, await self._store.nodes_of(tree.keepers([(0, turn.size)])))
        except (WrongError, KeyError) as error:
            raise Fault("record-unavailable", DAMAGED) from error
        if (front.size, front.root()) != ((head.size, head.root) if head else (0, EMPTY)):
            raise Fault("record-unavailable", DAMAGED)
        return front

    async def _seal(self, turn: Turn, unsealed: Unsealed, at: str, random: Callable[[int], bytes]) -> bool:
        if self._signer is None:
            return False
        front, self._fence = self._front, -1
        leaves = [leaf async for some in stretches(unsealed.events) for leaf in batches.append(front, some, self._mac_key, random)]
        head = batches.signed_head(front, turn.batch + 1, at, self._hub, self._signer)
        sealed = await self._store.seal(turn, batches.sealed(turn, unsealed, leaves, head))
        self._fence = sealed.fence if sealed else -1
        return sealed is not None
