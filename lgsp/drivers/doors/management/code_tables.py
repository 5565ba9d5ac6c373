"""Code tables at the management door: parse, call an act, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.acts import code_tables
from lgsp.drivers.doors.management.answers import Answer, json_answer, moment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.model.code_tables import CodeRow
    from lgsp.ports.office import Office


class CodeTableDesk:
    """One method for each operation; connexion passes `body`, path values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {"showCodeTable": self.show, "proposeRow": self.propose, "decideRow": self.decide}

    async def show(self, service: str, table: str) -> Answer:
        """GET /code-tables/{service}/{table}."""
        found, added = await code_tables.rows(self._office, service, table)
        return json_answer({"name": found.name, "published": [dict(each) for each in found.rows], "added": [_row(each) for each in added]})

    async def propose(self, service: str, table: str, body: dict[str, Any], user: str) -> Answer:
        """POST /code-tables/{service}/{table}/rows."""
        return json_answer(_row(await code_tables.propose(self._office, code_tables.Proposal(service, table, **body), user)), 201)

    async def decide(self, service: str, table: str, row_id: str, body: dict[str, str], user: str) -> Answer:
        """POST /code-tables/{service}/{table}/rows/{row_id}/decisions."""
        act = code_tables.approve if body["decision"] == "approve" else code_tables.reject
        return json_answer(_row(await act(self._office, service, table, row_id, user)))


def _row(row: CodeRow) -> dict[str, Any]:
    facts = {"id": row.id, **row.as_published, "state": row.state.value, "reason": row.reason, "author": row.author, "at": moment(row.at)}
    return facts if row.decided_at is None else {**facts, "decided_by": row.decided_by, "decided_at": moment(row.decided_at)}
