"""People's passwords, sessions and failed sign-ins: argon2 off the event loop, signed tokens, a counter in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from lgsp.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

WAITING = 20
RETRY_S = 3.0

SESSION_S = 3600
ISSUER = "lgsp-management"
TOKEN_BYTES = 4096

FAILURES = 5
LOCK_S = 60.0
REMEMBERED = 10_000


class ArgonPasswords:
    """argon2id in threads, one or two at a time: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet, first choice).

    RFC 9106's 64 MiB would be most of what a gateway process needs otherwise.
    """

    def __init__(self, hasher: PasswordHasher | None = None, at_once: int = 2) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._free = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._nobody: str | None = None

    async def digest(self, password: str) -> str:
        """The argon2 string of a password, salt and parameters included."""
        return await self._in_turn(self._hasher.hash, password)

    async def matches(self, digest: str | None, password: str) -> bool:
        """Whether the password is right; for nobody's digest it works as long and says no."""
        if self._nobody is None:
            self._nobody = await self.digest("")
        right = await self._in_turn(self._verify, digest or self._nobody, password)
        return right and digest is not None

    async def _in_turn(self, work: Callable[..., T], *arguments: str) -> T:
        """A thread for the work; Fault("overloaded") rather than a line that a flood of sign-ins makes endless."""
        if self._waiting >= WAITING:
            raise Fault("overloaded", retry_after_s=RETRY_S)
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._waiting -= 1

    def _verify(self, digest: str, password: str) -> bool:
        try:
            return self._hasher.verify(digest, password)
        except (VerificationError, InvalidHashError):
            return False


class SignedSessions:
    """Tokens signed with HMAC-SHA256 under a key of the hub's own, so that every node reads what one node issued."""

    def __init__(self, key: bytes, session_s: int = SESSION_S) -> None:
        self._key = OctKey.import_key(key)
        self._session_s = session_s

    def issue(self, name: str, now: float) -> tuple[str, float]:
        """The token and when it ends."""
        expires_at = int(now) + self._session_s
        claims = {"iss": ISSUER, "sub": name, "iat": int(now), "exp": expires_at}
        return jwt.encode({"alg": "HS256", "typ": "session+jwt"}, claims, self._key), float(expires_at)

    def name(self, token: str, now: float) -> str:
        """Whose token it is; Fault("session-invalid") if it is nobody's, foreign or over."""
        claims = self._claims(token)
        subject, expires_at = claims.get("sub"), claims.get("exp")
        if claims.get("iss") != ISSUER or not isinstance(subject, str) or not isinstance(expires_at, int) or expires_at <= now:
            raise Fault("session-invalid")
        return subject

    def _claims(self, token: str) -> Mapping[str, object]:
        if len(token) > TOKEN_BYTES:
            raise Fault("session-invalid")
        try:
            decoded = jwt.decode(token, self._key, algorithms=["HS256"])
        except (JoseError, ValueError) as error:
            raise Fault("session-invalid") from error
        if decoded.header.get("typ") != "session+jwt":
            raise Fault("session-invalid")
        return decoded.claims


class FailureCount:
    """Failed sign-ins by name and source; after five, that pair waits a minute. One process remembers its own."""

    def __init__(self, failures: int = FAILURES, lock_s: float = LOCK_S) -> None:
        self._failures = failures
        self._lock_s = lock_s
        self._seen: dict[tuple[str, str], tuple[int, float]] = {}

    def check(self, name: str, source: str, now: float) -> None:
        """Raise Fault("sign-in-locked") while the pair waits."""
        count, last_at = self._seen.get((name, source), (0, 0.0))
        if count >= self._failures and now < last_at + self._lock_s:
            raise Fault("sign-in-locked", retry_after_s=last_at + self._lock_s - now)

    def failed(self, name: str, source: str, now: float) -> None:
        """Count one; a count whose lock is over begins anew, and the oldest pair makes room."""
        count, last_at = self._seen.pop((name, source), (0, now))
        fresh = now < last_at + self._lock_s
        self._seen[name, source] = (count + 1 if fresh else 1, now)
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]

    def succeeded(self, name: str, source: str) -> None:
        """Forget the pair."""
        self._seen.pop((name, source), None)
