"""The hub that a command steers: its management API over HTTP, as the person who signed in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lgsp.cli import keep
from lgsp.cli.wire import TIMEOUT_S, send


class RefusedError(Exception):
    """The hub said no; `problem` has the members of RFC 9457."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("title", "refused"))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class RemoteHub:
    """The management API at `url`; `token` is the bearer token of a session, or empty."""

    url: str
    language: str
    token: str = ""

    def ask(self, method: str, path: str, body: Any = None, timeout_s: float = TIMEOUT_S) -> Any:
        """The answer's JSON; RefusedError for any problem."""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        return self._sent((method, path), content, "application/json", timeout_s)

    def send_bytes(self, path: str, media_type: str, content: bytes) -> Any:
        """The same for a body that is no JSON."""
        return self._sent(("POST", path), content, media_type, TIMEOUT_S)

    def _sent(self, target: tuple[str, str], content: bytes, media_type: str, timeout_s: float) -> Any:
        method, path = target
        headers = {"Accept": "application/json", "Accept-Language": self.language}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if content:
            headers["Content-Type"] = media_type
        answer = send(method, self.url + path, headers, content, timeout_s)
        value = answer.value()
        if answer.status < 400:  # noqa: PLR2004  # RFC 9110: refusals begin here
            return value
        raise RefusedError(value if isinstance(value, dict) else {"title": f"HTTP {answer.status}", "status": answer.status})

    def client_id(self, consumer: str) -> str:
        """The client id of a consumer, named by its code (VN/GOV/...) or by the client id itself."""
        if "/" not in consumer:
            return consumer
        for each in self.ask("GET", "/consumers"):
            if each["code"] == consumer:
                return str(each["client_id"])
        raise RefusedError({"title": f"{consumer}: no such consumer", "status": 404})


def sign_in(url: str, language: str, name: str, password: str) -> dict[str, Any]:
    """A session: token, expires_at, name, role."""
    session: dict[str, Any] = RemoteHub(url, language).ask("POST", "/session", {"name": name, "password": password})
    return session


def signed_in(url: str, language: str, name: str, password: str) -> RemoteHub:
    """The hub with a token: a fresh one for name and password, or the one that `lgsp login` remembered."""
    if name and password:
        return RemoteHub(url, language, sign_in(url, language, name, password)["token"])
    return RemoteHub(url, language, keep.recall(keep.SESSIONS, url).get("token", ""))


def segment(text: str) -> str:
    """A value as one segment of a path."""
    return quote(text, safe="")
