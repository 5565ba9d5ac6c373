"""What the crash test says: for each row its runs, violations and the worst time to recover; as a table and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from lgsp.prove.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.prove.oracle import Verdict

WIDTH = 150
NAMED = 20
"""So many numbers of a violation are named in the JSON, to be followed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of one row: the oracle's verdict, the worst time to recover, what else was seen, what a row found amiss itself."""

    row: str
    verdict: Verdict
    recovered_s: float
    facts: dict[str, Any]
    complaints: Sequence[str] = ()

    @property
    def violations(self) -> int:
        """All of them."""
        return self.verdict.violations + len(self.complaints)

    def line(self) -> str:
        """In one line."""
        found = ", ".join(f"{name} {count}" for name, count in self.verdict.counts().items() if count)
        seen = ", ".join(f"{name} {value}" for name, value in self.facts.items())
        verdict = "; ".join([*([found] if found else []), *self.complaints]) or "no violation"
        return f"{self.row}: {verdict}; recovered in {self.recovered_s:.1f} s; {seen}"

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        named = {name: getattr(self.verdict, name)[:NAMED] for name, count in self.verdict.counts().items() if count}
        return {
            "row": self.row,
            "violations": self.violations,
            "counts": self.verdict.counts(),
            "numbers": named,
            "complaints": list(self.complaints),
            "t_recover_s": round(self.recovered_s, 2),
            "facts": self.facts,
        }


def summary(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Each row with its runs, violations and worst time to recover."""
    rows = []
    for name in dict.fromkeys(outcome.row for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.row == name]
        rows.append(
            {
                "row": name,
                "title": ROWS[name].title,
                "runs": len(mine),
                "messages": sum(outcome.facts["accepted"] + outcome.facts["refused"] + outcome.facts["unknown"] for outcome in mine),
                "strikes": sum(outcome.facts["strikes"] for outcome in mine),
                "violations": sum(outcome.violations for outcome in mine),
                "complaints": sum(len(outcome.complaints) for outcome in mine),
                "counts": {key: sum(o.verdict.counts()[key] for o in mine) for key in mine[0].verdict.counts()},
                "worst_t_recover_s": round(max(outcome.recovered_s for outcome in mine), 1),
            }
        )
    return rows


def show(outcomes: Sequence[Outcome], left_out: Mapping[str, str], console: Console | None = None) -> None:
    """Print the table, what every row means, and what was left out."""
    console = console or Console()
    console.width = max(console.width, WIDTH)
    names = list(outcomes[0].verdict.counts()) if outcomes else []
    table = Table("row", "runs", "messages", "strikes", *[name.replace("_", " ") for name in names], "own figures", "worst recovery s")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in summary(outcomes):
        figures = [str(row["runs"]), str(row["messages"]), str(row["strikes"]), *[str(row["counts"][name]) for name in names]]
        table.add_row(row["row"], *figures, str(row["complaints"]), f"{row['worst_t_recover_s']:.1f}")
    console.print(table)
    for row in summary(outcomes):
        console.print(f"{row['row']}: {row['title']}")
    for name, reason in left_out.items():
        console.print(f"{name}: left out, {reason}")


def show_rows(console: Console | None = None) -> None:
    """Print what there is."""
    console = console or Console()
    console.width = max(console.width, WIDTH)
    table = Table("row", "fault", "databases", "needs")
    for name, row in ROWS.items():
        table.add_row(name, row.title, ", ".join(sorted(row.databases)), ", ".join(sorted(row.needs)))
    console.print(table)
