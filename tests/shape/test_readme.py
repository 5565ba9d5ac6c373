"""The README tells what is so: its diagram is the state table, its settings are those that are read, its services those published.

`python tests/shape/test_readme.py` writes the diagram anew (`make readme`).
"""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from lgsp.config import Settings
from lgsp.drivers.catalogue import read_catalogue
from lgsp.policy.lifecycle import mermaid

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- lifecycle: [^\n]*-->\n).*?(<!-- end of lifecycle -->)", re.DOTALL)


def with_diagram(text: str) -> str:
    """The README with the diagram of today's state table."""
    return BLOCK.sub(lambda found: f"{found[1]}\n```mermaid\n{mermaid().strip()}\n```\n\n{found[2]}", text)


def test_the_diagram_is_drawn_from_the_state_table() -> None:
    text = README.read_text(encoding="utf-8")

    assert text == with_diagram(text), "run: make readme"


def test_every_setting_is_told() -> None:
    text = README.read_text(encoding="utf-8")
    untold = [f"LGSP_{f.name.upper()}" for f in fields(Settings) if f.name != "bindings"]

    assert [name for name in untold if f"`{name}`" not in text] == []


def test_every_operation_is_told() -> None:
    text = README.read_text(encoding="utf-8")
    operations = read_catalogue(ROOT / "adapters", ROOT / "contracts").operations.values()

    assert [o.name for o in operations if f"`{o.method} /{o.service}/{o.major}{o.path}`" not in text] == []


if __name__ == "__main__":
    README.write_text(with_diagram(README.read_text(encoding="utf-8")), encoding="utf-8")
