"""Calls through an X-Road security server: how they are addressed, and what its answers and faults mean.

In SOAP the answer must repeat our header and carry the hash of our bytes. In REST that hash is made over headers as the server sends them
on, which nobody outside can make again (pr-rest 4.3): there the answer is held against our request by id, client and service.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lxml import etree
from yarl import URL

from lgsp.codec import json
from lgsp.codec.soap.fragment import parse
from lgsp.codec.xroad import Passport, check_answer, forwarded, rest_headers, rest_path, with_header
from lgsp.errors import CodecError, OutcomeUnknown
from lgsp.model.agreed import SoapFault
from lgsp.policy.xroad import fault_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.drivers.outbound.connection import Answer
    from lgsp.model.agreed import Call, Provider, XRoad
    from lgsp.model.happening import Exchange

ERROR = "x-road-error"
ERROR_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Letter:
    """One request before it is sent; a URL is sent as it is encoded, a text aiohttp may encode in its own way.

    path: behind the provider's address, with the query.
    """

    url: str | URL
    headers: Mapping[str, str]
    content: bytes
    path: str


def addressed(letter: Letter, call: Call, bound: Mapping[str, str], exchange: Exchange) -> Letter:
    """The letter on the road that the provider's binding declares; as it is where it is called directly."""
    provider = exchange.operation.provider
    if provider.forward is not None:
        rule = provider.forward
        url = forwarded(bound["address"], rule.path + letter.path, bound[rule.destination], bound[rule.provider_url])
        return replace(letter, url=URL(url, encoded=True))
    if provider.xroad is None:
        return letter
    passport = _passport(provider.xroad, call, bound, exchange)
    if provider.kind == "rest":
        headers = {**letter.headers, "Accept": "application/json", **rest_headers(passport)}
        url = bound["address"] + rest_path(passport.service) + letter.path
        return replace(letter, url=URL(url, encoded=True), headers=headers)
    return replace(letter, content=with_header(letter.content, passport))


def _passport(road: XRoad, call: Call, bound: Mapping[str, str], exchange: Exchange) -> Passport:
    """User, issue and party are what the consumer said about its purpose; X-Road keeps them in its own log, as evidence."""
    purpose = exchange.purpose
    version = f"/{road.version}" if road.version else ""
    service = f"{bound[road.provider]}/{road.service or call.name}{version}"
    return Passport(bound[road.client], service, exchange.message_id, purpose.official, purpose.dossier, purpose.represented_party)


def judge_road(answer: Answer, letter: Letter, provider: Provider) -> None:
    """Raise what X-Road itself says; an answer without X-Road-Error is the provider's (pr-rest 4.5)."""
    if provider.xroad is None and provider.forward is None:
        return
    if ERROR in answer.headers:
        raise fault_of(_code(answer)) or OutcomeUnknown("provider-not-understood", "an X-Road error that is not in the table")
    if provider.xroad is None or provider.kind != "rest":
        return
    for name in ("X-Road-Id", "X-Road-Client"):
        if answer.headers.get(name.lower(), letter.headers[name]) != letter.headers[name]:
            raise OutcomeUnknown("provider-not-understood", f"{name} of the answer is not that of the request")


def judge_envelope(answer: Answer, sent: bytes, provider: Provider) -> None:
    """Header and hash of a SOAP answer; CodecError."""
    if provider.xroad is not None and provider.kind == "soap" and answer.body:
        check_answer(sent, answer.body)


def judge_fault(reply: Any, provider: Provider) -> None:
    """Raise what a fault of X-Road's own means; the provider's own faults stay answers."""
    if provider.xroad is not None and isinstance(reply, SoapFault):
        fault = fault_of(reply.code)
        if fault is not None:
            raise fault


def _code(answer: Answer) -> str:
    """The code as the body says it (JSON or XML), or the header."""
    body = answer.body[:ERROR_BYTES]
    try:
        if body.lstrip().startswith(b"<"):
            found: Any = next((each.text for each in parse(body).iter() if etree.QName(each).localname == "type"), None)
        else:
            said = json.decode(body)
            found = said.get("type") if isinstance(said, dict) else None
    except CodecError:
        found = None
    return found if isinstance(found, str) and found else answer.headers[ERROR]
