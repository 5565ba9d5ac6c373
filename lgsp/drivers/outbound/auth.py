"""How the hub proves itself to a provider, as its manifest declares: header expressions, and a session that a login call opens.

Many exchanges share one session; when a reply says that it ended, one of them logs in and the others wait for it (single flight).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lgsp.errors import Fault

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
        self._logins: dict[str, asyncio.Lock] = {}

    async def token(self, party: str, bound: Mapping[str, str], ask: Ask) -> Any:
        """The open session's token; logs in where there is none."""
        if party not in self._open:
            async with self._logins.setdefault(party, asyncio.Lock()):
                if party not in self._open:
                    self._open[party] = await self._login(bound, ask)
        return self._open[party]

    def ended(self, party: str, token: Any) -> None:
        """Forget this token; a newer one that somebody else opened meanwhile stays."""
        if self._open.get(party) == token:
            del self._open[party]

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
