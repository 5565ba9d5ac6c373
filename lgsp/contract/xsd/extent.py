"""How large content models become once their groups are written out: what doubles at every step is refused before anybody writes it out.

Forty groups, each naming the next one twice, are a short file and a million million elements (SECURITY row S11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.contract.wsdl.files import XSD, line_of
from lgsp.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

    from lgsp.contract.xsd.parts import SchemaPart

MOST_PARTICLES = 1_000
"""Of one group or type. The largest of 349 WSDLs of the world has 71; for 1,000 xmlschema takes seconds, and its time grows squared."""
_GROUP, _TYPE = f"{{{XSD}}}group", f"{{{XSD}}}complexType"
_LEAVES = frozenset({f"{{{XSD}}}element", f"{{{XSD}}}any"})
_OPEN = frozenset({f"{{{XSD}}}{name}" for name in ("sequence", "choice", "all", "complexContent", "extension", "restriction")})


def too_large(parts: Sequence[SchemaPart]) -> list[Finding]:
    """A finding for the first group or type whose content is beyond measure; none where all is well."""
    extents = _Extents(parts)
    for part in parts:
        for node in part.root.iter(_GROUP, _TYPE):
            if node.get("ref") is None and extents.of_content(node, part) > MOST_PARTICLES:
                name = node.get("name") or "a type"
                reason = f"the content of {name} holds more than {MOST_PARTICLES} elements once its groups are written out"
                return [Finding(part.file, line_of(node), "", "xsd-too-large", reason, "name each group once")]
    return []


class _Extents:
    """Numbers of elements by group, each counted once."""

    def __init__(self, parts: Sequence[SchemaPart]) -> None:
        self._groups: dict[tuple[str, str], tuple[_Element, SchemaPart]] = {
            (part.namespace, str(node.get("name"))): (node, part) for part in parts for node in part.root.iter(_GROUP) if node.get("name")
        }
        self._known: dict[tuple[str, str], int] = {}

    def of_content(self, node: _Element, part: SchemaPart) -> int:
        """What stands in a group or type, its groups written out; capped just above the bound."""
        return min(sum(self._each(child, part) for child in node), MOST_PARTICLES + 1)

    def _each(self, node: _Element, part: SchemaPart) -> int:
        if node.tag in _LEAVES:
            return 1
        if node.tag == _GROUP and node.get("ref"):
            return self._of_group(_name(node))
        return self.of_content(node, part) if node.tag in _OPEN else 0

    def _of_group(self, name: tuple[str, str]) -> int:
        if name not in self._known:
            self._known[name] = 0  # a circle counts nothing here; it is told as what it is elsewhere
            found = self._groups.get(name)
            self._known[name] = self.of_content(*found) if found is not None else 0
        return self._known[name]


def _name(node: _Element) -> tuple[str, str]:
    prefix, _, local = str(node.get("ref")).rpartition(":")
    spaces: Any = node.nsmap
    return spaces.get(prefix or None) or "", local
