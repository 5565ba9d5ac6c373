"""The management API: parse, call an act, answer; contracts/management.yaml says what, the stack says who may."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from connexion import request

from lgsp.acts import explain, grant, people, register, replay, status
from lgsp.drivers.doors.management.answers import Answer, dead_group
from lgsp.drivers.doors.management.answers import json_answer as _json
from lgsp.drivers.doors.management.answers import moment as _moment
from lgsp.drivers.doors.management.answers import seconds as _seconds
from lgsp.drivers.doors.management.at_rest import AtRestDesk
from lgsp.drivers.doors.management.channels import ChannelDesk
from lgsp.drivers.doors.management.code_tables import CodeTableDesk
from lgsp.drivers.doors.management.conformity import ConformityDesk
from lgsp.drivers.doors.management.corrections import CorrectionDesk
from lgsp.drivers.doors.management.editions import EditionDesk
from lgsp.drivers.doors.management.enrolment import EnrolmentDesk
from lgsp.drivers.doors.management.evidence import EvidenceDesk
from lgsp.drivers.doors.management.samples import SampleDesk
from lgsp.drivers.doors.management.stack import strict_app
from lgsp.drivers.doors.management.steering import SteeringDesk
from lgsp.drivers.doors.management.usage import UsageDesk
from lgsp.drivers.doors.problems import language_of, problem_reply
from lgsp.model.agreed import Quota
from lgsp.model.parties import Consumer, Right, SubsystemId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import ASGIApp

    from lgsp.errors import Fault
    from lgsp.model.agreed import Service
    from lgsp.model.happening import Reply
    from lgsp.ports.office import Act, Office

CONTRACT = Path(__file__).parents[4] / "contracts" / "management.yaml"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def management_app(
    office: Office,
    metrics: Callable[[], bytes],
    ready: Callable[[], Awaitable[Mapping[str, bool]]],
    issuer: str = "https://lgsp.example",
) -> ASGIApp:
    """The ASGI app of port 8090. metrics: called in a thread. ready: what the hub needs, by name, and whether it is there."""
    document = yaml.load(CONTRACT.read_bytes(), Loader=yaml.CSafeLoader)

    def tell(fault: Fault, language: str) -> Reply:
        message_id = office.new_id()
        return problem_reply(fault, language, issuer, message_id, message_id.replace("-", ""))

    return strict_app(document, Desk(office, metrics, ready).operations(), partial(people.who, office), tell)


class Desk:
    """One method for each operation of the contract; connexion passes `body`, path and query values, and `user`, the author."""

    def __init__(self, office: Office, metrics: Callable[[], bytes], ready: Callable[[], Awaitable[Mapping[str, bool]]]) -> None:
        self._office = office
        self._metrics = metrics
        self._ready = ready

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {
            "signIn": self.sign_in,
            "whoAmI": self.who_am_i,
            "addPerson": self.add_person,
            "listConsumers": self.list_consumers,
            "addConsumer": self.add_consumer,
            "addSecret": self.add_secret,
            "setActive": self.set_active,
            "listRights": self.list_rights,
            "grantRight": self.grant_right,
            "withdrawRight": self.withdraw_right,
            "listServices": self.list_services,
            "showStatus": self.show_status,
            "listActs": self.list_acts,
            "listDead": self.list_dead,
            "showMessage": self.show_message,
            "explainMessage": self.explain_message,
            "replayMessage": self.replay_message,
            **AtRestDesk(self._office).operations(),
            **SteeringDesk(self._office).operations(),
            **ConformityDesk(self._office).operations(),
            **UsageDesk(self._office).operations(),
            **CodeTableDesk(self._office).operations(),
            **SampleDesk(self._office).operations(),
            **CorrectionDesk(self._office).operations(),
            **ChannelDesk(self._office).operations(),
            **EnrolmentDesk(self._office).operations(),
            **EditionDesk(self._office).operations(),
            **EvidenceDesk(self._office).operations(),
            "showMetrics": self.show_metrics,
            "showLive": self.show_live,
            "showReady": self.show_ready,
        }

    async def sign_in(self, body: dict[str, str]) -> Answer:
        """POST /session."""
        client = request.scope.get("client")
        session = await people.sign_in(self._office, body["name"], body["password"], client[0] if client else "-")
        facts = {"token": session.token, "token_type": "Bearer", "expires_at": _moment(session.expires_at)}
        return _json({**facts, "name": body["name"], "role": session.role}, 201, {"Cache-Control": "no-store"})

    async def who_am_i(self, user: str, token_info: dict[str, str]) -> Answer:
        """GET /session."""
        return _json({"name": user, "role": token_info["role"]})

    async def add_person(self, body: dict[str, str], user: str) -> Answer:
        """POST /people."""
        await people.add_person(self._office, people.Applicant(body["name"], body["role"], body["password"]), user)
        return _json({"name": body["name"], "role": body["role"]}, 201)

    async def list_consumers(self) -> Answer:
        """GET /consumers."""
        return _json([_consumer(each) for each in await register.consumers(self._office)])

    async def add_consumer(self, body: dict[str, str], user: str) -> Answer:
        """POST /consumers."""
        return _credential(await register.add_consumer(self._office, body["code"], body.get("title", ""), user))

    async def add_secret(self, client_id: str, user: str) -> Answer:
        """POST /consumers/{client_id}/secrets."""
        return _credential(await register.add_secret(self._office, client_id, user))

    async def set_active(self, client_id: str, body: dict[str, bool], user: str) -> Answer:
        """PUT /consumers/{client_id}/active."""
        await register.set_active(self._office, client_id, user, active=body["active"])
        return _json({"client_id": client_id, "active": body["active"]})

    async def list_rights(self) -> Answer:
        """GET /rights."""
        return _json([_right(each) for each in await grant.rights(self._office)])

    async def grant_right(self, body: dict[str, Any], user: str) -> Answer:
        """POST /rights."""
        right = _parse_right(body)
        await grant.grant(self._office, right, user)
        return _json(_right(right), 201)

    async def withdraw_right(self, body: dict[str, str], user: str) -> Answer:
        """POST /rights/withdrawals."""
        await grant.withdraw(self._office, SubsystemId(body["consumer"]), body["service"], body["operation"], user)
        return _json(body)

    async def list_services(self) -> Answer:
        """GET /services."""
        return _json([_service(each) for each in status.services(self._office)])

    async def show_status(self) -> Answer:
        """GET /status."""
        found = await status.status(self._office)
        providers = [
            {
                "provider": p.provider,
                "states": dict(p.states),
                "oldest_age_s": p.oldest_age_s,
                "answers": p.answers,
                "answers_invalid": p.invalid,
                "conformance": p.conformance,
                "published": p.published,
            }
            for p in found.providers
        ]
        return _json(
            {
                "version": found.version,
                "catalogue": found.catalogue,
                "uptime_s": found.uptime_s,
                "states": dict(found.states),
                "oldest_age_s": found.oldest_age_s,
                "providers": providers,
                "dead": dict(found.dead),
            }
        )

    async def list_acts(self, limit: int) -> Answer:
        """GET /acts."""
        found = await status.acts(self._office, limit)
        return _json([_act(act) for act in found])

    async def list_dead(self, limit: int) -> Answer:
        """GET /dead."""
        language = _language()
        return _json([dead_group(group, language) for group in await status.dead(self._office, limit)], headers=_speaks(language))

    async def show_message(self, message_id: str) -> Answer:
        """GET /messages/{message_id}."""
        entries = [
            {"at": _moment(entry.at), "event": entry.event, "attempt": entry.attempt, "facts": dict(entry.facts)}
            for entry in await explain.timeline(self._office, message_id)
        ]
        return _json({"message_id": message_id, "entries": entries})

    async def explain_message(self, message_id: str) -> Answer:
        """GET /messages/{message_id}/explanation."""
        language = _language()
        text = await explain.explain(self._office, message_id, language)
        return _json({"message_id": message_id, "language": language, "text": text}, headers=_speaks(language))

    async def replay_message(self, message_id: str, user: str) -> Answer:
        """POST /messages/{message_id}/replays."""
        provider = await replay.replay(self._office, message_id, user)
        return _json({"message_id": message_id, "provider": provider}, 202)

    async def show_metrics(self) -> Answer:
        """GET /metrics; a scrape of many routes takes tens of milliseconds, so it leaves the loop."""
        return await asyncio.to_thread(self._metrics), 200, {"Content-Type": METRICS_TYPE}

    async def show_live(self) -> Answer:
        """GET /livez."""
        return _json({"live": True})

    async def show_ready(self) -> Answer:
        """GET /readyz."""
        checks = dict(await self._ready())
        return _json({"ready": all(checks.values()), "checks": checks}, 200 if all(checks.values()) else 503)


def _language() -> str:
    return language_of(request.headers.get("accept-language", ""))


def _speaks(language: str) -> dict[str, str]:
    return {"Content-Language": language, "Vary": "Accept-Language"}


def _consumer(consumer: Consumer) -> dict[str, Any]:
    return {"code": consumer.id, "client_id": consumer.client_id, "title": consumer.title, "active": consumer.active}


def _credential(credential: register.Credential) -> Answer:
    facts = {"client_id": credential.client_id, "client_secret": credential.secret}
    return _json(facts, 201, {"Cache-Control": "no-store"})


def _parse_right(body: Mapping[str, Any]) -> Right:
    quota = body.get("quota")
    return Right(
        consumer=SubsystemId(body["consumer"]),
        service=body["service"],
        operation=body["operation"],
        purposes=frozenset(body.get("purposes", ())),
        fields=frozenset(body["fields"]) if "fields" in body else None,
        not_before=_seconds(body, "not_before", 0.0),
        not_after=_seconds(body, "not_after", float("inf")),
        quota=Quota(quota["q"], quota["w"]) if quota else None,
    )


def _right(right: Right) -> dict[str, Any]:
    """A right without what it leaves open: all fields, no window, the operation's own quota."""
    facts: dict[str, Any] = {"consumer": right.consumer, "service": right.service, "operation": right.operation}
    facts["purposes"] = sorted(right.purposes)
    if right.fields is not None:
        facts["fields"] = sorted(right.fields)
    if right.not_before > 0:
        facts["not_before"] = _moment(right.not_before)
    if right.not_after != float("inf"):
        facts["not_after"] = _moment(right.not_after)
    if right.quota:
        facts["quota"] = {"q": right.quota.q, "w": right.quota.w}
    return facts


def _act(act: Act) -> dict[str, Any]:
    return {"at": _moment(act.at), "author": act.author, "verb": act.verb, "subject": act.subject, "facts": dict(act.facts)}


def _service(service: Service) -> dict[str, Any]:
    operations = [
        {
            "name": each.name,
            "method": each.method,
            "path": each.path,
            "exchange": str(each.pattern),
            "data_class": str(each.data_class),
            "provider": each.provider.code,
        }
        for each in service.operations
    ]
    facts = {"code": service.code, "major": service.major, "version": service.version}
    return {**facts, "title": dict(service.title), "digest": service.digest, "operations": operations}
