"""A gateway that does nothing: Starlette takes the request, aiohttp sends it on, the answer goes back as it came.

Run as `python -m lgsp.bench.peers.pass_through PORT PROVIDER_URL`.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request


async def forward(request: Request) -> Response:
    """Send the bytes on."""
    body = await request.body()
    session: aiohttp.ClientSession = request.state.session
    async with session.post(request.app.state.provider, data=body, headers={"Content-Type": request.headers["content-type"]}) as reply:
        return Response(await reply.read(), reply.status, media_type=reply.headers["Content-Type"])


@contextlib.asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, aiohttp.ClientSession]]:
    """One session for the life of the process."""
    connector = aiohttp.TCPConnector(limit=64)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False, timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield {"session": session}


def application(provider: str) -> Starlette:
    """The gateway in front of one provider."""
    app = Starlette(routes=[Route("/{path:path}", forward, methods=["POST"])], lifespan=lifespan)
    app.state.provider = provider
    return app


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
