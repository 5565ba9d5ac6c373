"""Machine identity: access tokens that the hub signs (RFC 9068) and reads back, and the secrets that earn them (RFC 6749 section 4.4)."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from lgsp.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.ports.office import Register

ALGORITHM = "ES256"
SKEW_S = 60
REMEMBERED_TOKENS = 10_000


def new_signing_key() -> bytes:
    """A fresh P-256 private key as PEM."""
    return ECKey.generate_key("P-256").as_pem(private=True)


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs, for whom, for how long. `keys` by key id, the first one signs."""

    name: str
    audience: str
    life_s: int
    keys: Mapping[str, ECKey]


def read_keys(pems: Sequence[tuple[str, bytes]]) -> dict[str, ECKey]:
    """Signing keys by key id."""
    return {kid: ECKey.import_key(pem, {"kid": kid}) for kid, pem in pems}


class Tokens:
    """The Identity port: signs access tokens, and says whose token this is. A token that was verified once is remembered until it ends."""

    def __init__(self, issuer: Issuer, new_id: Callable[[], str]) -> None:
        self._issuer = issuer
        self._new_id = new_id
        self._known: dict[str, tuple[str, float]] = {}

    def issue(self, client_id: str, scope: str, now: float) -> str:
        """A signed token for one consumer."""
        issuer = self._issuer
        kid, key = next(iter(issuer.keys.items()))
        claims = {
            "iss": issuer.name,
            "aud": issuer.audience,
            "sub": client_id,
            "client_id": client_id,
            "scope": scope,
            "iat": int(now),
            "exp": int(now) + issuer.life_s,
            "jti": self._new_id(),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": "at+jwt", "kid": kid}, claims, key)

    def identify(self, credential: str | None, now: float) -> str:
        """The client id in `Authorization: Bearer TOKEN`; raises Fault token-missing, token-invalid or token-expired."""
        if not credential:
            raise Fault("token-missing")
        known = self._known.get(credential)
        if known is None:
            known = self._verify(credential, now)
            if len(self._known) >= REMEMBERED_TOKENS:
                self._known.clear()
            self._known[credential] = known
        if known[1] + SKEW_S < now:
            self._known.pop(credential, None)
            raise Fault("token-expired")
        return known[0]

    def recall(self, credential: str) -> str | None:
        """The client id, if this process has verified the credential before; it may have ended since."""
        known = self._known.get(credential)
        return None if known is None else known[0]

    def _verify(self, credential: str, now: float) -> tuple[str, float]:
        scheme, _, token = credential.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Fault("token-missing", "Authorization carries no bearer token")
        try:
            read = jwt.decode(token, self._key_of, algorithms=[ALGORITHM])
        except (JoseError, ValueError, TypeError) as error:
            raise Fault("token-invalid", "the signature does not hold") from error
        claims = read.claims
        sound = read.header.get("typ") == "at+jwt" and claims.get("iss") == self._issuer.name and claims.get("aud") == self._issuer.audience
        client_id, expires = claims.get("client_id"), claims.get("exp")
        if not sound or not isinstance(client_id, str) or not isinstance(expires, int) or claims.get("iat", 0) > now + SKEW_S:
            raise Fault("token-invalid", "issued by or for somebody else")
        return client_id, float(expires)

    def _key_of(self, token: object) -> ECKey:
        key = self._issuer.keys.get(token.headers().get("kid", ""))  # type: ignore[attr-defined]  # joserfc's guest object
        if key is None:
            message = "unknown key id"
            raise ValueError(message)
        return key


class Secrets:
    """Which consumer shows one of its secrets; several may be valid at once, and only their keyed digests are kept."""

    def __init__(self, register: Register, mac: Callable[[bytes], bytes]) -> None:
        self._register = register
        self._mac = mac

    async def client_of(self, credential: str | None, form: Mapping[str, str]) -> str | None:
        """The client id whose secret was shown, by HTTP Basic or in the form; None if it is not one of that consumer's secrets."""
        client_id, secret = _shown(credential, form)
        if not client_id or not secret:
            return None
        shown = self._mac(secret.encode())
        sound = [hmac.compare_digest(shown, kept) for kept in await self._register.secret_macs(client_id)]
        return client_id if any(sound) else None


def _shown(credential: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    if not credential:
        return form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = credential.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)
