"""Bell: a ring reaches who listens, in this process and over RabbitMQ."""

from __future__ import annotations

import asyncio
import uuid
from urllib.parse import urlsplit

import pytest
from kombu import Connection

from lgsp.drivers.bell import open_bell
from lgsp.errors import SettingsError
from lgsp.prove.proxy import Proxy


@pytest.fixture
def prefix(broker_url):
    """Queue names of this test's own, deleted afterwards."""
    name = f"lgsp_test_{uuid.uuid4().hex[:12]}"
    connection = Connection(broker_url, connect_timeout=3)
    connection.connect()
    yield name
    for provider in ("portal", "land"):
        connection.default_channel.queue_delete(f"{name}.{provider}")
    connection.release()


@pytest.fixture(params=["local", "broker"])
async def bell(request):
    made = open_bell() if request.param == "local" else open_bell(request.getfixturevalue("broker_url"), request.getfixturevalue("prefix"))
    yield made
    await made.close()


async def until(condition, within_s=5.0):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_ring_reaches_who_listens_to_that_provider(bell):
    heard = []
    await bell.listen(["portal", "land"], heard.append)

    bell.ring("portal", ["m-1"])
    await until(lambda: heard)
    bell.ring("land", ["m-2"])

    await until(lambda: len(heard) == 2)
    assert heard == ["portal", "land"]


async def test_a_ring_never_waits(bell):
    started = asyncio.get_running_loop().time()

    for number in range(1000):
        bell.ring("portal", [f"m-{number}"])

    assert asyncio.get_running_loop().time() - started < 0.5


async def test_rings_before_anybody_listens_wait_in_the_broker(broker_url, prefix):
    bell = open_bell(broker_url, prefix)
    bell.ring("portal", ["m-1"])
    await bell.close()
    later, heard = open_bell(broker_url, prefix), []

    await later.listen(["portal"], heard.append)

    await until(lambda: heard)
    await later.close()
    assert heard == ["portal"]


async def test_a_queue_that_was_deleted_is_made_again(broker_url, prefix):
    bell = open_bell(broker_url, prefix)
    heard: list[str] = []
    with Connection(broker_url) as connection:
        bell.ring("portal", ["m-1"])
        await until(lambda: _count(connection, f"{prefix}.portal") == 1)
        connection.default_channel.queue_delete(f"{prefix}.portal")

        bell.ring("portal", ["m-2"])
        await until(lambda: _count(connection, f"{prefix}.portal") == 1)

    await bell.listen(["portal"], heard.append)
    await until(lambda: heard)
    await bell.close()


async def test_a_listener_whose_queue_was_deleted_listens_again(broker_url, prefix):
    bell, heard = open_bell(broker_url, prefix), []
    await bell.listen(["portal"], heard.append)
    with Connection(broker_url) as connection:
        connection.default_channel.queue_delete(f"{prefix}.portal")
        await until(lambda: _consumers(connection, f"{prefix}.portal") == 1, 10)

    bell.ring("portal", ["m-1"])
    await until(lambda: heard)
    await bell.close()


async def test_a_broker_that_is_away_costs_rings_and_nothing_else(unused_tcp_port):
    bell = open_bell(f"amqp://guest:guest@127.0.0.1:{unused_tcp_port}//")

    for number in range(20_000):
        bell.ring("portal", [f"m-{number}"])

    await bell.close()


def test_an_address_that_no_transport_knows_is_refused_at_once():
    with pytest.raises(SettingsError, match="LGSP_BROKER_URL"):
        open_bell("carrier-pigeon://loft")


def _count(connection, queue):
    return _seen(connection, queue)[1]


def _consumers(connection, queue):
    return _seen(connection, queue)[2]


def _seen(connection, queue):
    """Name, messages, consumers; none of both while the queue is not there."""
    try:
        return connection.default_channel.queue_declare(queue, passive=True)
    except connection.channel_errors:
        return queue, 0, 0


async def test_a_broker_that_is_away_is_told(unused_tcp_port):
    told = []
    made = open_bell(f"amqp://guest:guest@127.0.0.1:{unused_tcp_port}//", on_fault=told.append)

    await until(lambda: told)
    await made.close()

    assert set(told) == {"broken"}


async def test_a_ring_that_no_queue_takes_is_told_and_sent_again(broker_url, prefix):
    told, heard = [], []
    made = open_bell(broker_url, prefix, told.append)
    made.ring("portal", ["m-1"])
    await until(lambda: not made._buffer)
    await asyncio.sleep(0.3)
    with Connection(broker_url) as connection:
        connection.default_channel.queue_delete(f"{prefix}.portal")

    made.ring("portal", ["m-2"])
    await until(lambda: told)
    await made.listen(["portal"], heard.append)
    await until(lambda: heard)
    await made.close()

    assert (told, heard) == (["unroutable"], ["portal"])


async def test_rings_do_not_wait_for_the_confirms_of_earlier_ones(broker_url, prefix):
    broker = urlsplit(broker_url)
    proxy = Proxy(broker.hostname or "127.0.0.1", broker.port or 5672)
    async with proxy.serving() as port:
        address = broker._replace(netloc=f"guest:guest@127.0.0.1:{port}").geturl()
        bell = open_bell(address, prefix)
        with Connection(broker_url) as connection:
            bell.ring("portal", ["m-0"])
            await until(lambda: _count(connection, f"{prefix}.portal") == 1)
            await asyncio.sleep(0.2)  # the first is confirmed
            proxy.set("mute")
            for number in range(1, 6):
                bell.ring("portal", [f"m-{number}"])
                await asyncio.sleep(0.1)

            await until(lambda: _count(connection, f"{prefix}.portal") == 6)
        proxy.set("refuse")
        await bell.close()
