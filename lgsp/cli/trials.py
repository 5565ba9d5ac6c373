"""Tries an adapter with calls made up from its contracts: valid ones go all the way to its stand-in or provider, invalid ones no step."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from lgsp.cli.trial_hub import TrialHub
from lgsp.contract.adapter.made import golden_calls, invalid_calls, valid_call
from lgsp.contract.wsdl.read import read_contract
from lgsp.drivers.bindings import Bindings
from lgsp.errors import Fault
from lgsp.mapping.compile import IDENTITY
from lgsp.twin.of_adapter import CALLED, bindings_of, twin_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

    from lgsp.codec.soap.speech import Speech
    from lgsp.contract.adapter.folder import Adapter
    from lgsp.contract.adapter.made import Made
    from lgsp.contract.openapi.read import HttpOperation
    from lgsp.errors import Finding
    from lgsp.model.agreed import Operation

    Place = tuple[str, str, Operation, HttpOperation]
    Told = tuple[str, str, str]
    """Slug, pointers, detail."""

MOST_CALLS = 300
"""Of one adapter: a contract of hundreds of operations gets fewer of each, so that `check` stays quick."""
CHANGING = frozenset({"PUT", "DELETE", "PATCH"})
"""Methods that may be repeated and yet change something (RFC 9110 section 9.2.2), whatever the manifest says of repeating them."""
TWIN_AT = "http://twin.invalid"
REFUSED_BY_US = frozenset({"body-invalid", "parameter-invalid"})
MADE_NO_ANSWER = ("status 406", "status 501")
"""What a stand-in says that cannot make up an answer: nobody's fault."""
NO_ROW = "code-unknown"
"""Code tables are dated data of each hub; a message waits for its row."""
CAUSES: Mapping[str, tuple[str, str]] = {
    "native-invalid": (
        "the mapping makes of a valid request what the provider's contract refuses",
        "mend the mapping, or narrow our contract",
    ),
    "provider-reply-invalid": (
        "the answer to a valid request breaks a contract or cannot be translated",
        "mend contract or mapping, or give the answer an example in the provider's contract",
    ),
    "provider-refused": (
        "the stand-in of the provider's contract refuses a valid request",
        "hold `auth` and the mapping against that contract",
    ),
    "provider-denied": ("the hub's credentials are refused", "compare `auth` and what is bound with what the provider asks for"),
}
UNANSWERED = ("a valid request gets no answer that can be used", "ask the provider's owner, or compare the binding with what it offers")


@dataclass(frozen=True, slots=True)
class Trial:
    """How much is tried, and of whom: `calls` of each operation; `live`: what this hub binds for the real provider, None for the twin."""

    calls: int
    live: Mapping[str, str] | None = None
    unsafe_too: bool = False

    @property
    def is_live(self) -> bool:
        """Whether the real provider is called."""
        return self.live is not None

    def calls_by(self, operation: Operation) -> bool:
        """Whether this operation may be called: a real provider keeps what it is sent, also where sending it twice does no more harm."""
        is_look_up = all(call.safe and call.wire.method not in CHANGING for call in operation.calls)
        return not self.is_live or self.unsafe_too or is_look_up


