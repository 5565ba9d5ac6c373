"""What a SOAP stand-in asks of header blocks: none that must be understood and is unknown, a UsernameToken where one is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.codec.soap.envelope import is_ours, must_be_understood
from lgsp.codec.wss.header import SECURITY, USERNAME_TOKEN
from lgsp.codec.wss.username import read_username_token
from lgsp.errors import Fault, WssError

if TYPE_CHECKING:
    from lgsp.codec.soap.envelope import Envelope
    from lgsp.codec.soap.speech import Speech

ADDRESSING = ("{http://www.w3.org/2005/08/addressing}", "{http://schemas.xmlsoap.org/ws/2004/08/addressing}")


def judged_blocks(envelope: Envelope, speech: Speech) -> None:
    """Raise a Fault for a block that must be understood and is neither declared nor WS-Security or WS-Addressing."""
    known = {SECURITY, *(block.name for block in speech.operation.request.headers)}
    for block in envelope.blocks:
        tag = str(block.tag)
        is_known = tag in known or tag.startswith(ADDRESSING)
        if not is_known and is_ours(block, envelope.version) and must_be_understood(block, envelope.version):
            raise Fault("header-not-understood", extra={"notUnderstood": tag})


def shown_token(envelope: Envelope, now: float) -> None:
    """Raise a Fault where no UsernameToken is shown, or one that nobody could judge (without a password, too old)."""
    tokens = [token for block in envelope.blocks if block.tag == SECURITY for token in block.findall(USERNAME_TOKEN)]
    if len(tokens) != 1:
        raise Fault("wss-invalid", "a policy of the WSDL asks for one wsse:UsernameToken")
    try:
        read_username_token(tokens[0], now)
    except WssError as error:
        raise Fault(error.slug, str(error)) from error


__all__ = ["judged_blocks", "shown_token"]
