"""The hot statements: SQL over a set of rows, the same text for SQLite and PostgreSQL.

The rows stand at `{rows}`: for SQLite VALUES, for PostgreSQL unnest of one array for each column; so a batch of any size is one statement.
An insert takes them as they are (on SQLite 5 us a row cheaper than by way of a table expression); every other statement reads them from
`r`, a common table expression whose columns carry the prefix `v_`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from lgsp.drivers.store.tables import SUPERSEDABLE
from lgsp.policy.retry import NOT_MADE

Row = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Statement:
    """`columns` name the values of a row with their PostgreSQL types; `returns`: whether rows come back; `lock`: PostgreSQL's row lock.

    adds: it only inserts, whatever other statements do.
    """

    columns: tuple[tuple[str, str], ...]
    body: str
    returns: bool = False
    lock: str = ""
    adds: bool = False

    @lru_cache(maxsize=512)  # noqa: B019 -- the statements are module constants: nothing is kept alive that would go
    def sqlite(self, rows: int) -> str:
        """The text for this many rows; their values follow one another."""
        marks = f"({', '.join('?' * len(self.columns))})"
        return self.body.replace("{rows}", f"VALUES {', '.join([marks] * rows)}").replace("{lock}", "")

    def postgresql(self, first: int = 1) -> str:
        """The text for arrays of values, one for each column; `first`: the number of the first of them."""
        arrays = ", ".join(f"${place}::{kind}[]" for place, (_, kind) in enumerate(self.columns, first))
        every = f"SELECT * FROM unnest({arrays})"  # noqa: S608 -- place holders and types of this file only
        return self.body.replace("{rows}", every).replace("{lock}", self.lock)


def over(body: str, *, returns: bool = False, recursive: bool = False, lock: str = "", **columns: str) -> Statement:
    """A statement that reads its rows from `r`."""
    names = ", ".join(f"v_{name}" for name in columns)
    text = f"WITH {'RECURSIVE ' if recursive else ''}r({names}) AS ({{rows}}){body}"
    return Statement(tuple(columns.items()), text, returns, lock)


def _insert(table: str, tail: str = "", returns: str = "", **columns: str) -> Statement:
    names = ", ".join(columns)
    back = f" RETURNING {returns}" if returns else ""
    body = f"INSERT INTO {table} ({names}) {{rows}} {tail}{back}"
    return Statement(tuple(columns.items()), body, bool(returns), adds=not (tail or returns))


LOG = _insert(
    "log",
    message_id="uuid",
    event="text",
    attempt="int4",
    at="float8",
    consumer="text",
    service="text",
    operation="text",
    trace_id="text",
    digest="bytea",
    provider="text",
    purpose="text",
    outcome="text",
    status="int2",
    blame="text",
    cause="text",
    duration_us="int8",
    stages="text",
    settled="text",
)

MESSAGE = _insert(
    "message",
    message_id="uuid",
    consumer="text",
    service="text",
    major="int4",
    operation="text",
    provider="text",
    purpose="text",
    digest="text",
    order_mark="bytea",
    business_mark="bytea",
    accepted_at="float8",
    deadline_at="float8",
    trace_id="text",
    state="text",
    due_at="float8",
    part_of="uuid",
    skips_dead="bool",
    ready="bool",
)

PAYLOAD = _insert("payload", message_id="uuid", request="bytea", expires_at="float8")

TAKE_KEY = _insert(
    "idempotency",
    "ON CONFLICT (consumer, operation, key_mark) DO UPDATE SET fingerprint = excluded.fingerprint, message_id = excluded.message_id, "
    "state = excluded.state, reply = excluded.reply, claimed_at = excluded.claimed_at, expires_at = excluded.expires_at "
    "WHERE idempotency.expires_at <= excluded.claimed_at",
    "consumer, operation, key_mark",
    consumer="text",
    operation="text",
    key_mark="bytea",
    fingerprint="bytea",
    message_id="uuid",
    state="text",
    reply="bytea",
    claimed_at="float8",
    expires_at="float8",
)

KEY_HOLDER = over(
    " SELECT consumer, operation, key_mark, message_id, fingerprint, state, reply, claimed_at FROM idempotency JOIN r "
    "ON consumer = v_consumer AND operation = v_operation AND key_mark = v_key_mark",
    returns=True,
    consumer="text",
    operation="text",
    key_mark="bytea",
)

FINISH_KEY = over(
    " UPDATE idempotency SET state = v_state, reply = v_reply FROM r "
    "WHERE consumer = v_consumer AND operation = v_operation AND key_mark = v_key_mark AND message_id = v_message_id",
    consumer="text",
    operation="text",
    key_mark="bytea",
    message_id="uuid",
    state="text",
    reply="bytea",
)

RELEASE_KEY = over(
    " DELETE FROM idempotency WHERE (consumer, operation, key_mark, message_id) "
    "IN (SELECT v_consumer, v_operation, v_key_mark, v_message_id FROM r)",
    consumer="text",
    operation="text",
    key_mark="bytea",
    message_id="uuid",
)

_SPARED = ", ".join(f"'{slug}'" for slug in sorted(NOT_MADE))
SETTLE = over(
    " UPDATE message SET state = v_state, due_at = v_due_at, settled_at = v_settled_at, blame = v_blame, cause = v_cause, "  # noqa: S608 -- constants
    f"attempts = attempts - CASE WHEN v_state = 'waiting' AND v_cause IN ({_SPARED}) THEN 1 ELSE 0 END, "
    "detail = v_detail, denials = 0, feed_no = NULL, ready = false FROM r "
    "WHERE message_id = v_message_id AND state = 'delivering' AND lease = v_lease "
    "RETURNING message_id, lease",
    returns=True,
    message_id="uuid",
    lease="int8",
    state="text",
    due_at="float8",
    settled_at="float8",
    blame="text",
    cause="text",
    detail="text",
)

RESOLVE = over(
    " UPDATE message SET state = v_state, due_at = v_due_at, settled_at = v_settled_at, blame = v_blame, cause = v_cause, "
    "attempts = attempts - CASE WHEN v_state = 'waiting' THEN 1 ELSE 0 END, "
    "detail = v_detail, denials = v_denials, feed_no = CASE WHEN v_state = 'unknown' THEN feed_no END FROM r "
    "WHERE message_id = v_message_id AND state = 'unknown' AND lease = v_lease "
    "RETURNING message_id, lease",
    returns=True,
    message_id="uuid",
    lease="int8",
    state="text",
    due_at="float8",
    settled_at="float8",
    blame="text",
    cause="text",
    detail="text",
    denials="int4",
)

SUPERSEDE = over(
    " UPDATE message SET state = 'superseded', due_at = NULL, settled_at = v_at, feed_no = NULL FROM r "  # noqa: S608 -- constants
    "WHERE message_id = v_message_id AND consumer = v_consumer AND service = v_service AND major = v_major "
    f"AND operation = v_operation AND (order_mark = v_order_mark OR (order_mark IS NULL AND v_order_mark IS NULL)) AND {SUPERSEDABLE} "
    "RETURNING seq",
    returns=True,
    message_id="uuid",
    successor="uuid",
    at="float8",
    consumer="text",
    service="text",
    major="int4",
    operation="text",
    order_mark="bytea",
)
"""The corrected message of the same consumer, operation and order key takes the place of one that is not under way."""

_OLD, _NEW = "message_id = v_message_id", "message_id = v_successor"
_STEPS = ((f"-(SELECT n.seq FROM message n WHERE n.{_NEW})", _OLD), ("v_seq", _NEW), ("-seq", _OLD))  # noqa: S608 -- constants
SWAP = tuple(
    over(f" UPDATE message SET seq = {number} FROM r WHERE {whose}", message_id="uuid", successor="uuid", seq="int8")  # noqa: S608
    for number, whose in _STEPS
)
"""The successor takes the predecessor's number, and so its place in the order, and gives it its own; no two have one even for a moment."""

