"""The naive way to accept durably: connexion's default stack, then a commit and a confirmed publish for each request.

Run as `python -m lgsp.bench.peers.naive_accept PORT DATABASE_URL BROKER_URL QUEUE`; the database as SQLAlchemy's asyncio names it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import uuid
from typing import TYPE_CHECKING, Any

import connexion
import kombu.pools
import uvicorn
from connexion.options import SwaggerUIOptions
from connexion.resolver import Resolver
from kombu.connection import Connection
from kombu.entity import Queue
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, event, insert
from sqlalchemy.ext.asyncio import create_async_engine

from lgsp.bench.peers.contract import openapi_3_0

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DOSSIERS = Table("dossiers", MetaData(), Column("id", String, primary_key=True), Column("body", LargeBinary, nullable=False))
PUBLISHERS = 32
PUBLISH_S = 10
Answer = tuple[dict[str, Any], int, dict[str, str]]


class Desk:
    """The handlers of the contract's operations: each request is committed, then published with a confirm."""

    def __init__(self, database: str, broker: str, queue: str) -> None:
        # one writer at a time is the best that SQLite can do; more would only wait for its lock
        pool = {"pool_size": 1, "max_overflow": 0} if database.startswith("sqlite") else {"pool_size": 16}
        self.engine = create_async_engine(database, **pool)
        if database.startswith("sqlite"):
            event.listen(self.engine.sync_engine, "connect", make_durable)
        kombu.pools.set_limit(PUBLISHERS)
        self.producers = kombu.pools.producers[Connection(broker, transport_options={"confirm_publish": True})]
        self.queue = Queue(queue, durable=True)

    @contextlib.asynccontextmanager
    async def open(self, _app: object) -> AsyncIterator[None]:
        """Make table and queue before the first request."""
        async with self.engine.begin() as connection:
            await connection.run_sync(DOSSIERS.metadata.create_all)
        with self.producers.acquire(block=True) as producer:
            self.queue(producer.channel).declare()
        yield
        await self.engine.dispose()

    async def store(self, body: dict[str, Any]) -> Answer:
        """Commit, publish, answer."""
        message_id = str(uuid.uuid4())
        async with self.engine.begin() as connection:
            await connection.execute(insert(DOSSIERS).values(id=message_id, body=json.dumps(body).encode()))
        await asyncio.to_thread(self.publish, message_id)
        return {"id": message_id}, 202, {"Content-Type": "application/json"}

    def publish(self, message_id: str) -> None:
        """Ring, and wait for the broker's confirm."""
        with self.producers.acquire(block=True) as producer:
            producer.publish({"id": message_id}, routing_key=self.queue.name, delivery_mode=2, timeout=PUBLISH_S)


def make_durable(connection: Any, _record: object) -> None:
    """The same durability as the hub: WAL, each commit synced."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def application(desk: Desk) -> connexion.AsyncApp:
    """The gateway that only accepts."""
    handlers = {"submitDossier": desk.store, "storeDossier": desk.store}
    app = connexion.AsyncApp(
        "lgsp.bench.peers.naive_accept",
        lifespan=desk.open,
        validate_responses=True,
        strict_validation=True,
        swagger_ui_options=SwaggerUIOptions(swagger_ui=False),
    )
    app.add_api(openapi_3_0(), base_path="/bench-dossiers/1", resolver=Resolver(handlers.__getitem__))
    return app


if __name__ == "__main__":
    gateway = application(Desk(*sys.argv[2:5]))
    uvicorn.run(gateway, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False, loop="uvloop", http="httptools")
