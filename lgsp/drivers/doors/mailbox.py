"""The mailbox at the data door: a subsystem lists, fetches and confirms what is kept for it; at least once until it confirms.

GET  /mailbox                      what is kept for whoever asks, in the order of arrival, without content
POST /mailbox/fetches              the next ones with content, leased: {"limit"?, "leaseSeconds"?}
GET  /mailbox/{id}                 one with content: as it was fetched last, or, if nobody holds it and it is its turn, without keeping it
POST /mailbox/{id}/confirmation    {"lease"?, "reply"?}
POST /mailbox/{id}/refusal         {"reason", "lease"?}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp import exchange
from lgsp.codec import json
from lgsp.codec.receipt import instant
from lgsp.errors import Fault, JsonError, Violation
from lgsp.model.agreed import MAILBOX
from lgsp.model.happening import Reply, State
from lgsp.stages.hand_over import confirmed, refused
from lgsp.stages.identify import identify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.happening import Due, Kept, Message, Stored
    from lgsp.ports.engine import Ports

PATH = "/mailbox"
PAGE, LARGEST_PAGE = 20, 100
LEASE_S, LONGEST_LEASE_S = 60, 3600
LONGEST_REASON = 500
FETCHED = {"limit": (PAGE, LARGEST_PAGE), "leaseSeconds": (LEASE_S, LONGEST_LEASE_S)}


class MailboxDoor:
    """What is kept for a subsystem; another's is not there."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def answer(self, message: Message) -> Reply:
        """Any request below /mailbox."""
        mine = self._boxes(message)
        parts = message.path.removeprefix(PATH).strip("/").split("/")
        match message.method, parts:
            case "GET", [""]:
                found = await self._ports.mailboxes.kept(mine, LARGEST_PAGE + 1)
                return _told({"messages": [_listed(each) for each in found[:LARGEST_PAGE]], "more": len(found) > LARGEST_PAGE})
            case "POST", ["fetches"]:
                return await self._fetch(mine, _numbers(_body(message, FETCHED.keys())))
            case "GET", [message_id]:
                return await self._show(await self._find(message_id, mine))
            case "POST", [message_id, "confirmation"]:
                body = _body(message, {"lease", "reply"})
                return await self._conclude(await self._find(message_id, mine), body, State.DELIVERED)
            case "POST", [message_id, "refusal"]:
                body = _body(message, {"lease", "reason"})
                return await self._conclude(await self._find(message_id, mine), body, State.REFUSED)
        raise Fault("not-found")

    def _boxes(self, message: Message) -> Sequence[str]:
        consumer = identify(message, self._ports).id
        providers = self._ports.catalogue.current().providers.values()
        return [provider.code for provider in providers if provider.kind == MAILBOX and provider.system == consumer]

    async def _find(self, message_id: str, mine: Sequence[str]) -> Kept:
        kept = await self._ports.mailboxes.find(message_id)
        if kept is None or kept.provider not in mine:
            raise Fault("not-found")
        return kept

    async def _fetch(self, mine: Sequence[str], wanted: Mapping[str, int]) -> Reply:
        """Leased: nobody else gets them before the lease is over; of one order key only the first."""
        found: list[Due] = []
        for code in mine:
            places = wanted["limit"] - len(found)
            found += await self._ports.outbox.claim(code, places, self._ports.now(), float(wanted["leaseSeconds"])) if places > 0 else ()
        return _told({"messages": [_opened(due) for due in found if await exchange.hand_over(due, self._ports)]})

    async def _show(self, kept: Kept) -> Reply:
        """Whoever fetched it keeps their lease, and is shown it again; the order is kept."""
        now, boxes = self._ports.now(), self._ports.mailboxes
        is_leased = kept.state is State.DELIVERING and kept.due_at is not None and kept.due_at > now
        due = await (boxes.holding(kept.message_id, kept.lease) if is_leased else boxes.take(kept.message_id, now))
        if due is None and kept.state is State.WAITING:
            raise Fault("not-its-turn")
        if due is None or not await exchange.hand_over(due, self._ports):
            raise Fault("not-found")
        return _told(_opened(due))

    async def _conclude(self, kept: Kept, body: Mapping[str, Any], state: State) -> Reply:
        """The attempt goes on as any other, with the addressee's word as the provider's answer; saying it again changes nothing."""
        if kept.state is state:
            return _told({"id": kept.message_id, "state": state})
        if kept.state is State.WAITING:
            raise Fault("not-fetched")
        due = await self._ports.mailboxes.holding(kept.message_id, body.get("lease", kept.lease))
        if due is None:
            raise Fault("lease-lost")
        ports = confirmed(self._ports, self._answer(kept, body)) if state is State.DELIVERED else refused(self._ports, _reason(body))
        if not await exchange.deliver_due(due, ports):
            raise Fault("lease-lost")
        settled = await self._ports.mailboxes.find(kept.message_id)
        if settled is None or settled.state is not state:
            raise Fault("right-withdrawn")
        return _told({"id": kept.message_id, "state": state})

    def _answer(self, kept: Kept, body: Mapping[str, Any]) -> Any:
        """What goes back to the sender, by the operation's contract."""
        operation = self._ports.catalogue.current().operations.get((kept.service, kept.major, kept.operation))
        violations = operation.check_reply(body.get("reply")) if operation is not None else ()
        if violations:
            raise Fault("body-invalid", errors=[Violation(f"/reply{each.pointer}", each.detail, each.code) for each in violations])
        return body.get("reply")


