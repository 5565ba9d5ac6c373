"""Receipts at the data door: one by its id, the feed of those that came to rest, and the answer that `Prefer: wait` may bring at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lgsp.codec import json
from lgsp.codec.receipt import report
from lgsp.drivers.doors.problems import problem_reply
from lgsp.errors import Fault, Violation
from lgsp.model.agreed import Pattern
from lgsp.model.happening import Reply, State
from lgsp.policy.drain import again_s
from lgsp.stages.identify import identify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.happening import Message, Receipt
    from lgsp.ports.engine import Ports

PATH = "/receipts"
UNDER_WAY = frozenset({State.ACCEPTED, State.WAITING, State.DELIVERING})
LONGEST_WAIT_S = 30
PAGE, LARGEST_PAGE = 50, 100
AGAIN = ("Retry-After", "2")
LAST_NUMBER = 2**63 - 1
WAIT = re.compile(r'(?:^|[,;])\s*wait\s*=\s*"?([0-9]{1,6})"?\s*(?=[,;]|$)', re.IGNORECASE)


def preferred_wait_s(prefer: str) -> int:
    """Seconds that a caller would wait (RFC 7240 section 4.3), up to the hub's own limit; 0 where it says nothing."""
    found = WAIT.search(prefer)
    return min(int(found[1]), LONGEST_WAIT_S) if found else 0


class ReceiptDoor:
    """What a consumer asks about its own messages; another's are not there."""

    def __init__(self, ports: Ports, issuer: str) -> None:
        self._ports = ports
        self._issuer = issuer

    async def answer(self, message: Message, language: str) -> Reply:
        """GET /receipts (the feed, or by business key) and GET /receipts/{id}."""
        if message.method != "GET":
            raise Fault("method-not-allowed", headers=(("Allow", "GET"),))
        consumer = identify(message, self._ports).id
        if message.path == PATH and message.business_key:
            found = await self._ports.receipts.about(message.business_key, consumer, LARGEST_PAGE)
            return _told({"receipts": [report(each, language, self._issuer) for each in found]}, language)
        if message.path == PATH:
            return self._page(await self._ports.receipts.feed(consumer, *_place(message.query)), message.query, language)
        receipt = await self._ports.receipts.receipt(message.path.removeprefix(PATH + "/"), consumer)
        if receipt is None:
            raise Fault("not-found")
        more = (self._again(receipt),) if receipt.state in UNDER_WAY else ()
        return _told(report(receipt, language, self._issuer, await self._parts(receipt)), language, *more)

    async def _parts(self, receipt: Receipt) -> Sequence[Receipt]:
        """How a publication stands at each subscriber."""
        operation = self._ports.catalogue.current().operations.get((receipt.service, receipt.major, receipt.operation))
        is_publication = operation is not None and operation.pattern is Pattern.PUBLISH
        return await self._ports.receipts.parts(receipt.message_id) if is_publication else ()

    def _again(self, receipt: Receipt) -> tuple[str, str]:
        """When to ask again, by how fast the provider's backlog goes."""
        operation = self._ports.catalogue.current().operations.get((receipt.service, receipt.major, receipt.operation))
        return (AGAIN[0], str(again_s(self._ports.drains.drain(operation.provider.code)))) if operation else AGAIN

    async def in_time(self, accepted: Reply, message: Message, prefer: str, language: str) -> Reply:
        """The final answer of a message that was just accepted, if it comes while its sender would wait; else its receipt."""
        wait_s = preferred_wait_s(prefer)
        message_id = dict(accepted.headers).get("Location", "").removeprefix(PATH + "/")
        if not wait_s or not message_id:
            return accepted
        await self._ports.watchers.wait(message_id, wait_s)
        receipt = await self._ports.receipts.receipt(message_id, identify(message, self._ports).id)
        kept = [pair for pair in accepted.headers if pair[0] not in {"Content-Type", AGAIN[0]}]
        applied = Reply(accepted.status, accepted.body, (*accepted.headers, ("Preference-Applied", f"wait={wait_s}")))
        if receipt is None or receipt.state in UNDER_WAY:
            return applied
        final = self._final(receipt, message, language)
        return Reply(final.status, final.body, (*final.headers, *kept, ("Preference-Applied", f"wait={wait_s}")))

    def _final(self, receipt: Receipt, message: Message, language: str) -> Reply:
        """As a caller of a look-up would hear it; a message at rest whose end is open keeps its receipt."""
        answer = receipt.reply if receipt.reply not in {None, b"null"} else None
        if receipt.state is State.DELIVERED and answer is not None:
            return Reply(200, answer, (("Content-Type", "application/json"),))
        if receipt.state is State.REFUSED and receipt.cause:
            fault = Fault(receipt.cause, receipt.detail, extra=json.decode(answer) if answer else {})
            return problem_reply(fault, language, self._issuer, receipt.message_id, message.trace_id)
        body = {"id": receipt.message_id, "state": receipt.state, "href": f"{PATH}/{receipt.message_id}"}
        return Reply(202, json.encode(body), (("Content-Type", "application/json"), AGAIN))

    def _page(self, receipts: Sequence[Receipt], query: Mapping[str, str], language: str) -> Reply:
        since, limit = _place(query)
        following = receipts[-1].number if receipts else since
        documents = [report(receipt, language, self._issuer) for receipt in receipts]
        page = {"receipts": documents, "next": str(following), "more": len(receipts) == limit}
        return _told(page, language, ("Link", f'<{PATH}?since={following}&limit={limit}>; rel="next"'))


def _place(query: Mapping[str, str]) -> tuple[int, int]:
    """The number to go on from, and how many."""
    wrong = [Violation(f"/query/{name}", "is not known here", "unknown") for name in query.keys() - {"since", "limit"}]
    since, limit = query.get("since", "0"), query.get("limit", str(PAGE))
    if not (since.isascii() and since.isdecimal() and int(since[:20]) <= LAST_NUMBER):
        wrong.append(Violation("/query/since", "is no `next` of an earlier page", "cursor"))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:4]) <= LARGEST_PAGE):
        wrong.append(Violation("/query/limit", f"is no whole number from 1 to {LARGEST_PAGE}", "range"))
    if wrong:
        raise Fault("parameter-invalid", errors=wrong)
    return int(since), int(limit)


def _told(document: object, language: str, *more: tuple[str, str]) -> Reply:
    headers = (("Content-Type", "application/json"), ("Content-Language", language), ("Vary", "Accept-Language"))
    return Reply(200, json.encode(document), (*headers, ("Cache-Control", "no-store"), *more))
