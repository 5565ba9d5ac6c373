"""How the hub proves itself to a provider, as its manifest declares: header expressions, and a session that a login call opens.

Many exchanges share one session; when a reply says that it ended, one login is made, and all wait for it and learn of its failure.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lgsp.errors import BusinessRefusal, Fault, Unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.model.agreed import Auth, Session

    Ask = Callable[[Any, Any], Awaitable[Any]]


def header_values(auth: Auth, bound: Mapping[str, str], url: str, now: float) -> dict[str, str]:
    """The declared headers of one request; expressions see the bound references, `url` and `now_ms`."""
    if not auth.headers:
        return {}
    scope = {**bound, "url": url, "now_ms": int(now * 1000)}
    return {name: str(value(scope)) for name, value in auth.headers}


class Sessions:
    """The sessions of one provider, by represented party ("" where the hub speaks for itself)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open: dict[str, Any] = {}
        self._logins: dict[str, asyncio.Task[Any]] = {}

    async def token(self, party: str, bound: Mapping[str, str], ask: Ask) -> Any:
        """The open session's token; logs in where there is none. Raises Unreachable, for what was to be sent in the session was not."""
        if party in self._open:
            return self._open[party]
        login = self._logins.get(party)
        if login is None:
            login = self._logins[party] = asyncio.create_task(self._login(bound, ask))
            login.add_done_callback(lambda done: self._ended(party, done))
        try:
            return await asyncio.shield(login)  # who gives up waiting does not end it for the others
        except Fault as fault:
            raise _not_opened(fault) from fault

    def ended(self, party: str, token: Any) -> None:
        """Forget this token; a newer one that somebody else opened meanwhile stays."""
        if self._open.get(party) == token:
            del self._open[party]

    def _ended(self, party: str, done: asyncio.Task[Any]) -> None:
        del self._logins[party]
        if not done.cancelled() and done.exception() is None:
            self._open[party] = done.result()

    async def _login(self, bound: Mapping[str, str], ask: Ask) -> Any:
        call = self._session.call
        scope: dict[str, Any] = {
            "value": {},
            "request": {},
            "param": {},
            "message": {},
            "purpose": {},
            "uses": bound,
            "known": {},
            "now": 0.0,
        }
        reply = await ask(call, call.to_native(scope))
        if call.ok_when is not None and not call.ok_when(reply):
            raise Fault("provider-denied", "the login was refused")
        token = reply
        for name in self._session.reads:
            token = token.get(name) if isinstance(token, dict) else None
        if not token:
            raise Fault("provider-denied", "the login gave no session")
        return token


def _not_opened(fault: Fault) -> Fault:
    """The login's fault as that of the call that waited for it and surely was not sent; a refusal is of the hub, not of a message."""
    slug = "provider-denied" if isinstance(fault, BusinessRefusal) else fault.slug
    same = Unreachable(slug, f"login: {fault.detail}", retry_after_s=fault.retry_after_s)
    if slug == fault.slug:
        same.blame = fault.blame
    return same
