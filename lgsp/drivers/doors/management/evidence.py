"""Evidence at the management door: parse, call an act, answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lgsp.acts import access, audit, compare, witness
from lgsp.drivers.doors.management.answers import Answer, json_answer, moment, seconds
from lgsp.evidence.batch import shown_head

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.ports.office import Office

NO_STORE = {"Cache-Control": "no-store"}


class EvidenceDesk:
    """One method for each operation; connexion passes `body`, path and query values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {
            "walkEvidence": self.walk,
            "compareLog": self.compare,
            "proveLeaves": self.prove,
            "exportLeaves": self.export,
            "reportEvidence": self.report,
            "rotateEvidenceKey": self.rotate,
            "eraseFields": self.erase,
            "findAccesses": self.accesses,
            "witnessHead": self.witness,
            "listWitnessed": self.witnessed,
        }

    async def walk(self, body: dict[str, Any]) -> Answer:
        """POST /evidence/walks."""
        verdict = await audit.verify(self._office, audit.Stretch(body["size"], tuple(body["front"]), body["batch"]))
        until, hub = verdict.until, self._office.evidence.hub
        facts: dict[str, Any] = {"size": until.size, "front": list(until.front), "batch": until.batch, "done": verdict.done}
        facts["heads"] = [shown_head(head, hub) for head in verdict.passed]
        return json_answer(facts if verdict.wrong is None else {**facts, "wrong": {"leaf": verdict.wrong[0], "reason": verdict.wrong[1]}})

    async def compare(self, body: dict[str, Any]) -> Answer:
        """POST /evidence/comparisons."""
        found = await compare.compare(self._office, body["size"], {"log": body["log"], "act": body["act"]})
        return json_answer(
            {"size": found.size, **found.read, "done": found.done, "differences": [asdict(each) for each in found.differences]}
        )

    async def prove(self, subject: str, user: str, withhold: list[str] | None = None) -> Answer:
        """GET /evidence/proofs/{subject}."""
        return json_answer(await audit.prove(self._office, subject, withhold or (), user), headers=NO_STORE)

    async def export(self, user: str, start: int = 0, end: int | None = None, withhold: list[str] | None = None) -> Answer:
        """GET /evidence/leaves."""
        return json_answer(await audit.export(self._office, (start, end), withhold or (), user), headers=NO_STORE)

    async def report(self, since: str = "", until: str = "") -> Answer:
        """GET /evidence/report."""
        told = {name: text for name, text in (("since", since), ("until", until)) if text}
        start, end = seconds(told, "since", 0.0), seconds(told, "until", self._office.now() + 1.0)
        return json_answer({"since": moment(start), "until": moment(end), **await audit.report(self._office, start, end)})

    async def rotate(self, user: str) -> Answer:
        """POST /evidence/keys."""
        return json_answer({"key": await audit.rotate(self._office, user)}, 201)

    async def erase(self, message_id: str, body: dict[str, Any], user: str) -> Answer:
        """POST /evidence/exchanges/{message_id}/erasures."""
        return json_answer({"leaves": await audit.erase(self._office, message_id, body["fields"], user)})

    async def witness(self, body: dict[str, Any]) -> Answer:
        """POST /evidence/witnessed; the signature is the credential."""
        await witness.witness(self._office, body)
        return json_answer({"size": body["size"], "root": body["root"]})

    async def witnessed(self, hub: str, after: int = 0, limit: int = 1000) -> Answer:
        """GET /evidence/witnessed."""
        return json_answer([shown_head(head, hub) for head in await witness.witnessed(self._office, hub, after, limit)])

    async def accesses(self, body: dict[str, Any], user: str) -> Answer:
        """POST /evidence/accesses; whose is in the body, so that it stands in no address."""
        until = seconds(body, "until", float("inf"))
        asked = access.Asked(body["by"], body["value"], seconds(body, "since", 0.0), until)
        found, scope = await access.accesses(self._office, asked, user)
        facts = {"hub": self._office.evidence.hub, "at": moment(self._office.now()), "accesses": [_access(each) for each in found]}
        return json_answer({**facts, "scope": asdict(scope)}, headers=NO_STORE)


def _access(found: access.Access) -> dict[str, Any]:
    texts = found.fields
    times = dict(part.split("=", 1) for part in texts.get("times", "").split())
    named = (
        "consumer",
        "represented",
        "official",
        "purpose",
        "basis",
        "public_service",
        "dossier",
        "operation",
        "provider",
        "outcome",
        "message",
    )
    told: dict[str, Any] = {name: texts.get(name, "") for name in named}
    return {
        **told,
        "leaf": found.leaf,
        "agency": found.agency,
        "at": times.get("requestIn", ""),
        "fields": texts.get("released", "").split(),
    }
