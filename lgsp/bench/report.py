"""What a bench says: medians of its rounds, ratios, floors; as a table for people and as JSON for machines."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

MEGABYTE = 1_000_000
WIDTH = 110


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


@dataclass(frozen=True, slots=True)
class Row:
    """One server under one load: the median of the rounds, errors added up, the highest peak of memory."""

    server: str
    body: str
    requests_s: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    errors: int
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Floor:
    """A promise of the hub and what was measured; `at_least` or else at most."""

    name: str
    bound: float
    measured: float
    at_least: bool

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


@dataclass(slots=True)
class Report:
    """Everything that one run found."""

    bench: str
    settings: dict[str, Any]
    machine: dict[str, Any] = field(default_factory=machine)
    rows: list[Row] = field(default_factory=list)
    ratios: dict[str, float] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    floors: list[Floor] = field(default_factory=list)

    def row(self, server: str, body: str) -> Row | None:
        """The row of a server under one body, if it was measured."""
        return next((row for row in self.rows if (row.server, row.body) == (server, body)), None)

    def ratio(self, over: str, under: str, body: str) -> float | None:
        """Requests a second of one server over those of another."""
        one, other = self.row(over, body), self.row(under, body)
        return round(one.requests_s / other.requests_s, 3) if one and other and other.requests_s else None

    def floor(self, name: str, bound: float, measured: float | None, *, at_least: bool = True) -> None:
        """Hold a measurement against its promise; what was not measured is left out."""
        if measured is not None:
            self.floors.append(Floor(name, bound, round(measured, 3), at_least))

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "bench": self.bench,
            "machine": self.machine,
            "settings": self.settings,
            "rows": [asdict(row) for row in self.rows],
            "ratios": self.ratios,
            **self.extra,
            "floors": [asdict(floor) | {"holds": floor.holds} for floor in self.floors],
        }


def median_row(rounds: Sequence[Row]) -> Row:
    """The rounds of one server under one body as one row."""

    def middle(values: list[float], digits: int) -> float:
        return round(statistics.median(values), digits)

    return Row(
        rounds[0].server,
        rounds[0].body,
        middle([row.requests_s for row in rounds], 1),
        middle([row.cpu_us for row in rounds], 1),
        middle([row.p50_ms for row in rounds], 2),
        middle([row.p99_ms for row in rounds], 2),
        sum(row.errors for row in rounds),
        round(max(row.peak_mb for row in rounds), 1),
    )


def show(report: Report) -> None:
    """Print the report for people."""
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(f"[bold]lgsp bench {report.bench}[/bold] on " + ", ".join(f"{name} {value}" for name, value in report.machine.items()))
    console.print(", ".join(f"{name} {value}" for name, value in report.settings.items()))
    table = Table("server", "body", "requests/s", "CPU us/request", "p50 ms", "p99 ms", "errors", "peak MB")
    for column in table.columns[2:]:
        column.justify = "right"
    for row in report.rows:
        figures = (
            f"{row.requests_s:,.0f}",
            f"{row.cpu_us:,.0f}",
            f"{row.p50_ms:.2f}",
            f"{row.p99_ms:.2f}",
            str(row.errors),
            f"{row.peak_mb:.0f}",
        )
        table.add_row(row.server, row.body, *figures)
    if report.rows:
        console.print(table)
    for name, value in {**report.ratios, **report.extra}.items():
        console.print(f"{name}: {value}")
    for floor in report.floors:
        sign = "[green]holds[/green]" if floor.holds else "[red]missed[/red]"
        console.print(f"{sign} {floor.name}: {floor.measured:g} ({'>=' if floor.at_least else '<='} {floor.bound:g})")
