"""Signed heads leave the hub, to where its operator cannot take them back: a folder, a mailbox, another hub."""

from __future__ import annotations

import asyncio
import os
import re
import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import aiohttp
import structlog

from lgsp.codec import json
from lgsp.errors import JsonError, SettingsError
from lgsp.evidence.batch import shown_head
from lgsp.evidence.verifier import head_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from lgsp.model.evidence import Head
    from lgsp.ports.evidence import Archive, Sending

TIMEOUT_S = 20.0
SMTP_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
NOT_CONFIRMED = (OSError, smtplib.SMTPException, aiohttp.ClientError, TimeoutError, JsonError)
OK = 200

MAIL_TEXT = """\
Gốc bằng chứng đã ký của {hub}: {size} lá. Hãy giữ thư này: mọi sửa đổi lịch sử về trước sẽ khác với gốc dưới đây.
A signed head of the evidence of {hub}: {size} leaves. Keep this mail: any change of what was before differs from the root below.

{text}signature: {signature}
"""


class Recipient(Protocol):
    """Somebody who keeps heads; `name` tells recipients apart, and names no person and no secret."""

    name: str

    async def take(self, head: Mapping[str, Any]) -> bool:
        """Send it; whether the recipient has it now. Raises one of NOT_CONFIRMED."""


class FolderRecipient:
    """A folder on somebody else's disk: one file for each head, never written again."""

    def __init__(self, folder: Path) -> None:
        self.name = f"folder {folder.name}"
        self._folder = folder

    async def take(self, head: Mapping[str, Any]) -> bool:
        """Recipient; durable when it returns."""
        return await asyncio.to_thread(self._write, head)

    def _write(self, head: Mapping[str, Any]) -> bool:
        content = json.encode(head) + b"\n"
        path = self._folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', head['hub'])}-{head['batch']:012}.json"
        if not path.exists():
            fresh = path.with_suffix(f".{os.getpid()}")
            with fresh.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        _sync(self._folder)
        return path.read_bytes() == content


def _sync(folder: Path) -> None:
    """A name is durable when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class MailRecipient:
    """A mailbox: `smtp://user:password@host:25?from=hub@example&to=auditor@example`, or smtp+starttls, smtps."""

    def __init__(self, url: str) -> None:
        parts, told = urlsplit(url), parse_qs(urlsplit(url).query)
        if parts.scheme not in SMTP_PORTS or not parts.hostname or not told.get("from") or not told.get("to"):
            raise SettingsError("LGSP_EVIDENCE_MAIL: expected smtp://host?from=ADDRESS&to=ADDRESS (or smtp+starttls, smtps)")
        self._scheme, self._place = parts.scheme, (parts.hostname, parts.port or SMTP_PORTS[parts.scheme])
        self._account = (unquote(parts.username or ""), unquote(parts.password or ""))
        self._sender, self._addresses = told["from"][0], told["to"]
        self.name = f"mail {', '.join(sorted({address.rpartition('@')[2] for address in self._addresses}))}"

    async def take(self, head: Mapping[str, Any]) -> bool:
        """Recipient; confirmed when the mail server took it for everybody."""
        return not await asyncio.to_thread(self._send, self.written(head))

    def written(self, head: Mapping[str, Any]) -> EmailMessage:
        """The mail."""
        mail = EmailMessage()
        mail["Subject"] = f"lgsp: {head['size']} · {head['root'][:16]} · {head['hub']}"
        mail["From"], mail["To"] = self._sender, ", ".join(self._addresses)
        texts = {"hub": head["hub"], "size": head["size"], "signature": head["signature"]}
        mail.set_content(MAIL_TEXT.format(**texts, text=head_text(head).decode()))
        mail.add_attachment(json.encode(head), maintype="application", subtype="json", filename=f"head-{head['batch']:012}.json")
        return mail

    def _send(self, mail: EmailMessage) -> Mapping[str, Any]:
        context = ssl.create_default_context()
        if self._scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(*self._place, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(*self._place, timeout=TIMEOUT_S)
        with server:
            if self._scheme == "smtp+starttls":
                server.starttls(context=context)
            if self._account[0]:
                server.login(*self._account)
            return server.send_message(mail)


class HubRecipient:
    """Another hub, at its management address; it checks the signature, keeps the head and says so."""

    def __init__(self, url: str) -> None:
        self.name = f"hub {url}"
        self._url = f"{url.rstrip('/')}/evidence/witnessed"

    async def take(self, head: Mapping[str, Any]) -> bool:
        """Recipient."""
        timeout, headers = aiohttp.ClientTimeout(total=TIMEOUT_S), {"Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(self._url, data=json.encode(head), headers=headers, allow_redirects=False) as answer,
        ):
            told = json.decode(await answer.read()) if answer.status == OK else {}
        return isinstance(told, dict) and (told.get("size"), told.get("root")) == (head["size"], head["root"])


class Courier:
    """Sends the newest head to each recipient, whatever the number of nodes; `tell` is told (recipient, seconds without confirmation)."""

    def __init__(self, archive: Archive, sending: Sending, recipients: Sequence[Recipient], interval_s: float) -> None:
        self._archive = archive
        self._sending = sending
        self._recipients = recipients
        self._interval_s = interval_s

    async def send_due(self, now: Callable[[], float], tell: Callable[[str, float], None]) -> None:
        """Send what is due; a recipient that is away holds up no other."""
        if self._recipients and (head := await self._archive.leaves.head()) is not None:
            keys = await self._archive.keys.publics()
            shown = {**shown_head(head, self._archive.hub), "public": keys.get(head.key, "")}
            await asyncio.gather(*[self._send(each, head, shown, now, tell) for each in self._recipients])

    async def _send(
        self, recipient: Recipient, head: Head, shown: Mapping[str, Any], now: Callable[[], float], tell: Callable[[str, float], None]
    ) -> None:
        before = await self._sending.take_sending(recipient.name, now(), self._interval_s)
        if before is None:
            return
        if before.confirmed < head.batch and await _took(recipient.take(shown), recipient.name):
            await self._sending.confirm(recipient.name, head.batch, now())
            tell(recipient.name, 0.0)
        else:
            tell(recipient.name, max(0.0, now() - before.confirmed_at) if before.confirmed < head.batch else 0.0)


async def _took(taking: Awaitable[bool], name: str) -> bool:
    log = structlog.get_logger().bind(logger="lgsp.couriers")
    try:
        confirmed = await taking
    except NOT_CONFIRMED as error:
        log.warning("head_unconfirmed", recipient=name, cause=type(error).__name__)
        return False
    if not confirmed:
        log.warning("head_unconfirmed", recipient=name, cause="refused")
    return confirmed


def recipients(folder: str, mail: str, hubs: Sequence[str]) -> list[Recipient]:
    """Those whom the settings name."""
    found: list[Recipient] = [FolderRecipient(Path(folder))] if folder else []
    return [*found, *([MailRecipient(mail)] if mail else []), *(HubRecipient(url) for url in hubs)]
