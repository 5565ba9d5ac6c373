"""Marks personal data in a contract: what its author marked (`x-lgsp-pii`) stays, what the glossary knows by name is marked as well."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lgsp.contract.openapi.anatomy import descend
from lgsp.contract.words import known
from lgsp.schema import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = "x-lgsp-pii"


@dataclass(slots=True)
class Marks:
    """What was found: pointer of each personal field to its kind, and the personal parameters that stand in an address."""

    fields: dict[str, str] = field(default_factory=dict)
    in_address: list[str] = field(default_factory=list)

    @property
    def sensitivity(self) -> str:
        """The class of the data, as far as names tell."""
        return "personal" if self.fields or self.in_address else "internal"


def mark_personal(document: Mapping[str, Any]) -> tuple[dict[str, Any], Marks]:
    """The document with its personal fields marked, and what they are."""
    marks = Marks()
    return _visited(document, "document", "", marks), marks


def _visited(node: Any, kind: str, at: str, marks: Marks) -> Any:
    if not isinstance(node, dict):
        return node
    result = descend(node, kind, at, lambda value, inner, place: _visited(value, inner, place, marks))
    if kind == "schema" and isinstance(result.get("properties"), dict):
        result["properties"] = {
            name: _marked(name, part, f"{at}/properties/{escape(name)}", marks) for name, part in result["properties"].items()
        }
    if kind == "parameter":
        _parameter(result, at, marks)
    return result


def _marked(name: str, part: Any, at: str, marks: Marks) -> Any:
    if not isinstance(part, dict):
        return part
    word = known(name)
    said = part.get(MARK, word.personal if word is not None else "")
    if said in ("", False, None):
        return part
    marks.fields[at] = str(said)
    return {**part, MARK: said}


def _parameter(parameter: dict[str, Any], at: str, marks: Marks) -> None:
    """An address is kept by every log on the way, so a citizen's number has no place in it (DESIGN decision 20)."""
    word = known(str(parameter.get("name", "")))
    said = parameter.get(MARK, word.personal if word is not None else "")
    if said and parameter.get("in") in {"path", "query"}:
        marks.in_address.append(f"{at} ({parameter.get('name')})")
