"""The data plane's SOAP door: `/{service}/{major}/soap` and `?wsdl`. It reads an envelope, hands it to exchange.carry, writes an envelope.

The body's element says which operation is meant, and nothing else does: SOAPAction is compared, never followed. Who speaks, and how much
of the envelope counts, says voice.py.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lgsp import exchange
from lgsp.codec import json
from lgsp.codec.soap.envelope import Envelope
from lgsp.codec.soap.inbound import MEDIA_TYPES, read_content_type, read_envelope
from lgsp.codec.soap.refusal import CONTENT_TYPES
from lgsp.codec.soap.tables import SOAP_11
from lgsp.drivers.doors.asgi import body_pieces, read_body, read_path, read_purpose
from lgsp.drivers.doors.faces import Faces
from lgsp.drivers.doors.mtom import (
    RELATED,
    Package,
    cut_at_binary,
    inline_reply,
    open_package,
    package_reply,
    put_parts,
)
from lgsp.drivers.doors.soap_faults import fault_reply
from lgsp.drivers.doors.soap_headers import NOTHING_HEARD, hear, joined
from lgsp.drivers.doors.voice import Voice, recognise
from lgsp.errors import Fault
from lgsp.model.agreed import ADDRESS
from lgsp.model.files import MARK
from lgsp.model.happening import Message, Reply
from lgsp.stages.fill import cut_at_files
from lgsp.stages.identify import identify, known_consumer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.drivers.doors.asgi import Asked, Headers, Limits
    from lgsp.drivers.doors.mtom import Keep
    from lgsp.model.agreed import Service
    from lgsp.model.catalogue import Catalogue
    from lgsp.model.face import SoapFace, SoapOffer, SoapOperation
    from lgsp.ports.engine import Ports

    Content = tuple[Mapping[str, str], Any]

SUFFIX, SINGLE = "/soap", "singlewsdl"
_BODY = b"<soap:Body>"
_CHILD = re.compile(rb"[^&]{0,200}?<(?:[\w.-]+:)?Envelope[^<>]*>\s*<(?:[\w.-]+:)?Body[^<>]*>\s*<(?:[\w.-]+:)?([\w.-]+)", re.ASCII)
NOTHING_ELSE = Envelope(SOAP_11, None, (), ())  # type: ignore[arg-type]  # of an envelope that was recognised nobody asks for more
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:]{2,45}\](:[0-9]{1,5})?")


class Said:
    """A request in SOAP as the engine sees it (the Speech of a Message)."""

    def __init__(self, service: Service, spoken: SoapOperation, content: Envelope | Content, actions: Sequence[str]) -> None:
        self.operation = (service.code, service.major, spoken.name)
        self.spoken = spoken
        self._content = content
        self._actions = actions

    def read(self) -> tuple[Mapping[str, str], Any]:
        """Parameters and canonical request; asked for only after the consumer was authorised for the operation of the body."""
        if any(action not in self.spoken.actions for action in self._actions):
            raise Fault("action-mismatch")
        if isinstance(self._content, tuple):
            return self._content
        parameters, value, violations = self.spoken.read(self._content)
        if violations:
            raise Fault("body-invalid", "1 place breaks the contract" if len(violations) == 1 else "", errors=violations)
        return parameters, value

    def write(self, reply: Any) -> bytes:
        """The answer's envelope, without header blocks."""
        document, violations = self.spoken.write(reply)
        if violations:
            raise Fault("reply-unwritable", errors=violations)
        return document


