"""One HTTP request from a command: tried once, with a timeout, over the standard library; no proxy, no redirect."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 20.0
ANSWER_BYTES = 64 << 20


class NotReachableError(Exception):
    """Nobody answers there, or not in HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def value(self) -> Any:
        """The body as JSON, as text where it is none, None where it is empty."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode("utf-8", "replace")


def send(method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = TIMEOUT_S) -> Answer:
    """The answer, whatever its status; NotReachableError if there is none within the timeout."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise typer.BadParameter(f"{url}: expected http://host:port or https://host")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=timeout_s)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(method, target, body=body or None, headers=dict(headers))
        response = connection.getresponse()
        content = response.read(ANSWER_BYTES)
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)
    except (OSError, HTTPException) as error:
        raise NotReachableError(f"{parts.scheme}://{parts.netloc}: {error}") from error
    finally:
        connection.close()
