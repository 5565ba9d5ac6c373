"""Findings as JUnit XML, which every CI shows: a suite for what was checked, a failure for each finding."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.errors import Finding


def junit(judged: Mapping[str, Sequence[Finding]]) -> str:
    """The document; `judged`: what was checked by its name, with its findings."""
    suites = "".join(_suite(name, findings) for name, findings in judged.items())
    failures = sum(map(len, judged.values()))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="lgsp check" failures="{failures}">\n{suites}</testsuites>\n'


def _suite(name: str, findings: Sequence[Finding]) -> str:
    cases = (
        "".join(_case(name, finding) for finding in findings) or f"    <testcase classname={quoteattr(name)} name={quoteattr('sound')}/>\n"
    )
    count = max(1, len(findings))
    return f'  <testsuite name={quoteattr(name)} tests="{count}" failures="{len(findings)}">\n{cases}  </testsuite>\n'


def _case(name: str, finding: Finding) -> str:
    told = f"{finding.rule} {finding.pointer or '/'}"
    place = f' file={quoteattr(finding.file)} line="{finding.line}"'
    failure = f"<failure type={quoteattr(finding.rule)} message={quoteattr(finding.reason)}>{escape(str(finding))}</failure>"
    return f"    <testcase classname={quoteattr(name)} name={quoteattr(told)}{place}>{failure}</testcase>\n"