def _listed(kept: Kept) -> dict[str, Any]:
    leased = {"leasedUntil": instant(kept.due_at)} if kept.state is State.DELIVERING else {}
    return {**_heading(kept), "state": kept.state, "attempts": kept.attempts, **leased}


def _opened(due: Due) -> dict[str, Any]:
    stored, purpose = due.stored, due.stored.purpose
    why = {"slug": purpose.slug, "official": purpose.official, "publicService": purpose.public_service, "dossier": purpose.dossier}
    told = {name: value for name, value in why.items() if value is not None}
    content = {"purpose": told, "parameters": stored.parameters, "request": json.decode(stored.request)}
    return {**_heading(stored), "attempt": due.attempt, "lease": due.lease, **content}


def _heading(message: Kept | Stored) -> dict[str, Any]:
    times = {"acceptedAt": instant(message.accepted_at), "expiresAt": instant(message.deadline_at)}
    name = message.operation.partition("@")[0]  # what follows names the subscriber
    return {"id": message.message_id, "service": message.service, "operation": name, "sender": message.consumer, **times}


def _body(message: Message, known: Any) -> dict[str, Any]:
    """A JSON object that has no other members; no body is an empty one."""
    if not message.body:
        return {}
    if message.media_type != "application/json":
        raise Fault("media-type-unsupported", "expected application/json")
    try:
        body = json.decode(message.body)
    except JsonError as error:
        raise Fault("malformed-body", str(error)) from error
    wrong = [Violation("", "is no object", "type")] if not isinstance(body, dict) else []
    wrong += [Violation(f"/{name}", "is not known here", "unknown") for name in (body if not wrong else ()) if name not in known]
    if not wrong and "lease" in body and type(body["lease"]) is not int:
        wrong.append(Violation("/lease", "is no whole number", "type"))
    if wrong:
        raise Fault("body-invalid", errors=wrong)
    return dict(body)


def _numbers(body: Mapping[str, Any]) -> Mapping[str, int]:
    wrong = [
        Violation(f"/{name}", f"is no whole number from 1 to {most}", "range")
        for name, (_, most) in FETCHED.items()
        if name in body and not (type(body[name]) is int and 1 <= body[name] <= most)
    ]
    if wrong:
        raise Fault("body-invalid", errors=wrong)
    return {name: body.get(name, usual) for name, (usual, _) in FETCHED.items()}


def _reason(body: Mapping[str, Any]) -> str:
    reason = body.get("reason")
    if not isinstance(reason, str) or not 1 <= len(reason) <= LONGEST_REASON:
        raise Fault("body-invalid", errors=[Violation("/reason", f"is no text of 1 to {LONGEST_REASON} characters", "required")])
    return reason


def _told(document: object) -> Reply:
    return Reply(200, json.encode(document), (("Content-Type", "application/json"), ("Cache-Control", "no-store")))
