"""A publication: one message for each subscriber, with a state of its own, and what came of the whole when every one has an end.

The publication itself is a message under way that nobody claims: it comes to rest when its parts have. Each part is owed to the
subscriber's own channel, so that a dead one holds up nobody else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.model.agreed import Pattern
from lgsp.model.happening import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lgsp.model.happening import Receipt, Stored
    from lgsp.model.parties import Subscription


def published_with_parts(
    stored: Stored, pattern: Pattern, subscriptions: Iterable[Subscription], new_id: Callable[[], str]
) -> tuple[Stored, tuple[Stored, ...]]:
    """A publication, and what is owed to each subscriber of its operation; any other message as it is, without parts."""
    if pattern is not Pattern.PUBLISH:
        return stored, ()
    whole = replace(stored, state=State.DELIVERING)
    mine = [each for each in subscriptions if (each.service, each.operation) == (stored.service, stored.operation)]
    return whole, tuple(
        replace(stored, message_id=new_id(), operation=each.name, provider=each.provider, part_of=stored.message_id) for each in mine
    )


def reached_all(parts: Sequence[Receipt]) -> bool:
    """Whether every subscriber took it."""
    return all(part.state is State.DELIVERED for part in parts)
