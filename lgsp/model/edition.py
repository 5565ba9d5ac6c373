"""Editions: what was published when, by whom; the nodes that serve it; how long a version lives."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EditionState(StrEnum):
    """Where an edition stands: at most one is staged, at most one of each adapter is live."""

    PROPOSED = "proposed"
    STAGED = "staged"
    LIVE = "live"
    SUPERSEDED = "superseded"
    REFUSED = "refused"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Edition:
    """One adapter's bundle on its way to being served, and after.

    verb: publish or rollback. base: the digest that was live when it was compared (empty: the release's own). changes: against that, in
    words, the worst first. breaking: why a change that breaks consumers goes out all the same. keeps: older bundles that still have
    operations which stored messages may name. refusals: why it did not go live.
    """

    id: str
    adapter: str
    digest: str
    author: str
    at: float
    verb: str = "publish"
    reason: str = ""
    breaking: str = ""
    base: str = ""
    changes: Sequence[str] = ()
    keeps: Sequence[str] = ()
    state: EditionState = EditionState.PROPOSED
    refusals: Sequence[str] = ()
    decided_by: str = ""
    decided_at: float | None = None
    live_at: float | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A process that serves: which state of the catalogue it has loaded, which staged edition it has compiled, and with what verdict.

    verdict: empty where it can serve the staged edition, else why not. until: POSIX second to which it counts as alive.
    """

    id: str
    roles: str
    epoch: int = 0
    staged: str = ""
    verdict: str = ""
    until: float = 0.0


class Stage(StrEnum):
    """How a major version of a service stands towards its consumers."""

    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Lifespan:
    """What was said about one major version. since: POSIX second of the word; sunset: when it ends, if that is known."""

    service: str
    major: int
    stage: Stage
    since: float
    sunset: float | None = None
    successor: int | None = None
    author: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """What the database says is to be served. epoch rises with each change of it; `staged`: what is being tried out beside it."""

    epoch: int = 0
    live: Sequence[Edition] = ()
    staged: Edition | None = None
    lifespans: Mapping[tuple[str, int], Lifespan] = field(default_factory=dict)
