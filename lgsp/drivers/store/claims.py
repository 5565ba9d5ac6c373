"""The statements that give messages out: whose turn it is, which of a consumer's is the most urgent, and what is not ready yet.

A claim goes through the consumers in a circle, beginning after the one that was served last, and takes of each the most urgent message
(deadline, then arrival): one step of an index for each consumer and each message taken, however much waits behind them. So that nothing
stands in the way of those steps, `ready` tells what can be claimed: its time has come and no earlier message of its order key is unsettled.
It is told when a message is accepted, when the one before it is settled (WAKE), and in each claim (RIPEN) for what comes by its time:
retries, ended leases, and, in case a wake was lost to another session, those that were found blocked, later and later.
"""

from __future__ import annotations

from lgsp.drivers.store.statements import over
from lgsp.drivers.store.tables import DUE, UNSETTLED

COLUMNS = (
    "seq",
    "message_id",
    "consumer",
    "service",
    "major",
    "operation",
    "provider",
    "purpose",
    "digest",
    "accepted_at",
    "deadline_at",
    "trace_id",
    "attempts",
    "lease",
    "denials",
    "skips_dead",
    "cause",
)
"""What a claim returns, in its order."""

RIPE_AT_ONCE = 500
SPARE_TURNS = 64
"""What other nodes are claiming just now is passed over."""
BLOCKED_S, LONGEST_BLOCKED_S = 30, 3600
"""A blocked message is looked at again after as long as it has waited, within these bounds."""

_CLAIMED = f"message.{', '.join(COLUMNS)}"
_LENT = "state = 'delivering', ready = false, lease = lease + 1, attempts = attempts + 1"
_PROVIDER, _NOW, _AFTER, _PLACES = (f"(SELECT v_{name} FROM r)" for name in ("provider", "now", "after", "places"))  # noqa: S608 -- constants


def _held_back(message: str) -> str:
    """An earlier message of its order key is unsettled, and is not one that lets others pass."""
    return (
        f"{message}.order_mark IS NOT NULL AND EXISTS (SELECT 1 FROM message e WHERE e.provider = {message}.provider "  # noqa: S608 -- constants
        f"AND e.order_mark = {message}.order_mark AND e.seq < {message}.seq AND e.order_mark IS NOT NULL AND e.{UNSETTLED} "
        "AND NOT (e.state = 'dead' AND e.skips_dead))"
    )


def _ready(message: str) -> str:
    return f"{message}.provider = {_PROVIDER} AND {message}.ready AND {message}.{DUE}"


def _consumers(name: str, first: str, rest: str) -> str:
    """Those with something ready, in the order of their names, by one look into the index for each."""
    least = f"SELECT min(m.consumer) FROM message m WHERE {_ready('m')} AND m.consumer"  # noqa: S608 -- constants
    return (
        f"{name}(consumer) AS (SELECT ({least} {first}) UNION ALL "  # noqa: S608 -- constants
        f"SELECT ({least} > {name}.consumer{rest}) FROM {name} WHERE {name}.consumer IS NOT NULL)"
    )


def _most_urgent(of: str, beyond: str = "") -> str:
    return (
        f"(SELECT n.seq FROM message n WHERE {_ready('n')} AND n.consumer = {of}.consumer AND n.due_at <= {_NOW} "  # noqa: S608 -- constants
        f"AND NOT ({_held_back('n')}){beyond} ORDER BY n.deadline_at, n.seq LIMIT 1)"
    )


_BEHIND = " AND (n.deadline_at, n.seq) > ((SELECT d.deadline_at FROM message d WHERE d.seq = w.seq), w.seq)"
CLAIM = over(
    f", {_consumers('later', f'> {_AFTER}', '')}, "  # noqa: S608 -- constants
    f"{_consumers('sooner', f'<= {_AFTER}', f' AND m.consumer <= {_AFTER}')}, "
    f"walk(turn, consumer, seq) AS (SELECT 1, c.consumer, {_most_urgent('c')} "
    "FROM (SELECT consumer FROM later UNION ALL SELECT consumer FROM sooner) c WHERE c.consumer IS NOT NULL UNION ALL "
    f"SELECT w.turn + 1, w.consumer, {_most_urgent('w', _BEHIND)} FROM walk w "
    f"WHERE w.seq IS NOT NULL AND w.turn < 4 * {_PLACES} + {SPARE_TURNS}), "
    f"locked AS (SELECT (SELECT m.seq FROM message m WHERE m.seq = walk.seq AND CASE WHEN m.ready THEN m.{DUE} END {{lock}}) AS seq "
    "FROM walk), "
    f"head AS MATERIALIZED (SELECT seq FROM locked WHERE seq IS NOT NULL LIMIT {_PLACES}) "
    f"UPDATE message SET {_LENT}, due_at = (SELECT v_until FROM r) FROM head WHERE message.seq = head.seq RETURNING {_CLAIMED}",
    returns=True,
    recursive=True,
    lock="FOR UPDATE SKIP LOCKED",
    provider="text",
    now="float8",
    until="float8",
    places="int8",
    after="text",
)
"""`walk` goes turn by turn, and no further than `head` asks: breadth first, as both databases work recursion off.

Without joins, and in `locked` with a condition that no partial index answers: no planner can turn it round, whatever it knows of the
tables. There stands again what another session may have changed before the lock was given.
"""

