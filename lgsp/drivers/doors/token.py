"""The token endpoint: OAuth2 client credentials by HTTP Basic or form, in the shape that users of WSO2 gateways know (RFC 6749)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from lgsp.codec import json
from lgsp.model.happening import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.ports.engine import Directory

FORM = "application/x-www-form-urlencoded"
JSON_NO_STORE = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


@dataclass(frozen=True, slots=True)
class TokenDoor:
    """What the token endpoint needs.

    client_of: Authorization header and form to the client id whose secret was shown, or None. issue: client id, scope, time to a token.
    """

    client_of: Callable[[str | None, Mapping[str, str]], Awaitable[str | None]]
    issue: Callable[[str, str, float], str]
    directory: Directory
    life_s: int

    async def grant(self, credential: str | None, media_type: str, body: bytes, now: float) -> Reply:
        """A token, or an error of RFC 6749 section 5.2."""
        form = _form(media_type, body)
        if form is None:
            return _refusal(400, "invalid_request", "expected a form")
        if form.get("grant_type") != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "only client_credentials is offered")
        client_id = await self.client_of(credential, form)
        consumer = self.directory.consumer(client_id) if client_id else None
        if client_id is None or consumer is None or not consumer.active:
            return _refusal(401, "invalid_client", "unknown client or wrong secret", ("WWW-Authenticate", "Basic"))
        scope = form.get("scope", "default")
        answer = {
            "access_token": self.issue(client_id, scope, now),
            "token_type": "Bearer",
            "expires_in": self.life_s,
            "scope": scope,
        }
        return Reply(200, json.encode(answer), JSON_NO_STORE)


def _form(media_type: str, body: bytes) -> Mapping[str, str] | None:
    if media_type != FORM:
        return None
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except ValueError:
        return None
    form = dict(pairs)
    return form if len(form) == len(pairs) else None


def _refusal(status: int, error: str, description: str, *headers: tuple[str, str]) -> Reply:
    body = json.encode({"error": error, "error_description": description})
    return Reply(status, body, (*JSON_NO_STORE, *headers))
