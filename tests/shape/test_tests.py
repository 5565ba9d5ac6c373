"""The tests themselves: sentences about behaviour, fakes instead of patches."""

from __future__ import annotations

import ast
import re

from shape.source import ROOT

WORDS = 3
PATCHES_IN_100 = 5
PATCH = re.compile(r"\bmonkeypatch\.(?!setenv|delenv|chdir)\w+|\bmock\b\.|unittest" + r"\.mock|\bmocker\b")
FILES = tuple((file, file.read_text(encoding="utf-8")) for file in sorted((ROOT / "tests").rglob("*.py")))


def written() -> list[tuple[str, str]]:
    """Each test function with the file that holds it."""
    defined = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [(file, node) for file, text in FILES for node in ast.walk(ast.parse(text)) if isinstance(node, defined)]
    return [(file.name, node.name) for file, node in found if node.name.startswith("test_")]


def test_names_are_sentences():
    mumbled = [f"{file}: {name}" for file, name in written() if len(name.removeprefix("test_").split("_")) < WORDS]

    assert mumbled == []


def test_seams_are_changed_rather_than_patched():
    patches = [f"{file.name}: {found}" for file, text in FILES for found in PATCH.findall(text) if found]

    assert len(patches) * 100 < PATCHES_IN_100 * len(written()), patches
