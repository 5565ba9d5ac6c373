"""What an operation without a mapping would lose: our contract is held against the provider's, request and reply, place by place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lgsp.contract.bridge.form import DEFS, Form, Forms, Sort
from lgsp.contract.bridge.shapes import Shapes
from lgsp.errors import Finding
from lgsp.schema import escape

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lgsp.codec.soap.speech import Speech
    from lgsp.codec.soap.tables import Message
    from lgsp.contract.openapi.read import HttpOperation

    Schema = Mapping[str, Any]

FIX = "say the same as the provider, or write a mapping"
_DATED = frozenset({"date", "date-time", "time"})


def losses_to_soap(ours: HttpOperation, native: Speech, file: str) -> Sequence[Finding]:
    """Between an operation of our contract (in `file`) and one of a provider's WSDL."""
    found = _Differences(file, is_xml=True)
    at = _address(ours)
    found.between(ours.request_schema or {}, _schema(native.operation.request, native), f"{at}/requestBody")
    if native.operation.reply is not None:
        found.between(ours.reply_schema or {}, _schema(native.operation.reply, native), f"{at}/responses")
    return found.findings


def losses_to_rest(ours: HttpOperation, theirs: HttpOperation, file: str, *, aside: Collection[str] = ()) -> Sequence[Finding]:
    """The same for a provider's OpenAPI contract; `aside`: what the hub itself adds, and the side of an answer that nobody waits for."""
    found = _Differences(file)
    at = _address(ours)
    for mine, other, side in (
        (ours.request_schema, theirs.request_schema, "requestBody"),
        (ours.reply_schema, theirs.reply_schema, "responses"),
    ):
        if side in aside:
            continue
        if (mine is None) != (other is None):
            found.tell(f"{at}/{side}", "only one of the two contracts has a body here")
        elif mine is not None and other is not None and mine != other:
            found.between(mine, other, f"{at}/{side}")
    ways = [{(each.name, each.where) for each in operation.parameters if each.where in {"path", "query"}} for operation in (ours, theirs)]
    for name, where in sorted(each for each in ways[0] ^ ways[1] if each[0] not in aside):
        found.tell(f"{at}/parameters", f"the {where} parameter {name} stands in one of the two contracts only")
    return found.findings


def _schema(message: Message | None, speech: Speech) -> Schema:
    shapes = Shapes(speech.grammar, DEFS)
    schema = shapes.message(message)
    return {**schema, "$defs": shapes.named()}


@dataclass(slots=True)
class _Differences:
    """Where two contracts would not take each other's values; is_xml: the provider's values are XML, which has no empty list."""

    file: str
    is_xml: bool = False
    findings: list[Finding] = field(default_factory=list)
    _met: set[tuple[int, int]] = field(default_factory=set)

    def between(self, mine: Schema, other: Schema, at: str) -> None:
        """Gather what differs in the form of the values."""
        self._met.clear()  # forms of an earlier comparison are gone, and their ids may be given again
        forms = [Forms(_deaf).of(schema, at) for schema in (mine, other)]
        self._forms(forms[0], forms[1], at)

    def tell(self, at: str, reason: str) -> None:
        finding = Finding(self.file, 0, at, "lossy", reason, FIX)
        if finding not in self.findings:
            self.findings.append(finding)

    def _forms(self, mine: Form, other: Form, at: str) -> None:
        if (id(mine), id(other)) in self._met:
            return
        self._met.add((id(mine), id(other)))
        if mine.null is not other.null:
            self.tell(at, "null: it may be null in one of the two contracts only")
        if mine.sort is not other.sort:
            numbers = {mine.sort, other.sort} == {Sort.INTEGER, Sort.NUMBER}
            self.tell(at, f"{'precision: ' if numbers else ''}{mine.sort} here, {other.sort} at the provider")
        else:
            self._inside(mine, other, at)

    def _inside(self, mine: Form, other: Form, at: str) -> None:
        zone = mine.facets.get("format")
        if self.is_xml and zone in _DATED and other.facets.get("format") != zone:
            self.tell(at, f"zone: the provider's value may have one or not, `format: {zone}` says which")
        if self.is_xml and mine.sort is Sort.LIST and other.facets.get("minItems", 0) and not mine.facets.get("minItems", 0):
            self.tell(at, "empty list: XML tells no empty list from none; say `minItems: 1`")
        for name in sorted(mine.members.keys() ^ other.members.keys()):
            self.tell(f"{at}/properties/{escape(name)}", f"{name} stands in one of the two contracts only")
        for name in mine.members.keys() & other.members.keys():
            self._forms(mine.members[name], other.members[name], f"{at}/properties/{escape(name)}")
        if mine.item is not None and other.item is not None:
            self._forms(mine.item, other.item, f"{at}/items")
        if len(mine.options) != len(other.options):
            self.tell(at, f"{len(mine.options)} alternatives here, {len(other.options)} at the provider")
        for (name, one, _), (_, another, _) in zip(mine.options, other.options, strict=False):
            self._forms(one, another, f"{at}/{escape(name)}")


def _deaf(_at: str, _reason: str, _fix: str) -> None:
    """What SOAP could not carry by itself is no matter here: both contracts are there."""


def _address(operation: HttpOperation) -> str:
    return f"/paths/{escape(operation.path)}/{operation.method.lower()}"
