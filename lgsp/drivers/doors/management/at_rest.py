"""Messages that people steer at the management door: unknown outcomes, what is set aside or taken back, replay runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connexion import request

from lgsp.acts import aside, decide, replay
from lgsp.drivers.doors.management.answers import Answer, dead_group, json_answer, moment, seconds
from lgsp.drivers.doors.problems import language_of
from lgsp.model.happening import State
from lgsp.ports.office import Decision, Filter, RunState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.ports.office import Office, ReplayRun, Share


class AtRestDesk:
    """One method for each operation; connexion passes `body`, path and query values, and `user`, the author."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def operations(self) -> Mapping[str, Callable[..., Awaitable[Answer]]]:
        """Methods by operationId."""
        return {
            "listUnknown": self.list_unknown,
            "decideMessage": self.decide_message,
            "decideMany": self.decide_many,
            "layMessage": self.lay_message,
            "layMany": self.lay_many,
            "startReplay": self.start_replay,
            "listReplays": self.list_replays,
            "steerReplay": self.steer_replay,
        }

    async def list_unknown(self, limit: int) -> Answer:
        """GET /unknown."""
        language = language_of(request.headers.get("accept-language", ""))
        groups = [dead_group(group, language) for group in await decide.unknown(self._office, limit)]
        return json_answer(groups, headers={"Content-Language": language, "Vary": "Accept-Language"})

    async def decide_message(self, message_id: str, body: dict[str, str], user: str) -> Answer:
        """POST /messages/{message_id}/decisions."""
        decision = _decision(body, user)
        provider = await decide.decide(self._office, message_id, decision)
        return json_answer({"message_id": message_id, "provider": provider, "state": decision.state.value})

    async def decide_many(self, body: dict[str, Any], user: str) -> Answer:
        """POST /unknown/decisions."""
        chosen, decision = _filter(body), _decision(body, user)
        if body.get("dry_run", False):
            shares = await decide.count(self._office, chosen)
            return json_answer({"total": sum(share.count for share in shares), "shares": [_share(share) for share in shares]})
        return json_answer({"total": await decide.decide_many(self._office, chosen, decision)})

    async def lay_message(self, message_id: str, body: dict[str, str], user: str) -> Answer:
        """PUT /messages/{message_id}/state."""
        provider = await aside.lay(self._office, message_id, Decision(State(body["state"]), body["reason"], user))
        return json_answer({"message_id": message_id, "provider": provider, "state": body["state"]})

    async def lay_many(self, body: dict[str, Any], user: str) -> Answer:
        """POST /messages/states."""
        chosen, state = _filter(body), State(body.get("from", State.WAITING))
        if body.get("dry_run", False):
            shares = await aside.count(self._office, chosen, state)
            return json_answer({"total": sum(share.count for share in shares), "shares": [_share(share) for share in shares]})
        decision = Decision(State(body["state"]), body["reason"], user)
        return json_answer({"total": await aside.lay_many(self._office, chosen, decision, state)})

    async def start_replay(self, body: dict[str, Any], user: str) -> Answer:
        """POST /replays."""
        chosen, rate = _filter(body), float(body["rate"])
        if not body.get("dry_run", False):
            return json_answer(_run(await replay.start(self._office, chosen, rate, user)), 201)
        plan = await replay.plan(self._office, chosen, rate)
        shares = [_share(share) for share in plan.shares]
        return json_answer({"total": plan.total, "shares": shares, "rate": plan.rate, "until": moment(plan.until)})

    async def list_replays(self) -> Answer:
        """GET /replays."""
        return json_answer([_run(run) for run in await replay.runs(self._office)])

    async def steer_replay(self, run_id: str, body: dict[str, str], user: str) -> Answer:
        """PUT /replays/{run_id}/state."""
        return json_answer(_run(await replay.steer(self._office, run_id, RunState(body["state"]), user)))


def _decision(body: Mapping[str, str], author: str) -> Decision:
    return Decision(decide.STATES[body["decision"]], body["reason"], author)


def _filter(body: Mapping[str, Any]) -> Filter:
    given = body["filter"]
    since = seconds(given, "since", 0.0) if "since" in given else None
    return Filter(given.get("provider", ""), given.get("service", ""), given.get("operation", ""), given.get("cause", ""), since)


def _share(share: Share) -> dict[str, Any]:
    return {
        "provider": share.provider,
        "service": share.service,
        "operation": share.operation,
        "cause": share.cause,
        "count": share.count,
    }


def _run(run: ReplayRun) -> dict[str, Any]:
    chosen = {name: value for name in ("provider", "service", "operation", "cause") if (value := getattr(run.chosen, name))}
    if run.chosen.since is not None:
        chosen["since"] = moment(run.chosen.since)
    facts = {"id": run.id, "filter": chosen, "rate": run.rate, "total": run.total, "done": run.done, "state": run.state.value}
    facts |= {"author": run.author, "started_at": moment(run.started_at)}
    return facts if run.ended_at is None else {**facts, "ended_at": moment(run.ended_at)}
