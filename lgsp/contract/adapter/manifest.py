"""Reads adapter.yaml: who an external system is, how it is reached, which of our services it provides; every fault at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.contract.adapter.batches import list_and_item
from lgsp.contract.source import Source, read_source
from lgsp.errors import ContractError, Finding
from lgsp.mapping.source import shape
from lgsp.schema import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SHAPE = "adapter.schema.json"
REFERENCE = "$env."
MOST_GATHERED = 8
"""Messages under way for each connection, where calls carry several: no more than a lease leaves time for."""
KEPT = {"mailbox": "mailbox", "publish": "subscribers"}
"""Exchanges whose messages are kept in the hub, and the kind of binding that goes with each."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest whose shape is right and whose references within the file hold."""

    code: str
    source: Source

    @property
    def value(self) -> Mapping[str, Any]:
        """The file's values."""
        return self.source.value  # type: ignore[no-any-return]  # the shape says so

    @property
    def binding(self) -> Mapping[str, Any]:
        """How the system is called."""
        return self.value["binding"]  # type: ignore[no-any-return]  # the shape says so

    @property
    def is_kept(self) -> bool:
        """Whether nothing of it is called: what is sent to it is kept in the hub."""
        return self.binding["kind"] in KEPT.values()

    @property
    def gathers(self) -> int:
        """How many messages may be under way for each call at the same time."""
        steps = [step for steps in self.value.get("calls", {}).values() for step in steps]
        return min(MOST_GATHERED, max((step.get("batch", {}).get("max_items", 1) for step in steps), default=1))

    @property
    def uses(self) -> Mapping[str, str]:
        """Names of what each hub binds."""
        return self.value.get("uses", {})  # type: ignore[no-any-return]  # the shape says so

    def operations(self) -> Iterator[tuple[str, Mapping[str, Any], str, Mapping[str, Any]]]:
        """Pointer, service, operation's name, operation."""
        for at, service in enumerate(self.value["services"]):
            for name, operation in service["operations"].items():
                yield f"/services/{at}/operations/{name}", service, name, operation

    def steps(self, at: str, name: str, operation: Mapping[str, Any]) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """The declared calls of an operation with their pointers; `native` stands for one call."""
        if "native" in operation:
            return [(at, {"call": operation["native"], "safe": operation.get("safe", False)})]
        return [(f"/calls/{escape(name)}/{place}", step) for place, step in enumerate(self.value.get("calls", {}).get(name, ()))]


def read_manifest(folder: Path) -> Manifest:
    """Read FOLDER/adapter.yaml. Raises ContractError with every fault that the file alone shows."""
    source = read_source(folder / "adapter.yaml", f"{folder.name}/adapter.yaml")
    findings = shape(source, SHAPE)
    if not findings:
        findings = list(_contradictions(Manifest(folder.name, source)))
    if findings:
        raise ContractError(findings)
    return Manifest(folder.name, source)


def _contradictions(manifest: Manifest) -> Iterator[Finding]:
    yield from _unbound(manifest)
    yield from _wrong_wss(manifest)
    yield from _wrong_road(manifest)
    yield from _doubled(manifest)
    declared = manifest.value.get("calls", {})
    offered = {name: (at, operation) for at, _, name, operation in manifest.operations()}
    for name, (at, operation) in offered.items():
        if KEPT.get(operation["exchange"]) != (manifest.binding["kind"] if manifest.is_kept else None):
            reason = f"{operation['exchange']} does not go with a binding of kind {manifest.binding['kind']}"
            yield manifest.source.finding(f"{at}/exchange", "exchange", reason, "`mailbox` goes with mailbox, `publish` with subscribers")
        if not manifest.is_kept and ("native" in operation) == (name in declared):
            reason = f"{name} has {'both `native` and declared calls' if name in declared else 'neither `native` nor declared calls'}"
            yield manifest.source.finding(at, "calls", reason, "one call stands in `native`, several under `calls`")
        if "deduplicate" in operation and "business_key" not in operation:
            yield manifest.source.finding(f"{at}/deduplicate", "calls", "nothing says what the matter is", "add `business_key`")
    for name, steps in declared.items():
        if name not in offered:
            yield manifest.source.finding(f"/calls/{escape(name)}", "calls", f"no service offers an operation {name!r}", "remove it")
        yield from _wrong_steps(manifest, name, steps)


