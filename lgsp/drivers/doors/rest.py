"""The data plane's REST door: a SpecMiddleware of connexion's own stack, placed first (DESIGN decision 4).

It reads one HTTP request with limits, hands it to exchange.carry, and writes the answer. The catalogue owns the contracts; connexion is
given their routes, and the door refuses to start where the two disagree.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from connexion.middleware import SpecMiddleware

from lgsp import exchange
from lgsp.drivers.doors.asgi import (
    Asked,
    Headers,
    Limits,
    read_body,
    read_business_key,
    read_path,
    read_purpose,
    read_query,
    read_trace_id,
    write_reply,
)
from lgsp.drivers.doors.contracts import contract_reply, is_asked
from lgsp.drivers.doors.files import PATH as FILES
from lgsp.drivers.doors.files import FileDoor
from lgsp.drivers.doors.gate import PLACE, REFUSAL
from lgsp.drivers.doors.mailbox import PATH as MAILBOX
from lgsp.drivers.doors.mailbox import MailboxDoor
from lgsp.drivers.doors.mtom import inline_reply
from lgsp.drivers.doors.opaque import OPAQUE, read_opaque
from lgsp.drivers.doors.problems import language_of, problem_reply
from lgsp.drivers.doors.receipts import PATH as RECEIPTS
from lgsp.drivers.doors.receipts import ReceiptDoor
from lgsp.drivers.doors.soap import SUFFIX, SoapDoor
from lgsp.drivers.doors.xroad import introduced_in_rest
from lgsp.errors import ContractError, Fault, Finding
from lgsp.model.files import MARK
from lgsp.model.happening import Message
from lgsp.stages.fill import cut_at_files
from lgsp.stages.identify import identify

if TYPE_CHECKING:
    from connexion.spec import Specification
    from starlette.types import Receive, Scope, Send

    from lgsp.drivers.doors.token import TokenDoor
    from lgsp.model.happening import Reply
    from lgsp.ports.engine import Ports

OK, ACCEPTED = 200, 202


class RestDoor(SpecMiddleware):  # type: ignore[misc]  # connexion has no types for mypy to see
    """The ASGI application in front; everything that is not HTTP goes on to connexion."""

    def __init__(self, app: Any, *, ports: Ports, token_door: TokenDoor, limits: Limits, issuer: str) -> None:
        self._app = app
        self._ports = ports
        self._token_door = token_door
        self._limits = limits
        self._issuer = issuer
        self._receipts = ReceiptDoor(ports, issuer)
        self._mailbox = MailboxDoor(ports)
        self._soap = SoapDoor(ports, limits, issuer)
        self._files = FileDoor(ports, limits.file_bytes)
        self._log = structlog.get_logger().bind(logger="lgsp.door")

    def add_api(self, specification: Specification, *, base_path: str, **_: Any) -> None:
        """Called by connexion for each contract: each of its routes must be an operation of the catalogue."""
        catalogue = self._ports.catalogue.current()
        for path, methods in specification["paths"].items():
            for method in methods:
                if catalogue.find(method.upper(), base_path + path) is None:
                    raise ContractError([Finding(base_path, 0, path, "route", f"{method.upper()} is in no catalogue")])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request to one answer, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        message_id, headers = self._ports.new_id(), Headers(scope)
        asked = Asked(scope, receive, headers, message_id, read_trace_id(headers) or message_id.replace("-", ""))
        try:
            message, reply = await self._answer(asked)
            if message is not None and reply.status == ACCEPTED and (prefer := asked.headers.get(b"prefer")):
                scope[PLACE].give_back()
                reply = await self._receipts.in_time(reply, message, prefer, _language(asked))
        except Fault as fault:
            reply = self._told(fault, asked)
        except Exception:  # noqa: BLE001  # the outermost layer: a bug answers as a problem, and never leaks
            self._log.exception("internal_error", message_id=message_id, trace_id=asked.trace_id)
            reply = self._told(Fault("internal-error"), asked)
        await write_reply(receive, send, reply, (("lgsp-message-id", message_id), *_echoed(asked.headers)))

    def _told(self, fault: Fault, asked: Asked) -> Reply:
        if asked.scope["path"].endswith(SUFFIX):
            return self._soap.fault(fault, asked)
        return problem_reply(fault, _language(asked), self._issuer, asked.message_id, asked.trace_id)

    async def _answer(self, asked: Asked) -> tuple[Message | None, Reply]:
        """The answer, and the message that a stored one may yet be answered for."""
        if REFUSAL in asked.scope:
            raise asked.scope[REFUSAL]
        asked.headers.refuse_doubled()
        if asked.scope["path"].endswith(SUFFIX):
            return None, await self._soap.answer(asked)
        if asked.scope["path"] == FILES or asked.scope["path"].startswith(FILES + "/"):
            return None, await self._files.answer(asked)
        message = await self._read(asked)
        return message, await self._answer_message(message, _language(asked))

    async def _answer_message(self, message: Message, language: str) -> Reply:
        """By the hub's own places, which no service can have, else by the exchange."""
        if message.path == "/token":
            return await self._token(message)
        own = "/" + message.path.lstrip("/").partition("/")[0]
        if own == RECEIPTS:
            return await self._receipts.answer(message, language)
        if own == MAILBOX:
            return await self._mailbox.answer(message)
        if is_asked(message, self._ports):
            return contract_reply(message, self._ports)
        return await self._with_files(await exchange.carry(message, self._ports), message)

    async def _with_files(self, reply: Reply, message: Message) -> Reply:
        """The content of files that the answer names, streamed; a receipt of what is stored keeps their stand-ins."""
        if reply.status != OK or MARK not in reply.body:
            return reply
        outgoing = await cut_at_files(reply.body, identify(message, self._ports).id, self._ports.vault)
        return inline_reply(reply, outgoing) if outgoing.attachments else reply

    async def _read(self, asked: Asked) -> Message:
        scope, headers = asked.scope, asked.headers
        introduced, purpose = introduced_in_rest(asked, self._limits.security_servers), read_purpose(headers)
        media_type = headers.text(b"content-type").partition(";")[0].strip().lower()
        is_opaque, catalogue = media_type in OPAQUE, self._ports.catalogue.current()
        message = Message(
            id=asked.message_id,
            received_at=self._ports.now(),
            method=scope["method"],
            path=read_path(scope),
            query=read_query(scope),
            media_type=media_type,
            body=b"" if is_opaque else await read_body(asked.receive, headers, self._limits.body_bytes),
            credential=headers.get(b"authorization"),
            source=asked.source,
            purpose=introduced.purpose(purpose) if introduced else purpose,
            idempotency_key=headers.get(b"idempotency-key"),
            trace_id=asked.trace_id,
            supersedes=headers.get(b"lgsp-supersedes"),
            speaker=introduced.consumer if introduced else None,
            business_key=read_business_key(headers),
            catalogue=catalogue,
        )
        return replace(message, body=await read_opaque(asked, message, self._ports, self._limits)) if is_opaque else message

    async def _token(self, message: Message) -> Reply:
        if message.method != "POST":
            raise Fault("method-not-allowed", headers=(("Allow", "POST"),))
        return await self._token_door.grant(message.credential, message.media_type, message.body, message.received_at)


def _language(asked: Asked) -> str:
    return language_of(asked.headers.text(b"accept-language"))


def _echoed(headers: Headers) -> tuple[tuple[str, str], ...]:
    request_id = headers.get(b"x-request-id")
    return (("x-request-id", request_id),) if request_id else ()
