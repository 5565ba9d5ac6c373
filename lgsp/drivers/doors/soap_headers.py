"""What the header blocks of a SOAP request say: purpose in our own block, WS-Addressing; what must be understood and is not, is refused.

Answers go back on the connection that asked, and nowhere else: of WS-Addressing 1.0 only the anonymous and the none address are accepted,
and no address in a request is ever looked at to connect to it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lgsp.codec.soap.envelope import is_ours, must_be_understood
from lgsp.codec.soap.lexical import quick
from lgsp.codec.soap.refusal import OURS
from lgsp.errors import Fault
from lgsp.model.parties import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lxml.etree import _Element

    from lgsp.codec.soap.envelope import Envelope

WSA = "http://www.w3.org/2005/08/addressing"
ANONYMOUS, NONE = f"{WSA}/anonymous", f"{WSA}/none"
SOAP_FAULT_ACTION = f"{WSA}/soap/fault"
LONGEST = 1000
NO_PURPOSE = Purpose()
_BLOCK = f"{{{OURS}}}Lgsp"
_PURPOSE: Mapping[str, str] = MappingProxyType(
    {
        f"{{{OURS}}}Purpose": "slug",
        f"{{{OURS}}}Official": "official",
        f"{{{OURS}}}PublicService": "public_service",
        f"{{{OURS}}}Dossier": "dossier",
        f"{{{OURS}}}RepresentedParty": "represented_party",
    }
)
_ADDRESSING = frozenset(f"{{{WSA}}}{name}" for name in ("To", "Action", "MessageID", "RelatesTo", "ReplyTo", "FaultTo", "From"))


@dataclass(frozen=True, slots=True)
class Heard:
    """What the blocks say; `answers`, `faults`: whether anybody waits for them (the none address says no)."""

    purpose: Purpose = NO_PURPOSE
    action: str = ""
    message_id: str = ""
    answers: bool = True
    faults: bool = True

    def blocks(self, action: str, message_id: str) -> bytes:
        """The header blocks of the answer; none for a sender that uses no WS-Addressing."""
        if not self.message_id and not self.action:
            return b""
        relates = f"<wsa:RelatesTo>{quick(self.message_id)}</wsa:RelatesTo>" if self.message_id else ""
        said = f"<wsa:Action>{quick(action)}</wsa:Action><wsa:MessageID>urn:uuid:{message_id}</wsa:MessageID>{relates}"
        return (
            said.replace("<wsa:Action>", f'<wsa:Action xmlns:wsa="{WSA}">')
            .replace("<wsa:MessageID>", f'<wsa:MessageID xmlns:wsa="{WSA}">')
            .replace("<wsa:RelatesTo>", f'<wsa:RelatesTo xmlns:wsa="{WSA}">')
            .encode()
        )


NOTHING_HEARD = Heard()


def hear(envelope: Envelope, path: str, understood: frozenset[str] = frozenset()) -> Heard:
    """Read the blocks that are meant for us; `understood`: tags that somebody else takes care of."""
    if not envelope.blocks:
        return NOTHING_HEARD
    ours = [block for block in envelope.blocks if is_ours(block, envelope.version)]
    known = understood | _ADDRESSING | {_BLOCK}
    for block in ours:
        if block.tag not in known and must_be_understood(block, envelope.version):
            raise Fault("header-not-understood", extra={"notUnderstood": str(block.tag)})
    once = _once([block for block in ours if block.tag in _ADDRESSING or block.tag == _BLOCK])
    if not once:
        return NOTHING_HEARD
    _refuse_elsewhere(_text(once.get(f"{{{WSA}}}To")), path)
    answers = _expects(once.get(f"{{{WSA}}}ReplyTo"), otherwise=True)
    return Heard(
        purpose=_purpose(once.get(_BLOCK)),
        action=_text(once.get(f"{{{WSA}}}Action")),
        message_id=_text(once.get(f"{{{WSA}}}MessageID")),
        answers=answers,
        faults=_expects(once.get(f"{{{WSA}}}FaultTo"), otherwise=answers),
    )


def joined(said: Purpose, heard: Purpose) -> Purpose:
    """HTTP headers and header block as one; where both speak of the same thing, they must agree."""
    if heard is NO_PURPOSE:
        return said
    changes = {}
    for each in fields(Purpose):
        one, other = getattr(said, each.name), getattr(heard, each.name)
        if one is not None and other is not None and one != other:
            raise Fault("malformed-request", f"HTTP header and SOAP header block disagree about {each.name}")
        if other is not None:
            changes[each.name] = other
    return replace(said, **changes)


def _once(blocks: Sequence[_Element]) -> Mapping[str, _Element]:
    found = {str(block.tag): block for block in blocks}
    several = [block for block in blocks if found[str(block.tag)] is not block and not str(block.tag).endswith("}RelatesTo")]
    if several:
        raise Fault("malformed-request", f"header block {str(several[0].tag).rpartition('}')[2]} is there twice")
    return found


def _text(node: _Element | None) -> str:
    """The text of a block that holds nothing else."""
    if node is None:
        return ""
    text = (node.text or "").strip()
    if len(node) or len(text) > LONGEST:
        raise Fault("malformed-request", f"{str(node.tag).rpartition('}')[2]} holds more than a short text")
    return text


def _purpose(block: _Element | None) -> Purpose:
    if block is None:
        return NO_PURPOSE
    found: dict[str, str] = {}
    for part in block:
        name = _PURPOSE.get(str(part.tag))
        if name is None or name in found:
            raise Fault("malformed-request", "header block Lgsp has a part that is unknown or there twice")
        text = _text(part)
        if text:
            found[name] = text
    return Purpose(**found)


def _expects(reference: _Element | None, *, otherwise: bool) -> bool:
    """Whether an endpoint reference waits on this connection; any address but anonymous and none is refused."""
    if reference is None:
        return otherwise
    addresses = reference.findall(f"{{{WSA}}}Address")
    address = _text(addresses[0]) if len(addresses) == 1 else ""
    if address not in {ANONYMOUS, NONE}:
        raise Fault("reply-address-refused", f"{str(reference.tag).rpartition('}')[2]} is neither anonymous nor none")
    return address == ANONYMOUS


def _refuse_elsewhere(to: str, path: str) -> None:
    """`To` need not know the name of our host (there may be a proxy), but it must mean this service."""
    if not to or to == ANONYMOUS:
        return
    try:
        is_here = urlsplit(to).path.endswith(path)
    except ValueError:
        is_here = False
    if not is_here:
        raise Fault("reply-address-refused", "To is the address of something else")
