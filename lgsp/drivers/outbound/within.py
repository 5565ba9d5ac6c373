"""Calls to a provider that runs in this process as an ASGI application: the same road as over the wire, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from yarl import URL

from lgsp.drivers.outbound.calls import NativeCalls
from lgsp.drivers.outbound.connection import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
    from typing import Any

    from lgsp.drivers.outbound.connection import Read
    from lgsp.model.agreed import Provider

    App = Callable[
        [MutableMapping[str, Any], Callable[[], Awaitable[dict[str, Any]]], Callable[[MutableMapping[str, Any]], Awaitable[None]]],
        Awaitable[None],
    ]


class CallsWithin(NativeCalls):
    """The Outbound port before one application, `speaks_to`, whatever the provider's address."""

    speaks_to: App

    def _pool(self, provider: Provider) -> Within:  # noqa: ARG002  # there is one
        return Within(self.speaks_to)


class Within:
    """In place of a pool of connections."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def send(
        self,
        method: str,
        url: str | URL,
        headers: Mapping[str, str],
        body: bytes | AsyncIterator[bytes] | None,
        read: Read | None = None,  # noqa: ARG002  # answers in memory are whole
    ) -> Answer:
        """One request, once."""
        content = body or b"" if body is None or isinstance(body, bytes) else b"".join([piece async for piece in body])
        asked, heard = _Asked(content), _Heard()
        await self._app(_scope(method, URL(url), {**headers, "Content-Length": str(len(content))}), asked, heard)
        return Answer(heard.status, heard.headers, bytes(heard.body))


class _Asked:
    """The ASGI side that gives the body, then says that nobody is there any more."""

    def __init__(self, content: bytes) -> None:
        self._events = [{"type": "http.request", "body": content, "more_body": False}]

    async def __call__(self) -> dict[str, Any]:
        return self._events.pop() if self._events else {"type": "http.disconnect"}


class _Heard:
    """The ASGI side that takes the answer."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 0, dict[str, str](), bytearray()

    async def __call__(self, event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in event.get("headers", ())}
        else:
            self.body += event.get("body", b"")


def _scope(method: str, url: URL, headers: Mapping[str, str]) -> dict[str, Any]:
    lower = {name.lower(): value for name, value in headers.items()}
    lower.setdefault("host", url.authority)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": url.scheme,
        "path": unquote(url.raw_path),
        "raw_path": url.raw_path.encode(),
        "root_path": "",
        "query_string": url.raw_query_string.encode(),
        "headers": [(name.encode("latin-1"), value.encode("utf-8")) for name, value in lower.items()],
        "client": ("127.0.0.1", 0),
        "server": (url.host or "", url.port),
    }
