"""Loads the hooks of an adapter: named pure functions, held to it by what their file may import and call.

Hooks ship with a release and never in a bundle (DESIGN decision 17); this check keeps honest authors honest, it is no sandbox.
"""

from __future__ import annotations

import ast
from importlib.util import module_from_spec, spec_from_file_location
from types import FunctionType
from typing import TYPE_CHECKING

from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

MOST_LINES = 150
PURE = frozenset(
    {
        "__future__",
        "collections",
        "collections.abc",
        "datetime",
        "decimal",
        "functools",
        "itertools",
        "math",
        "re",
        "string",
        "typing",
        "unicodedata",
    }
)
IMPURE = frozenset(
    {"__import__", "breakpoint", "compile", "delattr", "eval", "exec", "globals", "input", "locals", "open", "print", "setattr", "vars"}
)
CLOCKS = frozenset({"now", "today", "utcnow"})


def load_hooks(folder: Path) -> Mapping[str, Callable[..., object]]:
    """The public functions of FOLDER/hooks.py, none if there is no such file. Raises ContractError."""
    path, file = folder / "hooks.py", f"{folder.name}/hooks.py"
    if not path.exists():
        return {}
    text = path.read_text("utf-8")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ContractError([Finding(file, error.lineno or 0, "", "hook", f"is not Python: {error.msg}")]) from error
    findings = [Finding(file, line, "", "hook", reason, "hooks are pure functions") for line, reason in _impurities(tree)]
    if len(text.splitlines()) > MOST_LINES:
        findings.append(Finding(file, MOST_LINES + 1, "", "hook", f"has more than {MOST_LINES} lines", "what is larger is no quirk"))
    if findings:
        raise ContractError(findings)
    spec = spec_from_file_location(f"adapter_hooks_{folder.name}", path)
    if spec is None or spec.loader is None:
        raise ContractError([Finding(file, 0, "", "hook", "cannot be loaded")])
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: found for name, found in vars(module).items() if isinstance(found, FunctionType) and not name.startswith("_")}


def _impurities(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, f"imports {name.name}") for name in node.names if name.name not in PURE)
        elif isinstance(node, ast.ImportFrom) and node.module not in PURE:
            yield node.lineno, f"imports {node.module}"
        elif isinstance(node, ast.Name) and node.id in IMPURE:
            yield node.lineno, f"uses {node.id}"
        elif isinstance(node, ast.Attribute) and (node.attr in CLOCKS or node.attr.startswith("__")):
            yield node.lineno, f"uses {node.attr}"
        elif isinstance(node, ast.Global | ast.AsyncFunctionDef):
            yield node.lineno, "keeps state or waits"