def _unbound(manifest: Manifest) -> Iterator[Finding]:
    for name, reference in manifest.uses.items():
        if not reference.startswith(REFERENCE):
            yield manifest.source.finding(
                f"/uses/{name}", "uses", "is no reference", f"write {REFERENCE}NAME; each hub binds its own value"
            )


def _wrong_wss(manifest: Manifest) -> Iterator[Finding]:
    """WS-Security is for envelopes, and what it shows is bound on each hub."""
    declared = manifest.value.get("auth", {}).get("wss", {})
    if declared and manifest.binding["kind"] != "soap":
        yield manifest.source.finding("/auth/wss", "wss", "only a SOAP provider has envelopes to secure", "remove it")
    for part, names in declared.items():
        for word, name in names.items():
            if word != "type" and name not in manifest.uses:
                there = ", ".join(sorted(manifest.uses)) or "none"
                reason = f"{name!r} is not declared in `uses`; there are {there}"
                yield manifest.source.finding(f"/auth/wss/{part}/{word}", "wss", reason, "declare it as a reference in `uses`")


def _wrong_road(manifest: Manifest) -> Iterator[Finding]:
    """X-Road identifiers differ between test and production, so they are bound; REST needs a service code; two roads lead nowhere."""
    binding = manifest.binding
    for road, names in (("xroad", ("client", "provider")), ("forward", ("destination", "provider_url"))):
        for word in names if road in binding else ():
            if binding[road][word] not in manifest.uses:
                reason = f"{binding[road][word]!r} is not declared in `uses`"
                yield manifest.source.finding(f"/binding/{road}/{word}", "xroad", reason, "declare it as a reference in `uses`")
    is_rest = binding["kind"] == "rest"
    if "xroad" in binding and ("service" in binding["xroad"]) is not is_rest:
        reason = "a REST service has a code of its own" if is_rest else "a SOAP service is called by its operation's name"
        yield manifest.source.finding("/binding/xroad", "xroad", reason, "add `service`" if is_rest else "remove `service`")
    if "forward" in binding and ("xroad" in binding or not is_rest):
        yield manifest.source.finding("/binding/forward", "xroad", "the forwarding adapter is for REST and stands alone", "remove one")


def _doubled(manifest: Manifest) -> Iterator[Finding]:
    seen: dict[tuple[str, str], str] = {}
    for at, service in enumerate(manifest.value["services"]):
        key = (service["code"], service["version"].split(".")[0])
        if key in seen:
            yield manifest.source.finding(f"/services/{at}/code", "unique", f"{key[0]} stands here a second time in version {key[1]}")
        seen[key] = service["code"]
    operations = [(at, name) for at, _, name, _ in manifest.operations()]
    for place, (where, name) in enumerate(operations):
        if name in {earlier for _, earlier in operations[:place]} and name in manifest.value.get("calls", {}):
            yield manifest.source.finding(where, "unique", f"two services have an operation {name!r}, and `calls` names operations only")


def _wrong_steps(manifest: Manifest, name: str, steps: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    bound: set[str] = set()
    for place, step in enumerate(steps):
        at = f"/calls/{escape(name)}/{place}"
        if step.get("as") in bound:
            yield manifest.source.finding(f"{at}/as", "unique", f"{step['as']!r} names an earlier answer already")
        bound.add(step.get("as", ""))
        if "on_duplicate" in step and "duplicate_when" not in step:
            yield manifest.source.finding(
                f"{at}/on_duplicate", "calls", "nothing says when an answer is a duplicate", "add `duplicate_when`"
            )
        if "batch" in step and list_and_item(step.get("key", "")) is None:
            reason = "several can only travel as one where a key tells the items of a list apart"
            yield manifest.source.finding(f"{at}/batch", "batch", reason, "declare `key: LIST.0.FIELD`")
        asked = step.get("reconcile", {}).get("call")
        if asked is not None and not any(other["call"] == asked and other.get("safe") for other in steps):
            reason = f"{asked!r} is no safe call of this operation"
            yield manifest.source.finding(f"{at}/reconcile/call", "calls", reason, "declare it as a step with `safe: true`")
