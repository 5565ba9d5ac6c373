"""Who speaks in a SOAP request, and how much of it counts: by a security server's word, an Authorization header, or WS-Security.

The first that is there decides. What a signature does not cover is gone from here on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.codec.soap.envelope import open_envelope
from lgsp.codec.wss.header import SECURITY
from lgsp.drivers.doors.wss import prove
from lgsp.drivers.doors.xroad import UNDERSTOOD, introduced_in_soap

if TYPE_CHECKING:
    from lgsp.codec.soap.envelope import Envelope
    from lgsp.drivers.doors.asgi import Asked, Limits
    from lgsp.drivers.doors.xroad import Introduced
    from lgsp.model.parties import Purpose, SubsystemId
    from lgsp.ports.engine import Ports


@dataclass(frozen=True, slots=True)
class Voice:
    """The envelope as far as it counts, with its document; the credential that was shown, or the speaker that is known already.

    introduced: by a security server. understood: tags of header blocks that were taken care of.
    """

    envelope: Envelope
    document: bytes
    credential: str | None = None
    speaker: SubsystemId | None = None
    introduced: Introduced | None = None
    understood: frozenset[str] = frozenset()

    @property
    def repeated(self) -> bytes:
        """Header blocks that the answer must repeat."""
        return self.introduced.blocks if self.introduced is not None else b""

    def purpose(self, said: Purpose) -> Purpose:
        """What was said, completed by what the security server knows."""
        return self.introduced.purpose(said) if self.introduced is not None else said


async def recognise(asked: Asked, envelope: Envelope, document: bytes, ports: Ports, limits: Limits) -> Voice:
    """Whose voice it is; raises Fault wss-* where WS-Security is shown and does not hold."""
    introduced = introduced_in_soap(asked, envelope.root, limits.security_servers)
    if introduced is not None:
        return Voice(envelope, document, None, introduced.consumer, introduced, UNDERSTOOD)
    credential = asked.headers.get(b"authorization")
    if credential is not None:
        return Voice(envelope, document, credential)
    proven = await prove(envelope.root, document, ports.proofs, ports.now())
    if proven is None:
        return Voice(envelope, document)
    if proven.document is not document:
        envelope = open_envelope(proven.document)
    return Voice(envelope, proven.document, None, proven.consumer, None, frozenset({SECURITY}))
