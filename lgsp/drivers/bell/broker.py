"""The bell over a broker, by kombu, for several nodes.

Nothing here waits for the broker: rings go into a bounded buffer, one thread publishes them on a connection of its own, many at one time
with their confirms in a pipeline, another listens on its own, and both connect again by themselves. Every call has a timeout; the library's
own retries are off.

RabbitMQ 3.10: a quorum queue that is deleted under a consumer and declared again before that consumer was told is consumed by nobody,
though it lists one. Only the sweep helps then, until the listener connects again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.messaging import Consumer, Producer

from lgsp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BUFFER_RINGS = 10_000
IDS_A_MESSAGE = 500
TIMEOUT_S = 5.0
HEARTBEAT_S = 20
AGAIN_S = 1.0
PIPELINE = 64
"""So many messages may wait for their confirms at one time."""
HEAR_S = 0.01
PREFETCH = 50
QUIET_S = 0.25
KEPT_RINGS = 10_000
"""A queue that nobody listens to drops its oldest rings beyond this."""


class BrokerBell:
    """Rings over a broker: a durable quorum queue for each provider, shared by all nodes, so that one of them wakes."""

    def __init__(self, broker_url: str, prefix: str, on_fault: Callable[[str], None] = lambda _: None) -> None:
        self._line = _Line(broker_url, prefix, on_fault)
        self._buffer: deque[tuple[str, str]] = deque(maxlen=BUFFER_RINGS)
        self._rung = threading.Event()
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._start("lgsp-bell-publisher", partial(_publish, self._line, self._buffer, self._rung, self._ended))

    def ring(self, provider: str, message_ids: Sequence[str]) -> None:
        """Bell."""
        self._buffer.extend([(provider, message_id) for message_id in message_ids])
        if not self._rung.is_set():
            self._rung.set()

    async def listen(self, providers: Sequence[str], on_ring: Callable[[str], None]) -> None:
        """Ringing; returns once the broker delivers, or after TIMEOUT_S if it is away: it is then listened to when it comes back."""
        loop, listening = asyncio.get_running_loop(), threading.Event()
        ear = _Ear(tuple(providers), lambda provider: loop.call_soon_threadsafe(on_ring, provider), listening)
        self._start("lgsp-bell-listener", partial(_listen, self._line, ear, self._ended))
        await asyncio.to_thread(listening.wait, TIMEOUT_S)

    async def close(self) -> None:
        """Publish what is in the buffer if the broker is there, then hang up."""
        self._ended.set()
        self._rung.set()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _start(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)


class _Line:
    """How the broker is reached, and what its queues are called."""

    def __init__(self, url: str, prefix: str, on_fault: Callable[[str], None]) -> None:
        try:
            Connection(url).transport_cls  # noqa: B018 -- reading it judges the scheme
        except (KeyError, ValueError, ImportError) as error:
            raise SettingsError(f"LGSP_BROKER_URL: kombu knows no transport for it: {error}") from error
        self._url = url
        self.prefix = prefix
        self.on_fault = on_fault

    def connect(self) -> Any:
        options: dict[str, Any] = {"read_timeout": TIMEOUT_S, "write_timeout": TIMEOUT_S}
        options["on_blocked"] = lambda *_: self.on_fault("blocked")  # RabbitMQ tells who publishes during an alarm of memory or disk
        connection = Connection(self._url, connect_timeout=TIMEOUT_S, heartbeat=HEARTBEAT_S, transport_options=options)
        connection.connect()
        return connection

    def queue(self, provider: str) -> Queue:
        name = f"{self.prefix}.{provider}"
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": 20, "x-max-length": KEPT_RINGS}
        return Queue(name, Exchange("", type="direct"), routing_key=name, durable=True, queue_arguments=arguments)


# ---- the publishing thread -----------------------------------------------------------------------------------------------------------


def _publish(line: _Line, buffer: deque[tuple[str, str]], rung: threading.Event, ended: threading.Event) -> None:
    """Until ended: connect, publish what is in the buffer, beat; after a fault begin again."""
    log = structlog.get_logger().bind(logger="lgsp.bell")
    while True:
        try:
            with line.connect() as connection:
                _publish_on(line, connection, buffer, rung, ended)
        except Exception as error:  # noqa: BLE001 -- a door to the broker: whatever it throws, the thread lives on and rings can be lost
            log.warning("bell_broken", cause=type(error).__name__)
            line.on_fault("broken")
        if ended.wait(AGAIN_S):
            return


def _publish_on(line: _Line, connection: Any, buffer: deque[tuple[str, str]], rung: threading.Event, ended: threading.Event) -> None:
    pipeline = _Pipeline(line, connection, buffer)
    while not (ended.is_set() and not buffer and not pipeline.under_way):
        if not pipeline.under_way:
            rung.wait(HEARTBEAT_S / 4)
        rung.clear()
        for provider, ids in _gathered(buffer, PIPELINE - len(pipeline.under_way)):
            pipeline.ring(provider, ids)
        pipeline.hear(HEAR_S if pipeline.under_way else 0.0)
        connection.heartbeat_check()


def _gathered(buffer: deque[tuple[str, str]], most: int) -> Sequence[tuple[str, list[str]]]:
    """What is in the buffer now, by provider, in at most so many messages; what is left waits for the next confirms."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for _ in range(min(len(buffer), most * IDS_A_MESSAGE // 2)):
        provider, message_id = buffer.popleft()
        found[provider].append(message_id)
    starts = [(provider, start) for provider, ids in found.items() for start in range(0, len(ids), IDS_A_MESSAGE)]
    return [(provider, found[provider][start : start + IDS_A_MESSAGE]) for provider, start in starts]


