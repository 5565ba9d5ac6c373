"""Finds secrets in the files of an adapter: keys, tokens and passwords belong to each hub, and an adapter is published and shared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lgsp.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ = frozenset({".yaml", ".yml", ".json", ".xml", ".md", ".py", ".wsdl", ".xsd", ".txt", ".pem", ".html"})
MOST_BYTES = 4 << 20
FIX = "remove it, name it in `uses` as $env.NAME.KEY, and renew it: what was written down is known"
_SECRETS = (
    (re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"), "a signed token (JWT)"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an access key of a cloud"),
    (re.compile(r"\b(?:ghp|gho|ghs|glpat|xox[abp])[-_][A-Za-z0-9_-]{20,}"), "a token of a service"),
    (re.compile(r"(?i)\b(?:Basic|Bearer) +[A-Za-z0-9+/_=-]{24,}"), "a credential as a header shows it"),
    (re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@{}$]+:[^\s/:@{}$]+@"), "a password in an address"),
)


def secrets_in(folder: Path) -> Iterator[Finding]:
    """A finding for each line that shows one; never the secret itself."""
    for path in sorted(each for each in folder.rglob("*") if each.suffix.lower() in READ and each.is_file()):
        if path.stat().st_size > MOST_BYTES:
            continue
        text = path.read_text("utf-8", "replace")
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        for number, line in enumerate(text.splitlines(), 1):
            kinds = [kind for pattern, kind in _SECRETS if pattern.search(line)]
            if kinds:
                yield Finding(name, number, "", "secret", f"shows {kinds[0]}", FIX)