RIPEN = over(
    f", near AS MATERIALIZED (SELECT m.seq, {_held_back('m')} AS blocked FROM message m "  # noqa: S608 -- constants
    f"WHERE m.provider = {_PROVIDER} AND NOT m.ready AND m.{DUE} AND m.due_at <= {_NOW} ORDER BY m.due_at LIMIT {RIPE_AT_ONCE} {{lock}}) "
    f"UPDATE message SET ready = NOT near.blocked, due_at = CASE WHEN NOT near.blocked THEN due_at "
    f"WHEN {_NOW} - accepted_at < {BLOCKED_S} THEN {_NOW} + {BLOCKED_S} "
    f"WHEN {_NOW} - accepted_at > {LONGEST_BLOCKED_S} THEN {_NOW} + {LONGEST_BLOCKED_S} ELSE 2 * {_NOW} - accepted_at END "
    "FROM near WHERE message.seq = near.seq",
    lock="FOR UPDATE OF m SKIP LOCKED",
    provider="text",
    now="float8",
)

TAKEN = over(
    " SELECT v_provider, v_order_mark FROM r WHERE EXISTS (SELECT 1 FROM message e WHERE e.provider = v_provider "  # noqa: S608 -- constants
    f"AND e.order_mark = v_order_mark AND e.order_mark IS NOT NULL AND e.{UNSETTLED})",
    returns=True,
    provider="text",
    order_mark="bytea",
)
"""Order keys of which something is unsettled: who comes now stands behind it."""


def woken(message_id: str) -> str:
    """The condition of whoever is the first of its order key now that this message lets it pass, and was not tried before."""
    return (
        "message.state = 'waiting' AND message.attempts = 0 AND message.seq = "  # noqa: S608 -- constants
        "(SELECT n.seq FROM message d JOIN message n ON n.provider = d.provider AND n.order_mark = d.order_mark "
        f"WHERE d.message_id = {message_id} AND n.order_mark IS NOT NULL AND n.{UNSETTLED} AND NOT (n.state = 'dead' AND n.skips_dead) "
        "ORDER BY n.seq LIMIT 1)"
    )


WAKE = over(
    f" UPDATE message SET ready = true, due_at = v_at FROM r WHERE {woken('v_message_id')}",  # noqa: S608 -- constants
    message_id="uuid",
    at="float8",
)

CLAIM_UNKNOWN = over(
    ", head AS MATERIALIZED (SELECT m.seq FROM message m WHERE m.state = 'unknown' AND m.due_at IS NOT NULL "  # noqa: S608 -- constants
    "AND m.due_at <= (SELECT v_now FROM r) ORDER BY m.due_at LIMIT (SELECT v_places FROM r) {lock}) "
    "UPDATE message SET lease = lease + 1, due_at = (SELECT v_until FROM r) FROM head WHERE message.seq = head.seq "
    f"RETURNING {_CLAIMED}",
    returns=True,
    lock="FOR UPDATE OF m SKIP LOCKED",
    now="float8",
    until="float8",
    places="int8",
)

TAKE = over(
    f" UPDATE message SET {_LENT}, due_at = v_until FROM r "  # noqa: S608 -- constants
    f"WHERE message_id = v_message_id AND {DUE} AND NOT ({_held_back('message')}) RETURNING {_CLAIMED}",
    returns=True,
    message_id="uuid",
    until="float8",
)

HOLDING = over(
    f" SELECT {_CLAIMED} FROM message JOIN r ON message_id = v_message_id AND lease = v_lease WHERE state = 'delivering'",  # noqa: S608 -- constants
    returns=True,
    message_id="uuid",
    lease="int8",
)

CLAIM_OVERDUE = over(
    ", late AS MATERIALIZED (SELECT m.seq FROM message m WHERE m.provider = (SELECT v_provider FROM r) "  # noqa: S608 -- constants
    f"AND m.{DUE} AND (m.state = 'waiting' OR m.due_at <= (SELECT v_now FROM r)) AND m.deadline_at <= (SELECT v_now FROM r) "
    "ORDER BY m.due_at LIMIT (SELECT v_places FROM r) {lock}) "
    f"UPDATE message SET {_LENT}, due_at = (SELECT v_now FROM r) + 60 FROM late WHERE message.seq = late.seq RETURNING {_CLAIMED}",
    returns=True,
    lock="FOR UPDATE OF m SKIP LOCKED",
    provider="text",
    now="float8",
    places="int8",
)

CLAIM_FINISHED = over(
    ", done AS MATERIALIZED (SELECT m.seq FROM message m WHERE m.provider = (SELECT v_provider FROM r) "  # noqa: S608 -- constants
    f"AND m.{DUE} AND (m.due_at IS NULL OR m.due_at <= (SELECT v_now FROM r)) "
    f"AND NOT EXISTS (SELECT 1 FROM message p WHERE p.part_of = m.message_id AND p.{UNSETTLED}) "
    "ORDER BY m.seq LIMIT (SELECT v_places FROM r) {lock}) "
    f"UPDATE message SET {_LENT}, due_at = (SELECT v_now FROM r) + 60 "
    f"FROM done WHERE message.seq = done.seq RETURNING {_CLAIMED}",
    returns=True,
    lock="FOR UPDATE OF m SKIP LOCKED",
    provider="text",
    now="float8",
    places="int8",
)
