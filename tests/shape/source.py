"""What the shape tests look at: the Python files of the product, parsed, and what is tracked."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BUDGET = re.compile(r"# budget: \w+")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One parsed file; `name` is its path from the top of the checkout."""

    name: str
    lines: tuple[str, ...]
    tree: ast.Module

    def functions(self) -> list[Function]:
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    def is_excused(self, node: Function) -> bool:
        """Whether the signature carries `# budget: REASON`."""
        return any(BUDGET.search(line) for line in self.lines[node.lineno - 1 : node.body[0].lineno])


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file of lgsp/ and adapters/."""
    files = sorted(file for top in ("lgsp", "adapters") for file in (ROOT / top).rglob("*.py"))
    return tuple(_parsed(file) for file in files)


def _parsed(file: Path) -> Source:
    text = file.read_text(encoding="utf-8")
    return Source(str(file.relative_to(ROOT)), tuple(text.splitlines()), ast.parse(text))


@cache
def tracked() -> tuple[Path, ...]:
    """Files that are, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    return tuple(ROOT / name for name in listed if name and ((ROOT / name).is_symlink() or (ROOT / name).is_file()))