@dataclass(slots=True)
class Shown:
    """What the calls showed: findings, and notes about what could not be tried."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


async def tried(adapter: Adapter, folder: Path, contracts: Path, trial: Trial) -> Shown:
    """What made-up calls show; SettingsError where the real provider is to be called and is not bound."""
    rig = _Rig(adapter, folder, contracts, trial)
    places = list(_places(adapter))[:MOST_CALLS]
    count = max(1, min(trial.calls, MOST_CALLS // max(1, len(places))))
    shown = Shown()
    await rig.hub.open()
    try:
        for place in places:
            await _try(rig, place, count, shown)
    finally:
        await rig.hub.close()
    return shown


async def _try(rig: _Rig, place: Place, count: int, shown: Shown) -> None:
    """One operation."""
    at, mapping, operation, http = place
    valid = rig.valid(operation, http, count)
    if not valid:
        reason = f"no valid call of {operation.name} could be made up"
        shown.notes.append(rig.adapter.manifest.source.finding(at, "no-call", reason, "add a golden example of it"))
        return
    passed = {told[:2]: told async for told in rig.passed(operation, valid)}
    for told in passed.values():
        # a contract may say less of its answers than the mapping has to know: then what its stand-in makes up is no fault of the adapter's
        is_loose = told[0] == "provider-reply-invalid" and mapping != IDENTITY and rig.is_standing_in
        (shown.notes if is_loose else shown.findings).append(_placed(rig.adapter, at, mapping, told))
    for made in invalid_calls(http, valid[0], count):
        if await _is_let_in(rig.hub, operation, made):
            shown.findings.append(_let_in(rig.adapter, at, made))


class _Rig:
    """The hub in memory, whom it speaks to, and what calls are made of."""

    def __init__(self, adapter: Adapter, folder: Path, contracts: Path, trial: Trial) -> None:
        binding, provider = adapter.manifest.binding, adapter.provider
        has_twin = (folder / "twin.py").exists()
        is_plain = provider.xroad is None and provider.forward is None and provider.auth.wss is None
        self.adapter, self._trial, self._examples = adapter, trial, sorted((folder / "examples").glob("*.request.json"))
        self._is_answered = provider.kind in CALLED and (trial.is_live or has_twin or is_plain)
        self.is_standing_in = not trial.is_live and not has_twin
        self._speeches: Mapping[str, Speech] = {}
        if binding["kind"] == "soap":
            self._speeches = read_contract(contracts / "wsdl" / binding["wsdl"]).port(binding["port"]).operations
        app, given = None, trial.live or {}
        if self._is_answered and not trial.is_live:
            app = twin_of(folder, contracts)
            given = {name: value.replace("{address}", TWIN_AT) for name, value in bindings_of(folder, contracts).items()}
        bound = Bindings(given, [provider])(provider, None) if self._is_answered else {"address": TWIN_AT}
        self.hub = TrialHub(adapter, bound, app)

    def valid(self, operation: Operation, http: HttpOperation, count: int) -> Sequence[Made]:
        """So many calls, and as many golden examples, which a stand-in of its own may know."""
        speech = self._speeches.get(operation.calls[-1].name)
        made = [each for turn in range(count) if (each := valid_call(operation, http, speech, turn)) is not None]
        return [*made, *islice(golden_calls(operation, self._examples), count)]

    async def passed(self, operation: Operation, calls: Sequence[Made]) -> AsyncIterator[Told]:
        """Every valid call that did not end well."""
        for made in calls if self._is_answered and self._trial.calls_by(operation) else ():
            try:
                await self.hub.carry(operation, made)
            except Fault as fault:
                if not self._is_expected(fault, operation):
                    yield fault.slug, ", ".join(each.pointer or "/" for each in fault.errors[:3]), _told(fault)

    def _is_expected(self, fault: Fault, operation: Operation) -> bool:
        """A provider may say no to what is made up; the stand-in of its contract may not, but what it makes up may sound like a no."""
        if fault.slug == NO_ROW:
            return True
        if not self.is_standing_in:
            return fault.slug == "provider-refused"
        is_judged = operation.provider.auth.session is not None or any(call.ok_when is not None for call in operation.calls)
        sounds_like_no = is_judged and fault.slug in {"provider-refused", "provider-denied"} and not fault.detail.startswith("status ")
        return sounds_like_no or any(each in fault.detail for each in MADE_NO_ANSWER)


def _places(adapter: Adapter) -> Iterator[Place]:
    """Each compiled operation: its place in the manifest, its mapping, itself, its part of our contract."""
    for at, service in enumerate(adapter.manifest.value["services"]):
        for operation in adapter.services[at].operations:
            mapping = service["operations"][operation.name].get("mapping", IDENTITY)
            http = adapter.ours[service["contract"]].operations[operation.name]
            yield f"/services/{at}/operations/{operation.name}", mapping, operation, http


def _told(fault: Fault) -> str:
    return "; ".join(filter(None, [fault.detail, *(f"{each.pointer or '/'} {each.detail}" for each in fault.errors[:3])]))


def _placed(adapter: Adapter, at: str, mapping: str, told: Told) -> Finding:
    slug, _, detail = told
    reason, fix = CAUSES.get(slug, UNANSWERED)
    whole = f"{reason} ({slug}{': ' if detail else ''}{detail})"
    if slug == "native-invalid" and mapping in (adapter.mapping.source.value or {}):
        return adapter.mapping.source.finding(f"/{mapping}/request", "valid-call", whole, fix)
    return adapter.manifest.source.finding(at, "valid-call", whole, fix)


async def _is_let_in(hub: TrialHub, operation: Operation, made: Made) -> bool:
    """Whether a request that breaks our contract is taken, or refused without naming the place."""
    if not operation.check_request(made.body) and not operation.read_parameters(made.texts)[1]:
        return True  # and goes nowhere, not even to a stand-in
    try:
        await hub.carry(operation, made)
    except Fault as fault:
        return fault.slug not in REFUSED_BY_US or all(each.pointer != made.pointer for each in fault.errors)
    return True


def _let_in(adapter: Adapter, at: str, made: Made) -> Finding:
    reason = f"a request that breaks the rule {made.rule!r} at {made.pointer or '/'} is not refused there"
    return adapter.manifest.source.finding(at, "invalid-call", reason, "state the rule where the contract's own check sees it")


__all__ = ["Shown", "Trial", "tried"]