FORGET_DOUBTS = over(
    " DELETE FROM call WHERE NOT finished AND message_id IN (SELECT v_message_id FROM r) "
    "AND NOT EXISTS (SELECT 1 FROM call d WHERE d.message_id = call.message_id AND d.name = call.name AND d.finished)",
    message_id="uuid",
)
"""The provider, or a person, says that what was begun had no effect."""

REPLY = over(
    " UPDATE payload SET reply = v_reply FROM r WHERE message_id = v_message_id",
    message_id="uuid",
    reply="bytea",
)

CALL = over(
    " INSERT INTO call (message_id, lease, attempt, at, name, finished) SELECT v_message_id, v_lease, v_attempt, v_at, v_name, v_finished "
    "FROM r WHERE EXISTS (SELECT 1 FROM message m WHERE m.message_id = v_message_id AND m.state = 'delivering' AND m.lease = v_lease "
    "{lock}) RETURNING message_id, lease",
    returns=True,
    lock="FOR NO KEY UPDATE OF m",
    message_id="uuid",
    lease="int8",
    attempt="int4",
    at="float8",
    name="text",
    finished="bool",
)
"""Locked until it is committed: of a worker that begins a call as its lease ends and one that claims the message, one sees the other."""

FORGET_CALLS = over(
    " DELETE FROM call WHERE NOT finished AND (message_id, lease) IN (SELECT v_message_id, v_lease FROM r) "
    "AND NOT EXISTS (SELECT 1 FROM call d WHERE d.message_id = call.message_id AND d.name = call.name AND d.finished)",
    message_id="uuid",
    lease="int8",
)

OWE = over(
    " UPDATE callback SET fed = v_until FROM r WHERE consumer = v_consumer AND fed = v_since RETURNING consumer, fed",
    returns=True,
    consumer="text",
    until="int8",
    since="int8",
)

REQUEST = over(
    " SELECT message_id, request FROM payload JOIN r ON message_id = v_message_id",
    returns=True,
    message_id="uuid",
)

CALLS = over(
    " SELECT message_id, name, finished FROM call JOIN r ON message_id = v_message_id",
    returns=True,
    message_id="uuid",
)

LEASE = over(
    " INSERT INTO quota (consumer, service, window_at, allowed, used, granted) "
    "SELECT v_consumer, v_service, v_window_at, v_allowed, v_granted, v_granted FROM r WHERE true "
    "ON CONFLICT (consumer, service, window_at) DO UPDATE SET allowed = excluded.allowed, "
    "granted = CASE WHEN quota.used >= excluded.allowed THEN 0 WHEN quota.used + excluded.granted > excluded.allowed "
    "THEN excluded.allowed - quota.used ELSE excluded.granted END, "
    "used = CASE WHEN quota.used >= excluded.allowed THEN quota.used WHEN quota.used + excluded.granted > excluded.allowed "
    "THEN excluded.allowed ELSE quota.used + excluded.granted END RETURNING granted",
    returns=True,
    consumer="text",
    service="text",
    window_at="int8",
    allowed="int8",
    granted="int8",
)

REFUSALS = _insert(
    "refusal_count",
    "ON CONFLICT (source, minute, slug) DO UPDATE SET count = refusal_count.count + excluded.count",
    source="text",
    minute="int8",
    slug="text",
    count="int8",
)
