"""What is measured is counted exactly, though gathered; no log line is lost."""

from __future__ import annotations

import asyncio
import io
from itertools import chain, repeat

from prometheus_client import CollectorRegistry, Histogram

from lgsp.drivers.lines import Lines
from lgsp.model.happening import Outcome
from lgsp.telemetry import STAGE_BUCKETS, Telemetry, Trail, exposition


def ended(telemetry: Telemetry, *durations_us: int) -> None:
    for duration_us in durations_us:
        trail = Trail(chain([0], repeat(duration_us * 1000)).__next__, "m-1", "0" * 32)
        trail.passed("translate")
        telemetry.exchange_ended(trail, Outcome.DELIVERED, 200)


def test_gathered_durations_fill_the_buckets_that_single_ones_would_fill():
    durations_us = [0, 99, 100, 101, 1000, 24_999, 25_000, 60_000_000, 60_000_001]
    telemetry, single = Telemetry(CollectorRegistry()), Histogram("single", "", buckets=STAGE_BUCKETS, registry=None)

    ended(telemetry, *durations_us)
    telemetry.settle()

    for duration_us in durations_us:
        single.observe(duration_us / 1e6)
    assert buckets(telemetry.stage.labels("translate")) == buckets(single)


def buckets(histogram: Histogram) -> list[tuple[object, float]]:
    samples = histogram._child_samples()  # a child tells its samples no other way
    return [(sample.labels, round(sample.value, 9)) for sample in samples if sample.name != "_created"]


def test_a_scrape_tells_what_ended_just_before_it():
    telemetry = Telemetry(CollectorRegistry())

    ended(telemetry, 5)

    text = exposition(telemetry, None).decode()
    assert 'lgsp_request_duration_seconds_count{operation="-",service="-"} 1.0' in text
    assert 'lgsp_stage_duration_seconds_sum{stage="translate"} 5e-06' in text


def test_lines_are_written_together_and_in_order():
    file = io.BytesIO()
    lines = Lines(file)

    async def log() -> bytes:
        for number in range(3):
            lines.info(b"%d" % number)
        before = file.getvalue()
        lines.write()
        return before

    assert asyncio.run(log()) == b""
    assert file.getvalue() == b"0\n1\n2\n"


def test_a_line_outside_of_an_event_loop_is_written_at_once():
    file = io.BytesIO()

    Lines(file).warning(b"{}")

    assert file.getvalue() == b"{}\n"


def test_nobody_has_to_write_for_a_line_to_appear():
    file = io.BytesIO()

    async def log() -> None:
        Lines(file).info(b"{}")
        await asyncio.sleep(0.2)

    asyncio.run(log())

    assert file.getvalue() == b"{}\n"
