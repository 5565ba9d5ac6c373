"""Names and first lines: every file says what it is for, no name hides behind an empty word."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

from shape.source import ROOT, sources

BANNED = frozenset({"manager", "helper", "helpers", "util", "utils", "common", "misc", "processor", "handler", "handlers"}) | frozenset(
    {"base", "abstract", "impl", "wrapper", "data", "info"}
)
ALLOWED = {
    "DataClass": "how sensitive a service's data are: the word of the law and of adapter.yaml",
    "data_key": "the key that encrypts payloads, as envelope encryption calls it",
    "data_received": "the name that asyncio calls",
    "load_dialect_impl": "the name that SQLAlchemy calls",
}
CATCH_ALL = {
    "lgsp/drivers/bell/broker.py": "its threads live on, whatever the broker throws; a lost ring loses nothing",
    "lgsp/drivers/store/commit.py": "a committer that dies would leave every later exchange waiting for ever",
    "lgsp/drivers/store/sqlite.py": "the writer's thread lives on, and the batch is told",
    "lgsp/drivers/worker.py": "a poison message never stalls its neighbours",
}
SYSTEMS_MAY_BE_NAMED_IN = {
    "lgsp/cli/demo.py": "the demonstration shows two systems at work",
}


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name, without the phrases that are allowed."""
    for phrase in ALLOWED:
        name = name.replace(phrase, "")
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+\d*", name)}


def named() -> list[tuple[str, str]]:
    """Each file, class and function of the product with the place where it is named."""
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    places = [(s.name, PurePosixPath(part).stem) for s in sources() for part in PurePosixPath(s.name).parts]
    return places + [(f"{s.name}:{n.lineno}", n.name) for s in sources() for n in ast.walk(s.tree) if isinstance(n, defined)]


def test_no_name_hides_behind_an_empty_word():
    empty = [f"{place} {name}" for place, name in named() if words(name) & BANNED]

    assert empty == []


def test_the_first_line_of_every_file_says_what_it_is_for():
    silent = [s.name for s in sources() if not (s.lines and s.lines[0].startswith(('"""', "'''")) and len(s.lines[0]) > len('"""."""'))]

    assert silent == []


def test_only_doors_catch_everything_and_say_why():
    broad = re.compile(r"except\s*(:|\(?\s*(Base)?Exception\b)")
    found = [(s, n, line) for s in sources() for n, line in enumerate(s.lines, 1) if broad.search(line)]
    wrong = [
        f"{s.name}:{n}" for s, n, line in found if not ((s.name.startswith("lgsp/drivers/doors/") or s.name in CATCH_ALL) and "#" in line)
    ]

    assert wrong == []


def test_the_engine_knows_no_external_system_by_name():
    systems = [folder.name for folder in (ROOT / "adapters").iterdir() if (folder / "adapter.yaml").is_file()]
    places = [
        f"{s.name}:{n} {system}"
        for s in sources()
        if s.name.startswith("lgsp/") and s.name not in SYSTEMS_MAY_BE_NAMED_IN
        for n, line in enumerate(s.lines, 1)
        for system in systems
        if re.search(rf"\b{system}\b", line)
    ]

    assert systems
    assert places == []
