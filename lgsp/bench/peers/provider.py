"""The provider of the bench: answers each dossier with its registration, so cheaply that it never is the limit.

A SOAP request gets a valid SOAP answer that carries the dossier back as it came; JSON, which a pass-through sends, gets JSON alike.
Run as `python -m lgsp.bench.peers.provider PORT`.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

import httptools
import uvloop

NAMESPACE = b"http://bench.lgsp.example/hoso/1.0"
DOSSIER = re.compile(rb"<((?:[\w.-]+:)?)HoSo[\s>].*</\1HoSo>", re.DOTALL)
DECLARED = re.compile(rb"\sxmlns(?::[\w.-]+)?=(?:\"[^\"]*\"|'[^']*')")
ENTRY = b'{"MaYeuCau"'
ENTRY_REPLY = b'{"error_code":"0","MaHoSo":"H00.1.5-000001-0001"}'
JSON_REPLY = b'{"reception_code":"TN-000001","status":"registered","dossier":%b}'
SOAP_REPLY = (
    b'<bs:Envelope xmlns:bs="http://schemas.xmlsoap.org/soap/envelope/"><bs:Body><bh:NopHoSoResponse xmlns:bh="' + NAMESPACE + b'"%b>'
    b"<bh:MaTiepNhan>TN-000001</bh:MaTiepNhan><bh:TrangThai>DA_DANG_KY</bh:TrangThai>%b</bh:NopHoSoResponse></bs:Body></bs:Envelope>"
)


def answer(body: bytes) -> tuple[bytes, bytes]:
    """Media type and body of the answer."""
    if body.startswith(ENTRY):
        return b"application/json", ENTRY_REPLY
    if body[:1] == b"{":
        return b"application/json", JSON_REPLY % body
    found = DOSSIER.search(body)
    if found is None:
        return b"text/plain", b"no dossier in the request"
    # the dossier is cut out as it stands, so the namespace declarations around it move along
    declared = {
        attribute: None
        for attribute in DECLARED.findall(body, 0, found.start())
        if not attribute.startswith((b" xmlns:bs=", b" xmlns:bh="))
    }
    return b"text/xml; charset=utf-8", SOAP_REPLY % (b"".join(declared), found[0])


class Provider(asyncio.Protocol):
    """One connection of a consumer."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        self.transport = cast("asyncio.Transport", transport)  # TCP gives no other
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which calls the `on_` methods."""
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Forget the last request."""
        self.parts.clear()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self.parts.append(body)

    def on_message_complete(self) -> None:
        """Answer."""
        media_type, body = answer(b"".join(self.parts))
        status = b"200 OK" if media_type != b"text/plain" else b"500 Internal Server Error"
        head = b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (status, media_type, len(body))
        self.transport.write(head + body)


async def serve(port: int) -> None:
    """Listen on loopback until the process ends."""
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