class SoapDoor:
    """Answers one request after another."""

    def __init__(self, ports: Ports, limits: Limits, issuer: str) -> None:
        self._ports = ports
        self._limits = limits
        self._issuer = issuer
        self._faces = Faces()

    async def answer(self, asked: Asked) -> Reply:
        """One request to one envelope, or to a document of the WSDL."""
        talk = _Talk(_version_said(asked.headers))
        try:
            return await self._answer(asked, talk)
        except Fault as fault:
            return self._fault(fault, asked, talk)

    def fault(self, fault: Fault, asked: Asked) -> Reply:
        """A fault as this sender can read it, as far as its headers tell."""
        return self._fault(fault, asked, _Talk(_version_said(asked.headers)))

    def _fault(self, fault: Fault, asked: Asked, talk: _Talk) -> Reply:
        names, told = (self._issuer, asked.message_id, asked.trace_id), fault.extra.get("providerFault", {})
        typed = talk.spoken.fault(told["name"], told.get("detail")) if talk.spoken is not None and "name" in told else b""
        return fault_reply(fault, talk.version, talk.heard, names, typed)

    async def _answer(self, asked: Asked, talk: _Talk) -> Reply:
        talk.catalogue = catalogue = self._ports.catalogue.current()
        service, offer = _service(read_path(asked.scope), catalogue)
        method = asked.scope["method"]
        if method == "GET" and asked.scope["query_string"]:
            return await self._document(service, offer, asked)
        if method != "POST":
            raise Fault("method-not-allowed", headers=(("Allow", "POST"),))
        try:
            message, said = await self._hear((service, offer), asked, talk)
        except Fault as fault:
            self._ports.log.refused_unidentified(asked.source, fault.slug, self._ports.now())
            raise
        reply = _written(await exchange.carry(message, self._ports), said, talk, asked.message_id)
        return await self._with_files(reply, said, talk, message) if reply.body else reply

    async def _hear(self, offered: tuple[Service, SoapOffer], asked: Asked, talk: _Talk) -> tuple[Message, Said]:
        """From bytes to the message; everything that can be refused without knowing who speaks is refused here."""
        service, offer = offered
        received_at = self._ports.now()
        package = await self._open(asked)
        usual = self._usual(offer.made, package, asked.headers)
        if usual is not None:
            talk.version = MEDIA_TYPES[package.media_type]
            talk.spoken = usual[0]
            voice = Voice(NOTHING_ELSE, package.root, asked.headers.get(b"authorization"))
            said = Said(service, *usual, _actions(asked.headers.text(b"soapaction"), package.action, ""))
            return self._message(asked, voice, said, talk, received_at), said
        envelope, document = read_envelope(package.root, package.media_type, package.charset)
        talk.version, talk.packs = envelope.version, package.rest is not None
        voice = await recognise(asked, envelope, document, self._ports, self._limits)
        envelope, talk.repeated = voice.envelope, voice.repeated
        face = offer.made or await self._first(service, offer, voice, received_at)
        talk.spoken = spoken = _dispatch(face, envelope)
        talk.heard = hear(envelope, read_path(asked.scope), voice.understood)
        actions = _actions(asked.headers.text(b"soapaction"), package.action, talk.heard.action)
        if package.rest is not None and (keep := self._keep(voice, (service.code, spoken.name), received_at)) is not None:
            await put_parts(envelope, package.rest, keep)
        said = Said(service, spoken, envelope, actions)
        return self._message(asked, voice, said, talk, received_at), said

    async def _first(self, service: Service, offer: SoapOffer, voice: Voice, at: float) -> SoapFace:
        """The face that nobody spoke to yet; only who is known has it made."""
        known_consumer(voice.credential, at, self._ports, speaker=voice.speaker)
        return await self._faces.face(service, offer)

    def _message(self, asked: Asked, voice: Voice, said: Said, talk: _Talk, received_at: float) -> Message:
        return Message(
            id=asked.message_id,
            received_at=received_at,
            method="POST",
            path=asked.scope["path"],
            query={},
            media_type=asked.headers.text(b"content-type").partition(";")[0],
            body=voice.document,
            credential=voice.credential,
            source=asked.source,
            purpose=voice.purpose(joined(read_purpose(asked.headers), talk.heard.purpose)),
            idempotency_key=asked.headers.get(b"idempotency-key"),
            trace_id=asked.trace_id,
            supersedes=asked.headers.get(b"lgsp-supersedes"),
            speech=said,
            speaker=voice.speaker,
            catalogue=talk.catalogue,
        )

    def _usual(self, face: SoapFace | None, package: Package, headers: Headers) -> tuple[SoapOperation, Content] | None:
        """The operation and content of a request that is surely sound, comes alone, and shows who speaks in an HTTP header.

        All others are parsed.
        """
        match = _CHILD.match(package.root)
        is_plain = package.rest is None and package.charset in {None, "utf-8", "UTF-8"} and not self._limits.security_servers
        if match is None or not is_plain or face is None or headers.get(b"authorization") is None:
            return None
        version, end = MEDIA_TYPES[package.media_type], "}" + match[1].decode()
        for (spoken_in, element), spoken in face.operations.items():
            if spoken_in == version and element.endswith(end) and (content := spoken.recognise(package.root)) is not None:
                return spoken, content
        return None

    async def _open(self, asked: Asked) -> Package:
        """The envelope's bytes, and the parts that follow it where it comes with attachments."""
        media_type, parameters = read_content_type(asked.headers.text(b"content-type"))
        if media_type == RELATED:
            return await open_package(body_pieces(asked, self._limits.file_bytes), parameters, self._limits.body_bytes)
        if media_type not in MEDIA_TYPES:
            raise Fault("media-type-unsupported", f"expected {' or '.join((*MEDIA_TYPES, RELATED))}")
        body = await read_body(asked.receive, asked.headers, self._limits.body_bytes)
        return Package(media_type, parameters.get("charset"), parameters.get("action", ""), body, None)

    def _keep(self, voice: Voice, operation: tuple[str, str], at: float) -> Keep | None:
        """What keeps attachments for a known consumer; None where it has no right to the operation, and they are not even read."""
        consumer = known_consumer(voice.credential, at, self._ports, speaker=voice.speaker).id
        if self._ports.directory.right(consumer, *operation) is None:
            return None
        return lambda content, media_type: self._ports.vault.keep(content, consumer, media_type, self._limits.file_bytes)

    async def _with_files(self, reply: Reply, said: Said, talk: _Talk, message: Message) -> Reply:
        """Files that the answer names are part of it: beside the envelope for who sent attachments, in it for others."""
        names = said.spoken.binary if talk.packs else frozenset()
        if MARK not in reply.body and not names:
            return reply
        consumer = identify(message, self._ports).id
        outgoing = cut_at_binary(await cut_at_files(reply.body, consumer, self._ports.vault), names)
        if not outgoing.attachments:
            return reply
        return package_reply(reply, outgoing, message.id.replace("-", "")) if talk.packs else inline_reply(reply, outgoing)

    async def _document(self, service: Service, offer: SoapOffer, asked: Asked) -> Reply:
        """`?wsdl` and what it imports, by name, or `?singleWsdl`; the address in them is the one that was asked, or the public one."""
        kind, _, name = unquote(asked.scope["query_string"].decode("ascii", "replace")).partition("=")
        if kind.lower() not in {"wsdl", "xsd", SINGLE} or bool(name) < (kind.lower() == "xsd"):
            raise Fault("not-found")
        is_single = kind.lower() == SINGLE and not name
        await self._faces.face(service, offer)  # no WSDL without what speaks it
        document = await asyncio.to_thread(offer.wsdl.single if is_single else lambda: offer.wsdl.documents().get(name))
        if document is None:
            raise Fault("not-found")
        address = (self._limits.public or f"http://{_host(asked.headers)}") + asked.scope["path"]
        return Reply(200, document.replace(ADDRESS.encode(), address.encode()), (("Content-Type", "text/xml; charset=utf-8"),))


