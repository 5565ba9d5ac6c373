"""The problem table: every slug of the code has its row, every row is used and speaks both languages."""

from __future__ import annotations

import ast

import yaml

from shape.source import ROOT, sources

ROWS = yaml.safe_load((ROOT / "contracts" / "problems.yaml").read_text(encoding="utf-8"))
FAULTS = frozenset({"Fault", "Unreachable", "OutcomeUnknown", "BusinessRefusal"})
BLAMES = frozenset({"consumer", "platform", "provider", "national", "network"})
UNUSED = {}  # slug: why its row stands before its code does


def raised() -> set[str]:
    """Slugs that the code gives to a fault as a literal."""
    calls = [node for s in sources() for node in ast.walk(s.tree) if isinstance(node, ast.Call) and node.args]
    firsts = [c.args[0] for c in calls if isinstance(c.func, ast.Name) and c.func.id in FAULTS]
    return {first.value for first in firsts if isinstance(first, ast.Constant)}


def spoken() -> set[str]:
    """Every text literal of the code, every word of the manifests and of the table of X-Road's faults: where a slug may be chosen."""
    literals = {n.value for s in sources() for n in ast.walk(s.tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    manifests = [file.read_text(encoding="utf-8").split() for file in (ROOT / "adapters").rglob("*.yaml")]
    table = (ROOT / "contracts" / "xroad_faults.yaml").read_text(encoding="utf-8").replace(",", " ").split()
    return literals.union(table, *manifests)


def test_every_slug_of_the_code_has_a_row():
    assert raised() - ROWS.keys() == set()


def test_every_row_is_used():
    assert ROWS.keys() - spoken() - UNUSED.keys() == set()


def test_no_row_is_excused_that_is_used_by_now():
    assert UNUSED.keys() & spoken() == set()


def test_every_row_has_status_blame_and_texts_in_both_languages():
    faulty = [
        slug
        for slug, row in ROWS.items()
        if row.keys() - {"type"} != {"status", "blame", "retryable", "title", "action"}  # `type` where a registered one exists
        or row["blame"] not in BLAMES
        or not 400 <= row["status"] < 600  # the range of HTTP errors
        or any(row[text].keys() != {"vi", "en"} or not all(row[text].values()) for text in ("title", "action"))
    ]

    assert faulty == []


def test_vietnamese_texts_carry_their_diacritics():
    bare = [slug for slug, row in ROWS.items() if row["title"]["vi"].isascii() or row["action"]["vi"].isascii()]

    assert bare == []