class _Pipeline:
    """Rings that were sent and not confirmed yet, several at one time, by delivery tag; what comes back is rung again.

    Mandatory: RabbitMQ confirms what it cannot route and drops it, so a returned ring is sent again to a fresh queue.
    """

    def __init__(self, line: _Line, connection: Any, buffer: deque[tuple[str, str]]) -> None:
        self.under_way: dict[int, tuple[str, Sequence[str], float]] = {}
        self._line = line
        self._connection = connection
        self._buffer = buffer
        self._channel = connection.default_channel
        self._producer = Producer(self._channel, serializer="json")
        self._declared: set[str] = set()
        self._tag = 0
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._confirmed)
        self._channel.events["basic_nack"].add(self._refused)
        self._channel.events["basic_return"].add(self._returned)

    def ring(self, provider: str, ids: Sequence[str]) -> None:
        """Send, and do not wait."""
        queue = self._line.queue(provider)
        if queue.name not in self._declared:
            queue(self._channel).queue_declare()
            self._declared.add(queue.name)
        self._tag += 1
        self.under_way[self._tag] = (provider, ids, time.monotonic())
        self._producer.publish({"ids": list(ids)}, routing_key=queue.name, delivery_mode=2, mandatory=True, retry=False, timeout=TIMEOUT_S)

    def hear(self, wait_s: float) -> None:
        """What the broker says within this time; TimeoutError if it has owed a confirm for too long."""
        with contextlib.suppress(TimeoutError):
            self._connection.drain_events(timeout=wait_s)
        oldest = next(iter(self.under_way.values()), None)
        if oldest is not None and time.monotonic() - oldest[2] > TIMEOUT_S:
            raise TimeoutError("a ring was not confirmed")

    def _confirmed(self, tag: int, multiple: bool) -> None:
        self._settled(tag, multiple=multiple)

    def _refused(self, tag: int, multiple: bool) -> None:
        for provider, ids, _ in self._settled(tag, multiple=multiple):
            self._buffer.extend((provider, message_id) for message_id in ids)

    def _returned(self, _error: object, _exchange: str, routing_key: str, message: Any) -> None:
        """No queue took it: declare them all anew and ring once more."""
        self._declared.clear()
        self._line.on_fault("unroutable")
        provider = routing_key.removeprefix(f"{self._line.prefix}.")
        self._buffer.extend((provider, message_id) for message_id in json.loads(message.body)["ids"])

    def _settled(self, tag: int, *, multiple: bool) -> Sequence[tuple[str, Sequence[str], float]]:
        tags = [each for each in self.under_way if each <= tag] if multiple else [tag]
        return [self.under_way.pop(each) for each in tags if each in self.under_way]


# ---- the listening thread ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Ear:
    """Who listens to what: `hand_over` takes a ring to the loop, `listening` is set once the broker delivers."""

    providers: Sequence[str]
    hand_over: Callable[[str], object]
    listening: threading.Event


def _listen(line: _Line, ear: _Ear, ended: threading.Event) -> None:
    """Until ended: connect, hand over what rings; after a fault begin again."""
    log = structlog.get_logger().bind(logger="lgsp.bell")
    while not ended.is_set():
        try:
            with line.connect() as connection:
                _listen_on(line, connection, ear, ended)
        except Exception as error:  # noqa: BLE001 -- a door to the broker: whatever it throws, the sweep goes on finding what is due
            log.warning("bell_broken", cause=type(error).__name__)
            line.on_fault("broken")
            ended.wait(AGAIN_S)


def _listen_on(line: _Line, connection: Any, ear: _Ear, ended: threading.Event) -> None:
    channel = connection.channel()
    channel.basic_qos(0, PREFETCH, a_global=False)  # quorum queues know no global limit
    for provider in ear.providers:
        queue = line.queue(provider)
        queue(channel).queue_declare()
        Consumer(channel, [queue], on_message=partial(_rung, provider, ear.hand_over), auto_declare=False).consume()
    ear.listening.set()
    while not ended.is_set():
        try:
            connection.drain_events(timeout=QUIET_S)
        except TimeoutError:
            connection.heartbeat_check()


def _rung(provider: str, hand_over: Callable[[str], object], message: Any) -> None:
    """Acknowledged once the loop has it; a loop that is closed by now throws, and another node gets the ring."""
    hand_over(provider)
    message.ack()
