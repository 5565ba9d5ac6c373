"""What publishing needs: bundles, their editions, the nodes that confirm them; and the bundle of these ports, `Press`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.errors import Finding
    from lgsp.model.agreed import Provider, Service
    from lgsp.model.edition import Edition, EditionState, Lifespan, Node, Published


class Bundles(Protocol):
    """Bundles by their digests; they never change."""

    async def keep_bundle(self, bundle: Bundle, author: str, at: float) -> bool:
        """False, and nothing written, if it is there."""

    async def bundle(self, digest: str) -> Bundle | None: ...


@dataclass(frozen=True, slots=True)
class Bundle:
    """An archive (see contract/archive.py) of one adapter."""

    digest: str
    adapter: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Decided:
    """By whom, when, and why, where it was refused."""

    author: str
    at: float
    refusals: Sequence[str] = ()


class Editions(Protocol):
    """The history of what was published; each act is a row with its author."""

    async def propose_edition(self, edition: Edition) -> None: ...

    async def edition(self, edition_id: str) -> Edition | None: ...

    async def editions(self, adapter: str, limit: int) -> Sequence[Edition]:
        """The newest first; of all adapters where none is named."""

    async def end_edition(self, edition_id: str, state: EditionState, decided: Decided) -> bool:
        """Rejected (of a proposed one) or refused (of a staged one); False where it stands elsewhere."""


class Staging(Protocol):
    """From a proposed edition to one that every node serves."""

    async def stage(self, edition_id: str, until: float, decided: Decided) -> bool:
        """Have the nodes try it; False while another one is staged, or where it is not proposed. One whose time is over is refused."""

    async def go_live(self, edition_id: str, at: float) -> Sequence[Node]:
        """Serve it from now on, in one transaction, if every node alive has confirmed it; else nothing changes: those that have not.

        Nobody alive is nobody to serve it: then nothing changes either, and the list holds a nameless node.
        """

    async def set_lifespan(self, lifespan: Lifespan) -> None: ...


class Nodes(Protocol):
    """Which processes serve, and what."""

    async def beat(self, node: Node) -> None:
        """It is alive until `node.until`."""

    async def leave(self, node_id: str) -> None: ...

    async def nodes(self, now: float) -> Sequence[Node]:
        """Those alive."""

    async def published(self) -> Published:
        """What is to be served now; the same object as long as nothing has changed."""


class BindingBook(Protocol):
    """What this hub binds to the references of adapters; each act is a row with its author, and never the value."""

    async def bindings(self) -> Mapping[str, str]:
        """The same object as long as nothing has changed."""

    async def bind(self, name: str, value: str, author: str, at: float) -> None: ...

    async def unbind(self, name: str, author: str, at: float) -> bool:
        """False where it was not bound."""


class Compiler(Protocol):
    """From a bundle to what the engine knows; off the event loop."""

    async def compiled(self, digest: str) -> tuple[Provider, Sequence[Service]]:
        """Raises ContractError; Fault("not-found") where the bundle is not there."""

    async def shipped(self, adapter: str) -> bytes | None:
        """The archive of an adapter as this release has it; None where it has none."""


class Judge(Protocol):
    """What `lgsp check` says about a bundle that somebody sent."""

    async def findings(self, bundle: Bundle) -> Sequence[Finding]:
        """Nothing means that it may be published. It is judged where it can harm nobody."""


class Rollout(Protocol):
    """Carries a proposed edition to all nodes, or to none."""

    async def roll_out(self, edition_id: str, decided: Decided) -> tuple[int, int]:
        """How many nodes serve it, of how many; raises Fault("publish-refused") or Fault("publish-busy"), and nothing has changed."""


@dataclass(frozen=True, slots=True)
class Press:
    """The ports of publishing.

    two_persons: nobody puts live alone what changes something. public: the hub's address, or empty. given: names that the environment
    binds. reachable: raises SettingsError where what is served cannot be reached by these bindings. nudge: have this node look now.
    """

    bundles: Bundles
    editions: Editions
    staging: Staging
    nodes: Nodes
    compiler: Compiler
    judge: Judge
    rollout: Rollout
    two_persons: bool
    public: str
    bindings: BindingBook
    given: frozenset[str]
    reachable: Callable[[Mapping[str, str]], None]
    nudge: Callable[[], None]
