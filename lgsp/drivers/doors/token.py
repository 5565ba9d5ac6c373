"""The token endpoint: OAuth2 client credentials by HTTP Basic or form, in the shape that users of WSO2 gateways know (RFC 6749)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from lgsp.codec import json
from lgsp.drivers.identity import client_of
from lgsp.model import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lgsp.drivers.identity import Tokens
    from lgsp.ports import Directory, Register

FORM = "application/x-www-form-urlencoded"
JSON_NO_STORE = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


@dataclass(frozen=True, slots=True)
class TokenDoor:
    """What the token endpoint needs: who signs, where the secrets are kept, who is registered."""

    tokens: Tokens
    register: Register
    directory: Directory
    mac: Callable[[bytes], bytes]
    life_s: int

    async def grant(self, credential: str | None, media_type: str, body: bytes, now: float) -> Reply:
        """A token, or an error of RFC 6749 section 5.2."""
        form = _form(media_type, body)
        if form is None:
            return _refusal(400, "invalid_request", "expected a form")
        if form.get("grant_type") != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "only client_credentials is offered")
        client_id = await client_of(credential, form, self.register, self.mac)
        consumer = self.directory.consumer(client_id) if client_id else None
        if client_id is None or consumer is None or not consumer.active:
            return _refusal(401, "invalid_client", "unknown client or wrong secret", ("WWW-Authenticate", "Basic"))
        scope = form.get("scope", "default")
        answer = {
            "access_token": self.tokens.issue(client_id, scope, now),
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
