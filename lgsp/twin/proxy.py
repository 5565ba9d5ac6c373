"""Stands before a real provider and holds both sides to the contract: a wrong request never reaches it, a wrong answer never leaves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from lgsp.codec import json
from lgsp.errors import Fault, JsonError, Violation
from lgsp.twin.rest import Answer, RestTwin

if TYPE_CHECKING:
    from lgsp.contract.openapi.read import OpenApi
    from lgsp.twin.rest import Asked, Route

HOP_BY_HOP = frozenset({"connection", "host", "content-length", "transfer-encoding", "keep-alive", "te", "trailer", "upgrade", "expect"})
TIMEOUT_S = 60.0
ANSWER_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Provider:
    """Where the real provider is: `http(s)://host[:port][/prefix]`."""

    address: str

    def send(self, asked: Asked) -> Answer:
        """Its answer, asked once, with a timeout and no redirect; raises Fault. Blocks: for a thread."""
        parts = urlsplit(self.address)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        target = parts.path.rstrip("/") + asked.path + (f"?{urlencode(asked.query)}" if asked.query else "")
        try:
            headers = {name: value for name, value in asked.headers.items() if name not in HOP_BY_HOP}
            connection.request(asked.method, target, asked.body or None, {**headers, "accept-encoding": "identity"})
            response = connection.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP | {"content-type"}}
            return Answer(response.status, response.getheader("Content-Type", ""), response.read(ANSWER_BYTES), kept)
        except (OSError, HTTPException) as error:
            raise Fault("provider-unreachable", type(error).__name__) from error
        finally:
            connection.close()


class ContractProxy(RestTwin):
    """The contract in front of its provider."""

    def __init__(self, contract: OpenApi, address: str) -> None:
        super().__init__(contract)
        self._provider = Provider(address)

    async def answer(self, route: Route, asked: Asked) -> Answer:
        """The provider's own answer, if it keeps the contract."""
        answer = await asyncio.to_thread(self._provider.send, asked)
        violations = _violations(route, answer)
        if violations:
            raise Fault("provider-reply-invalid", route.operation.name, errors=violations)
        return answer


def _violations(route: Route, answer: Answer) -> list[Violation]:
    """What in the answer breaks the contract: its status, its media type, its body where a good answer has a schema."""
    responses = route.described.get("responses", {})
    declared = next((responses[each] for each in (str(answer.status), f"{answer.status // 100}XX", "default") if each in responses), None)
    if declared is None:
        return [Violation("", f"status {answer.status} is not in the contract", "status")]
    media = answer.media_type.partition(";")[0].strip().lower()
    offered = {each.partition(";")[0].strip().lower() for each in declared.get("content", {})}
    if offered and media not in offered:
        return [Violation("", f"{media or 'no media type'} is not in the contract", "media-type")]
    if not offered or not media.endswith("json") or answer.status >= 300:  # noqa: PLR2004  # refusals have no compiled check
        return []
    try:
        return list(route.operation.check_reply(json.decode(answer.body)))
    except JsonError as error:
        return [error.violation]