class _Talk:
    """What is known of the sender's tongue so far, for the fault that may come at any time."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.heard = NOTHING_HEARD
        self.packs = False
        self.repeated = b""
        self.catalogue: Catalogue | None = None
        self.spoken: SoapOperation | None = None


def _version_said(headers: Headers) -> str:
    return MEDIA_TYPES.get(headers.text(b"content-type").partition(";")[0].strip().lower(), SOAP_11)


def _host(headers: Headers) -> str:
    host = headers.text(b"host")
    if not _HOST.fullmatch(host):
        raise Fault("malformed-request", "the Host header cannot be read")
    return host


def _dispatch(face: SoapFace, envelope: Envelope) -> SoapOperation:
    if envelope.version not in face.versions:
        raise Fault("soap-version", extra={"versions": sorted(face.versions)})
    element = str(envelope.bodies[0].tag) if envelope.bodies else ""
    spoken = face.operations.get((envelope.version, element))
    if spoken is None:
        raise Fault("malformed-body", "the element in the Body asks for no operation of this service")
    return spoken


def _actions(header: str, parameter: str, addressing: str) -> Sequence[str]:
    """Every action that the sender names in any place; an empty one names none."""
    text = header.strip()
    bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    return [action for action in (bare, parameter, addressing) if action]


def _service(path: str, catalogue: Catalogue) -> tuple[Service, SoapOffer]:
    code, _, major = path.removesuffix(SUFFIX).removeprefix("/").partition("/")
    if not (major.isascii() and major.isdigit()):
        raise Fault("not-found")
    service = catalogue.services.get((code, int(major[:9])))
    if service is None or service.soap is None or str(service.major) != major:
        raise Fault("not-found")
    return service, service.soap


def _written(reply: Reply, said: Said, talk: _Talk, message_id: str) -> Reply:
    kept = [(name, value) for name, value in reply.headers if name != "Content-Type"]
    if said.spoken.one_way or not talk.heard.answers:
        return Reply(202, b"", tuple(kept))
    document = reply.spoken or said.write(json.decode(reply.body))
    blocks = talk.repeated + talk.heard.blocks(said.spoken.reply_action, message_id)
    if blocks:
        document = document.replace(_BODY, b"<soap:Header>" + blocks + b"</soap:Header>" + _BODY, 1)
    return Reply(200, document, (("Content-Type", CONTENT_TYPES[talk.version]), *kept))
