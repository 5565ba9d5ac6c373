"""The hub's clock: it goes on when the machine's is set, and follows slowly."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lgsp.drivers.clock import SteadyClock


@dataclass
class Machine:
    """A wall clock that can be set, a monotonic one that cannot, and what the steady one told."""

    wall: float = 1_800_000_000.0
    tick: int = 5_000_000_000
    told: list[float] = field(default_factory=list)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.tick += int(seconds * 1e9)

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.tick, self.told.append)


def test_it_shows_the_time_of_the_machine():
    machine = Machine()
    now = machine.clock()
    machine.passes(10)

    assert now() == pytest.approx(machine.wall)


@pytest.mark.parametrize("step_s", [3600, -3600])
def test_a_step_of_the_wall_clock_moves_it_by_a_tenth_of_what_passes(step_s):
    machine = Machine()
    now = machine.clock()
    before = now()
    machine.wall += step_s
    machine.passes(10)

    assert now() - before == pytest.approx(11 if step_s > 0 else 9)


def test_it_never_goes_back():
    machine = Machine()
    now = machine.clock()
    machine.wall -= 86_400

    seen = [now() for _ in range(100) if machine.passes(0.01) is None]

    assert seen == sorted(seen)


def test_in_the_end_it_is_where_the_wall_clock_is():
    machine = Machine()
    now = machine.clock()
    machine.wall += 60
    for _ in range(700):
        machine.passes(1)
        now()

    assert now() == pytest.approx(machine.wall)


def test_a_step_is_told_once():
    machine = Machine()
    now = machine.clock()
    machine.wall += 3600
    for _ in range(5):
        machine.passes(0.1)
        now()

    assert machine.told == [pytest.approx(3600)]
