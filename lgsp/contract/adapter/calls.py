"""The declared calls of a manifest, compiled: what is sent at each step, and how its answer is judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lgsp.contract.adapter.batches import compile_batch
from lgsp.contract.adapter.place import native_of
from lgsp.errors import Violation
from lgsp.mapping.compile import IDENTITY
from lgsp.mapping.expression import ExpressionError, compile_expression, path_into
from lgsp.mapping.paths import PathError, parse_path, reader
from lgsp.mapping.trace import origin
from lgsp.model.agreed import Auth, Call, Reconcile, Session, Wss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lgsp.contract.adapter.manifest import Manifest
    from lgsp.errors import Finding
    from lgsp.mapping.compile import MappingFile, Translation
    from lgsp.model.agreed import Wire

    Evaluate = Callable[[Any], Any]
    Values = tuple[tuple[tuple[str, ...], Evaluate], ...]


@dataclass(slots=True)
class CallCompiler:
    """Compiles expressions and calls of one manifest; faults gather in `findings`."""

    manifest: Manifest
    wires: Mapping[str, Wire]
    findings: list[Finding] = field(default_factory=list)

    def auth(self) -> Auth:
        """How the hub proves itself."""
        declared = self.manifest.value.get("auth", {})
        known = {*self.manifest.uses, "now_ms", "url"}
        headers = [
            (name, self._expression(f"/auth/headers/{name}", text, lambda keys: _declared(keys, known)))
            for name, text in declared.get("headers", {}).items()
        ]
        session = self._session(declared["session"]) if "session" in declared else None
        return Auth(self.manifest.uses, tuple(headers), session, _wss(declared["wss"]) if "wss" in declared else None)

    def _session(self, declared: Mapping[str, Any]) -> Session | None:
        at = "/auth/session"

        def bound(keys: tuple[str, ...]) -> Evaluate:
            _declared(keys, self.manifest.uses)
            return path_into(("uses", *keys))

        values = self._values(f"{at}/with", declared["with"], bound)
        renewals = [self._expression(f"{at}/renew_on/{place}", text, path_into) for place, text in enumerate(declared["renew_on"])]
        ok_when = self._judgement(at, declared, "ok_when", path_into)
        wire = self._wire(f"{at}/call", declared["call"])
        if wire is None:
            return None
        call = Call(declared["call"], wire, lambda scope: _put({}, values, scope), safe=True, ok_when=ok_when)
        return Session(call, tuple(declared["reads"].split(".")), declared["sends"], lambda reply: any(ended(reply) for ended in renewals))

    def calls(self, steps: Sequence[tuple[str, Mapping[str, Any]]], mapping: MappingFile | None, fallback: str) -> tuple[Call, ...]:
        """The calls of one operation, in order; `fallback` names the mapping of those without one."""
        found: dict[str, Call] = {}
        seen: dict[str, Evaluate] = {}
        for at, step in steps:
            call = self._call(at, step, mapping, fallback, seen)
            if call is None:
                continue
            found[call.name] = call
            if "as" in step:
                seen[step["as"]] = found_when(call.absent_when)
        return tuple(self._reconciled(call, steps, found) for call in found.values())

    def known(self) -> Mapping[str, Evaluate]:
        """Every name that a declared call binds, with the judgement whether its answer found something."""
        steps = [step for steps in self.manifest.value.get("calls", {}).values() for step in steps if "as" in step]
        return {step["as"]: found_when(self._quiet(step.get("absent_when"))) for step in steps}

    def _call(
        self,
        at: str,
        step: Mapping[str, Any],
        mapping: MappingFile | None,
        fallback: str,
        seen: Mapping[str, Evaluate],
    ) -> Call | None:
        wire = self._wire(f"{at}/{'native' if '/operations/' in at else 'call'}", step["call"])
        translation = self._translation(f"{at}/mapping", step.get("mapping", fallback), mapping)
        values = self._values(f"{at}/with", step.get("with", {}), lambda keys: _seen(keys, seen, "value"))
        again = step.get("on_duplicate", {}).get("again_with", {})

        def answer(keys: tuple[str, ...]) -> Evaluate:
            return _seen(keys, seen, "")

        call_again = self._values(f"{at}/on_duplicate/again_with", again, answer)
        judgements = {name: self._judgement(at, step, name, answer) for name in ("ok_when", "absent_when", "duplicate_when")}
        if wire is None or translation is None:
            return None
        is_same = step.get("mapping", fallback) == IDENTITY
        return Call(
            name=step["call"],
            wire=wire if is_same else _traced(wire, translation),
            to_native=_with(replace(translation, run=native_of) if is_same and wire.locate else translation, values),
            one_form=is_same,
            safe=step.get("safe", False),
            key=step.get("key"),
            binds=step.get("as"),
            again_with=call_again,
            message_path=tuple(step["message_at"].split(".")) if "message_at" in step else (),
            ok_when=judgements["ok_when"],
            absent_when=judgements["absent_when"],
            duplicate_when=judgements["duplicate_when"],
            batch=compile_batch(step["batch"], step["key"], judgements["ok_when"]) if "batch" in step else None,
        )

    def _reconciled(self, call: Call, steps: Sequence[tuple[str, Mapping[str, Any]]], found: Mapping[str, Call]) -> Call:
        step = next(step for _, step in steps if step["call"] == call.name)
        rule = step.get("reconcile")
        if rule is None or rule["call"] not in found:
            return call
        limits = {name: rule[name] for name in ("after_s", "confirmations") if name in rule}
        return replace(call, reconcile=Reconcile(found[rule["call"]], **limits))

    def _wire(self, at: str, name: str) -> Wire | None:
        if name not in self.wires:
            there = ", ".join(sorted(self.wires)) or "none"
            self._fault(at, "native", f"the provider's contract has no operation {name!r}; it has {there}")
        return self.wires.get(name)

    def _translation(self, at: str, name: str, mapping: MappingFile | None) -> Translation | None:
        if mapping is None:
            return None
        found = mapping.translations.get((name, "request"))
        if found is None:
            self._fault(at, "mapping", f"mapping.yaml has no {name!r} with a request", "add it or name another in `mapping`")
        return found

    def _values(self, at: str, declared: Mapping[str, str], names: Callable[[tuple[str, ...]], Evaluate]) -> Values:
        return tuple((tuple(path.split(".")), self._expression(f"{at}/{path}", text, names)) for path, text in declared.items())

    def _judgement(self, at: str, declared: Mapping[str, Any], name: str, names: Callable[[tuple[str, ...]], Evaluate]) -> Evaluate | None:
        return self._expression(f"{at}/{name}", declared[name], names) if name in declared else None

    def _expression(self, at: str, text: str, names: Callable[[tuple[str, ...]], Evaluate]) -> Evaluate:
        try:
            return compile_expression(text, names)
        except ExpressionError as error:
            self._fault(at, "expression", str(error))
            return path_into(())

    def _quiet(self, text: str | None) -> Evaluate | None:
        try:
            return compile_expression(text) if text else None
        except ExpressionError:
            return None  # told where the call itself is compiled

    def _fault(self, at: str, rule: str, reason: str, fix: str = "") -> None:
        self.findings.append(self.manifest.source.finding(at, rule, reason, fix))


def _wss(declared: Mapping[str, Any]) -> Wss:
    """WS-Security as declared; manifest.py has seen to the names."""
    token, signature = declared.get("username_token", {}), declared.get("signature", {})
    return Wss(
        user=token.get("user", ""),
        password=token.get("password", ""),
        is_digest=token.get("type", "digest") == "digest",
        key=signature.get("key", ""),
        certificate=signature.get("certificate", ""),
        answered_by=declared.get("replies", {}).get("certificate", ""),
    )


def found_when(absent_when: Evaluate | None) -> Evaluate:
    """The judgement of an earlier answer: there was one, and it did not say that there is no such thing."""
    return lambda reply: reply is not None and not (absent_when is not None and absent_when(reply))


def _declared(keys: tuple[str, ...], names: Iterable[str]) -> Evaluate:
    if len(keys) != 1 or keys[0] not in names:
        message = f"{'.'.join(keys)!r} is not declared; there are {', '.join(sorted(names))}"
        raise LookupError(message)
    return path_into(keys)


def _seen(keys: tuple[str, ...], seen: Mapping[str, Evaluate], root: str) -> Evaluate:
    """What a path of a step's expression means: an earlier answer by its name, a `$root`, or a path of the request or answer at hand."""
    if keys[0] in seen:
        holder = path_into(("known", keys[0]))
        if keys[1:] == ("found",):
            judge = seen[keys[0]]
            return lambda scope: judge(holder(scope))
        return path_into(("known", *keys))
    if not keys[0].startswith("$"):
        return path_into((root, *keys) if root else keys)
    try:
        read = reader(parse_path(".".join(keys)))
    except PathError as error:
        raise LookupError(str(error)) from None
    return lambda scope: read(None, scope)


def _with(translation: Translation, values: Values) -> Callable[[Mapping[str, Any]], Any]:
    run = translation.run
    return (lambda scope: _put(run(scope), values, scope)) if values else run


def _put(native: dict[str, Any], values: Values, scope: Any) -> dict[str, Any]:
    for keys, value in values:
        found = value(scope)
        if found is None:
            continue
        holder = native
        for key in keys[:-1]:  # what the consumer sent may be part of this value, and is not to be changed
            holder[key] = holder = dict(holder.get(key) or {})
        holder[keys[-1]] = found
    return native


def _traced(wire: Wire, translation: Translation) -> Wire:
    """The wire, with the provider's limits told at the consumer's own fields."""
    write_natively = wire.write

    def write(native: Any) -> tuple[bytes, Sequence[Violation]]:
        content, violations = write_natively(native)
        return content, [_told(violation, translation) for violation in violations]

    return replace(wire, write=write)


def _told(violation: Violation, translation: Translation) -> Violation:
    place = origin(translation.rules, violation.pointer)
    if place is not None:
        return replace(violation, pointer=place)
    return Violation("", f"{violation.pointer or 'the native request'}: {violation.detail}", violation.code)
