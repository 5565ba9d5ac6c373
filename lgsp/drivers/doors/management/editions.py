"""Publishing at the management door: parse, call an act, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.acts import bind, lifespan, publish
from lgsp.drivers.doors.management.answers import Answer, json_answer, moment, seconds
from lgsp.errors import Fault, Violation
from lgsp.model.edition import EditionState, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.acts.publish import Outcome
    from lgsp.model.edition import Edition, Lifespan
    from lgsp.ports.office import Office

WAITS = 202


class EditionDesk:
    """One method for each operation; connexion passes `body`, path and query values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {
            "uploadBundle": self.upload,
            "publishEdition": self.publish,
            "listEditions": self.list_editions,
            "decideEdition": self.decide,
            "rollBack": self.roll_back,
            "listNodes": self.list_nodes,
            "listLifespans": self.list_lifespans,
            "setLifespan": self.set_lifespan,
            "listBindings": self.list_bindings,
            "bindValue": self.bind_value,
            "unbindValue": self.unbind_value,
        }

    async def upload(self, body: bytes, user: str) -> Answer:
        """POST /bundles."""
        found = await publish.upload(self._office, body, user)
        return json_answer({"digest": found.digest, "adapter": found.adapter, "size_bytes": len(found.content)}, 201)

    async def publish(self, body: dict[str, str], user: str) -> Answer:
        """POST /editions."""
        wish = publish.Wish(body["digest"], body.get("reason", ""), body.get("approve_breaking", ""))
        return self._told(await publish.publish(self._office, wish, user))

    async def list_editions(self, limit: int, service: str = "") -> Answer:
        """GET /editions."""
        return json_answer([_edition(each) for each in await publish.history(self._office, service, limit)])

    async def decide(self, edition_id: str, body: dict[str, str], user: str) -> Answer:
        """POST /editions/{edition_id}/decisions."""
        if body["decision"] == "approve":
            return self._told(await publish.approve(self._office, edition_id, user))
        return json_answer({"edition": _edition(await publish.reject(self._office, edition_id, user))})

    async def roll_back(self, body: dict[str, str], user: str) -> Answer:
        """POST /editions/rollbacks."""
        found = await publish.rollback(self._office, body["service"], body.get("digest", ""), body.get("reason", ""), user)
        return self._told(found)

    async def list_nodes(self) -> Answer:
        """GET /nodes."""
        epoch = (await self._office.press.nodes.published()).epoch
        nodes = await self._office.press.nodes.nodes(self._office.now())
        return json_answer([{"id": each.id, "roles": each.roles, "current": each.epoch >= epoch} for each in nodes])

    async def list_lifespans(self) -> Answer:
        """GET /lifespans."""
        published = await self._office.press.nodes.published()
        return json_answer([_lifespan(each) for _, each in sorted(published.lifespans.items())])

    async def set_lifespan(self, service: str, major: int, body: dict[str, Any], user: str) -> Answer:
        """PUT /services/{service}/{major}/lifespan."""
        sunset = seconds(body, "sunset", 0.0) if "sunset" in body else None
        word = lifespan.Word(service, major, Stage(body["stage"]), sunset, body.get("successor"))
        if word.stage is Stage.PUBLISHED and (sunset is not None or word.successor is not None):
            raise Fault("body-invalid", errors=[Violation("/stage", "has no end where it is published", "stage")])
        return json_answer(_lifespan(await lifespan.say(self._office, word, user)))

    async def list_bindings(self) -> Answer:
        """GET /bindings."""
        return json_answer([_reference(each) for each in await bind.references(self._office)])

    async def bind_value(self, name: str, body: dict[str, str], user: str) -> Answer:
        """PUT /bindings/{name}."""
        return json_answer(_reference(await bind.bind(self._office, name, body["value"], user)))

    async def unbind_value(self, name: str, user: str) -> Answer:
        """DELETE /bindings/{name}."""
        await bind.unbind(self._office, name, user)
        return json_answer({"name": name})

    def _told(self, outcome: Outcome) -> Answer:
        edition = outcome.edition
        waits = edition.state is EditionState.PROPOSED
        services = [{"code": each.code, "major": each.major, "version": each.version} for each in outcome.services]
        facts: dict[str, Any] = {"edition": _edition(edition), "services": services, "changed": outcome.changed}
        facts |= {"nodes": {"live": outcome.live, "of": outcome.nodes}, "public_url": self._office.press.public}
        return json_answer(facts, WAITS if waits else 200)


def _edition(edition: Edition) -> dict[str, Any]:
    names = ("id", "adapter", "digest", "verb", "author", "reason", "breaking", "decided_by")
    facts: dict[str, Any] = {name: getattr(edition, name) for name in names}
    facts |= {"state": edition.state.value, "at": moment(edition.at)}
    facts |= {"changes": list(edition.changes), "refusals": list(edition.refusals)}
    times = {"decided_at": edition.decided_at, "live_at": edition.live_at}
    return facts | {name: moment(at) for name, at in times.items() if at is not None}


def _reference(found: bind.Reference) -> dict[str, Any]:
    return {"name": found.name, "adapters": list(found.adapters), "source": found.source}


def _lifespan(found: Lifespan) -> dict[str, Any]:
    facts: dict[str, Any] = {"service": found.service, "major": found.major, "stage": found.stage.value, "author": found.author}
    facts["since"] = moment(found.since)
    if found.sunset is not None:
        facts["sunset"] = moment(found.sunset)
    return facts if found.successor is None else {**facts, "successor": found.successor}
