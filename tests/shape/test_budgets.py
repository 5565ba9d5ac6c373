"""The size budgets of the code: small files of small functions, or a reason on the line."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from shape.source import BUDGET, Source, sources

if TYPE_CHECKING:
    from shape.source import Function

FILE_LINES = 400
FUNCTION_LINES = 40
PARAMETERS = 5
NESTING = 3
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def file_budget(source: Source) -> int:
    """How many lines this file may have."""
    if source.name == "lgsp/exchange.py" or source.name.endswith("/hooks.py"):
        return 150
    return 80 if source.name.startswith("lgsp/stages/") else FILE_LINES


def parameters(function: Function) -> int:
    """Parameters to hold in the head; an option (keyword only, with a default) is not one."""
    taken = function.args
    names = [a.arg for a in (*taken.posonlyargs, *taken.args) if a.arg not in {"self", "cls"}]
    needed = [default for default in taken.kw_defaults if default is None]
    return len(names) + len(needed)


def nesting(node: ast.AST, depth: int = 0) -> int:
    """The deepest block below `node`; `elif` is no deeper than its `if`, a function inside starts anew."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse and len(node.orelse) == 1
        deepest = max(deepest, nesting(child, depth + (isinstance(child, BLOCKS) and not is_elif)))
    return deepest


def over(measure: str, allowed: int) -> list[str]:
    """Functions beyond a budget that give no reason."""
    measures = {"lines": lambda f: (f.end_lineno or f.lineno) - f.lineno + 1, "parameters": parameters, "nesting": nesting}
    found = [(source, function, measures[measure](function)) for source in sources() for function in source.functions()]
    return [f"{s.name}:{f.lineno} {f.name}: {measure} {n}" for s, f, n in found if n > allowed and not s.is_excused(f)]


def test_files_are_short_enough_to_be_read_at_once():
    long = [
        f"{s.name}: {len(s.lines)} lines" for s in sources() if len(s.lines) > file_budget(s) and not BUDGET.search(" ".join(s.lines[1:3]))
    ]

    assert long == []


def test_functions_are_short():
    assert over("lines", FUNCTION_LINES) == []


def test_functions_take_few_parameters():
    assert over("parameters", PARAMETERS) == []


def test_blocks_are_not_nested_deeply():
    assert over("nesting", NESTING) == []
