"""A stateful stand-in of an X-Road security server pair, in REST (r1) and SOAP (4.0): rights, log, faults in both spellings.

It does what the protocol documents say a pair does between an information system that asks and one that answers: who asks is checked, ids
are logged, only the headers that pass are passed on, the answer's header is compared, the request's hash is added.
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx  # the tests' client, not the hub's
from lxml import etree
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lgsp.codec.soap.fragment import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

HEAD = "http://x-road.eu/xsd/xroad.xsd"
COMPARED = [f"{{{HEAD}}}{name}" for name in ("client", "service", "id", "userId", "issue")]
COMPARED.append("{http://x-road.eu/xsd/representation.xsd}representedParty")
NOT_PASSED = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "user-agent", "content-length"}
)
FROM_CLIENTS_DROPPED = frozenset({"x-road-request-id", "x-road-request-hash", "x-road-service"})


@dataclass
class SecurityServer:
    """`behind`: address of the information system that answers. rights: (client, service) pairs. fault: a code that every request gets."""

    behind: str = ""
    rights: set[tuple[str, str]] = field(default_factory=set)
    old_spelling: bool = False
    fault: str = ""
    tamper: Callable[[bytes], bytes] = bytes
    log: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> Starlette:
        methods = ["GET", "POST", "PUT", "DELETE", "PATCH"]
        return Starlette(routes=[Route("/r1/{path:path}", self.rest, methods=methods), Route("/", self.soap, methods=["POST"])])

    # ---- REST ----------------------------------------------------------------------------------------------------------------------

    async def rest(self, request: Request) -> Response:
        segments = request.scope["raw_path"].decode().removeprefix("/r1/").split("/")
        service, rest = "/".join(map(unquote, segments[:5])), "/".join(["", *segments[5:]])
        client = unquote(request.headers.get("x-road-client", ""))
        code = self._refusal(client, service, len(segments) >= 5)
        if code:
            status = 500 if code.lower().startswith("server.") else 400
            body = {"type": code, "message": "bị từ chối", "detail": str(uuid.uuid4())}
            return JSONResponse(body, status, headers={"X-Road-Error": code})
        number = request.headers.get("x-road-id") or str(uuid.uuid4())
        self._remember(client, service, number, request.headers.get("x-road-userid", ""))
        sent = {k: v for k, v in request.headers.items() if k not in NOT_PASSED | FROM_CLIENTS_DROPPED}
        road = {"X-Road-Id": number, "X-Road-Client": request.headers["x-road-client"], "X-Road-Service": "/".join(segments[:5])}
        road["X-Road-Request-Id"] = str(uuid.uuid4())
        query = f"?{request.url.query}" if request.url.query else ""
        body = await request.body()
        async with httpx.AsyncClient() as http:
            answer = await http.request(request.method, self.behind + rest + query, headers={**sent, **road}, content=body)
        kept = {k: v for k, v in answer.headers.items() if k not in NOT_PASSED and not k.startswith("x-road-")}
        return Response(self.tamper(answer.content), answer.status_code, {**kept, **road, "X-Road-Request-Hash": _hash(body)})

    # ---- SOAP ----------------------------------------------------------------------------------------------------------------------

    async def soap(self, request: Request) -> Response:
        content = await request.body()
        asked = _blocks(content)
        client, service = asked.get("client", ""), asked.get("service", "")
        code = self._refusal(client, service, set(asked) >= {"client", "service", "id", "protocolVersion"})
        if code:
            return _fault(code)
        self._remember(client, service, asked["id"], asked.get("userId", ""))
        headers = {name: request.headers[name] for name in ("content-type", "soapaction") if name in request.headers}
        async with httpx.AsyncClient() as http:
            answer = await http.post(self.behind, headers=headers, content=content)
        envelope = parse(answer.content)
        if envelope[-1][0].tag.endswith("}Fault"):
            return Response(answer.content, 500, media_type="text/xml")
        if _compared(parse(content)) != _compared(envelope):
            return _fault(self._spelled("server.serverproxy.inconsistent_response"))
        found = etree.SubElement(envelope[0], f"{{{HEAD}}}requestHash", algorithmId="http://www.w3.org/2001/04/xmlenc#sha512")
        found.text = _hash(content)
        return Response(self.tamper(etree.tostring(envelope)), media_type="text/xml")

    # ---- both ----------------------------------------------------------------------------------------------------------------------

    def _refusal(self, client: str, service: str, is_whole: bool) -> str:
        if self.fault:
            return self.fault
        if not is_whole or not client:
            return self._spelled("client.missing_header_field")
        if (client, service) in self.rights:
            return ""
        known = {each for _, each in self.rights}
        return self._spelled(f"server.serverproxy.{'access_denied' if service in known else 'unknown_service'}")

    def _spelled(self, code: str) -> str:
        if not self.old_spelling:
            return code
        camel = re.sub(r"(^|[._])([a-z])", lambda match: match[1].replace("_", "") + match[2].upper(), code)
        return camel.replace("Clientproxy", "ClientProxy").replace("Serverproxy", "ServerProxy")

    def _remember(self, client: str, service: str, number: str, user: str) -> None:
        self.log.append({"client": client, "service": service, "id": number, "user": user})


def _hash(content: bytes) -> str:
    return base64.b64encode(hashlib.sha512(content).digest()).decode()


def _blocks(content: bytes) -> dict[str, str]:
    envelope = parse(content)
    blocks = [block for block in envelope[0] if block.tag.startswith(f"{{{HEAD}}}")] if len(envelope) > 1 else []
    return {etree.QName(block).localname: "/".join(t.strip() for t in block.itertext() if t.strip()) for block in blocks}


def _compared(envelope: etree._Element) -> list[tuple[str, str]]:
    header = envelope[0] if len(envelope) > 1 else ()
    return [(block.tag, "".join(block.itertext()).strip()) for block in header if block.tag in COMPARED]


def _fault(code: str) -> Response:
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        f"<faultcode>{code}</faultcode><faultstring>bị từ chối</faultstring><faultactor/>"
        f"<detail><faultDetail>{uuid.uuid4()}</faultDetail></detail></s:Fault></s:Body></s:Envelope>"
    )
    return Response(body, 500, media_type="text/xml")
