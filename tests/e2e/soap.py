"""What a SOAP consumer says and hears, for the end-to-end tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    import httpx
    from lxml.etree import _Element

    from tests.e2e.hub import Running

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
OURS = "urn:lgsp:soap:1"
WSA = "http://www.w3.org/2005/08/addressing"
CITIZENS = "urn:lgsp:citizens:1"
ADDRESS = "/citizens/1/soap"
CONTENT_TYPES = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}
LOOKUP = (
    f'<c:citizenLookup xmlns:c="{CITIZENS}"><c:citizen_id>099090000001</c:citizen_id>'
    "<c:full_name>Nguyễn Văn An</c:full_name><c:birth_date>1990-05-17</c:birth_date></c:citizenLookup>"
)


def envelope(body: str = LOOKUP, blocks: str = "", version: str = SOAP_11) -> str:
    """An envelope around a body and header blocks."""
    header = f"<s:Header>{blocks}</s:Header>" if blocks else ""
    return f'<s:Envelope xmlns:s="{version}" xmlns:w="{WSA}" xmlns:l="{OURS}">{header}<s:Body>{body}</s:Body></s:Envelope>'


@dataclass(frozen=True)
class Heard:
    """An answer: HTTP status, the root of its envelope, and what its fault says, if it is one."""

    status: int
    headers: Any
    content: bytes
    root: _Element | None = field(repr=False)

    @property
    def slug(self) -> str:
        """Of the problem in the fault's detail; empty if there is none."""
        return self.text("slug")

    @property
    def code(self) -> str:
        """The fault's code without its prefix."""
        found = [] if self.root is None else self.root.xpath("//*[local-name()='faultcode' or local-name()='Value']/text()")
        return str(found[0]).rpartition(":")[2] if found else ""

    def text(self, name: str) -> str:
        """The text of the first element of this local name."""
        found = [] if self.root is None else self.root.xpath("//*[local-name()=$name]", name=name)
        return (found[0].text or "") if found else ""


async def say(hub: Running, content: str | bytes, version: str = SOAP_11, path: str = ADDRESS, **headers: str) -> Heard:
    """Send an envelope; keyword arguments become headers, an empty one leaves a header out."""
    sent = {"Content-Type": CONTENT_TYPES[version], **hub.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
    body = content.encode() if isinstance(content, str) else content
    answer = await hub.client.post(hub.data + path, content=body, headers={k: v for k, v in sent.items() if v})
    return heard(answer)


def heard(answer: httpx.Response) -> Heard:
    """An HTTP answer as SOAP has it."""
    is_xml = "xml" in answer.headers.get("content-type", "")
    return Heard(answer.status_code, answer.headers, answer.content, etree.fromstring(answer.content) if is_xml else None)
