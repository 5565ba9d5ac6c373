"""What is committed runs anywhere: no path of one machine, no link, no package index, a lock that hashes can vouch for."""

from __future__ import annotations

import re

from shape.source import ROOT, tracked

LOCK = ROOT / "requirements.lock"
# written in pieces, so that this file does not name what it looks for
MACHINE_PATHS = re.compile("|".join(["/wor" + "k/", "/far" + "m/", "/roo" + "t/", r"/hom" + r"e/\w+/"]))
INDEXES = re.compile("|".join(["index" + "-url", r"https?://[^\s]*/simp" + r"le\b", r"https?://[^\s/]*regis" + r"try\."]))


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Lines of tracked text files that match."""
    texts = [(file, file.read_text(encoding="utf-8", errors="ignore").splitlines()) for file in tracked()]
    return [f"{file.relative_to(ROOT)}:{n}" for file, lines in texts for n, line in enumerate(lines, 1) if pattern.search(line)]


def test_no_tracked_file_names_a_path_of_one_machine():
    assert lines_with(MACHINE_PATHS) == []


def test_no_tracked_file_names_a_package_index():
    assert lines_with(INDEXES) == []


def test_every_pinned_requirement_carries_hashes():
    entries = re.split(r"\n(?=[a-zA-Z0-9])", LOCK.read_text(encoding="utf-8").split("\n", 6)[-1])
    loose = [entry.split("\n")[0] for entry in entries if entry.strip() and not re.match(r"[\w.-]+==\S+ \\\n    --hash=sha256:", entry)]

    assert len(entries) > len(("runtime", "dev"))
    assert loose == []


def test_the_lock_points_nowhere():
    strange = [line for line in LOCK.read_text(encoding="utf-8").splitlines() if re.match(r"\s*(-i|-f|--(?!hash)|.*(://| @ ))", line)]

    assert strange == []


def test_nothing_tracked_is_large():
    heavy = [str(file.relative_to(ROOT)) for file in tracked() if file.stat().st_size > 1_000_000]

    assert heavy == []


def test_no_tracked_file_is_a_link():
    """A link leads to a place of one machine, and what stands behind it is not in the clone."""
    assert [str(file.relative_to(ROOT)) for file in tracked() if file.is_symlink()] == []
