"""SOAP envelopes as such: bytes opened into header blocks and body, before anybody knows which operation they are for."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from lgsp.codec.soap.fragment import parse
from lgsp.codec.soap.tables import SOAP_11, SOAP_12
from lgsp.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lxml.etree import _Element


@dataclass(frozen=True, slots=True)
class Names:
    """The tags of one SOAP version, ready to compare."""

    version: str
    envelope: str
    header: str
    body: str
    fault: str


def _names(version: str) -> Names:
    return Names(version, *(f"{{{version}}}{name}" for name in ("Envelope", "Header", "Body", "Fault")))


NAMES: Mapping[str, Names] = MappingProxyType({version: _names(version) for version in (SOAP_11, SOAP_12)})
_NEXT_11 = "http://schemas.xmlsoap.org/soap/actor/next"
_OUR_ROLES = frozenset({"", *(f"{SOAP_12}/role/{name}" for name in ("next", "ultimateReceiver"))})
_BY_TAG = {names.envelope: names for names in NAMES.values()}


@dataclass(frozen=True, slots=True)
class Envelope:
    """An opened envelope: its version (a namespace), root, header blocks, and the children of its body."""

    version: str
    root: _Element
    blocks: Sequence[_Element]
    bodies: Sequence[_Element]

    @property
    def child(self) -> _Element | None:
        """The only child of the body; None where the body is empty. CodecError if there are several."""
        if len(self.bodies) > 1:
            raise CodecError(f"the SOAP body has {len(self.bodies)} children, expected is one")
        return self.bodies[0] if self.bodies else None

    @property
    def is_fault(self) -> bool:
        """Whether the body holds a fault."""
        return bool(self.bodies) and self.bodies[0].tag == NAMES[self.version].fault


def open_envelope(data: bytes, version: str | None = None) -> Envelope:
    """Parse a document (hardened) as an envelope of this version, or of any; CodecError tells why it is none."""
    root = parse(data)
    names = _BY_TAG.get(str(root.tag))
    if names is None or version not in (None, names.version):
        _refuse_root(root, version)
    bodies = [part for part in root if part.tag == names.body]
    if len(bodies) != 1:
        raise CodecError(f"the envelope has {len(bodies)} bodies, expected is one")
    header: Any = root.find(names.header)
    body: Any = bodies[0]
    return Envelope(names.version, root, () if header is None else header[:], body[:])


def is_ours(block: _Element, version: str) -> bool:
    """Whether a header block is meant for whoever gets the message (SOAP 1.1 section 4.2.2, SOAP 1.2 part 1 section 2.2)."""
    if version == SOAP_11:
        return (block.get(f"{{{version}}}actor") or "") in {"", _NEXT_11}
    return (block.get(f"{{{version}}}role") or "") in _OUR_ROLES


def must_be_understood(block: _Element, version: str) -> bool:
    """Whether a message must be refused by who does not know this block."""
    return (block.get(f"{{{version}}}mustUnderstand") or "0").strip() in {"1", "true"}


def _refuse_root(root: _Element, version: str | None) -> NoReturn:
    if str(root.tag).rpartition("}")[2].lower() == "html":
        raise CodecError("the message is an HTML page, not a SOAP envelope")
    raise CodecError(f"the root element is not {NAMES[version].envelope if version else 'a SOAP 1.1 or 1.2 envelope'}")


__all__ = ["NAMES", "Envelope", "Names", "is_ours", "must_be_understood", "open_envelope"]
