"""The error tree: what can go wrong, and whose fault it is.

    LgspError
    ├── SettingsError       the environment is incomplete or contradicts itself; the hub does not start
    ├── ContractError       a contract, manifest or mapping is faulty; carries every Finding at once
    ├── MappingError        a value cannot be translated; carries every Violation at once
    ├── CodecError          bytes cannot be read as what their contract promises; knows the path
    │   ├── JsonError       nor as JSON that means one thing only; carries the place
    │   └── WssError        nor as a message that WS-Security proves; knows the slug that tells it to a consumer
    └── Fault               an exchange cannot go on; `slug` names a row of contracts/problems.yaml
        ├── Unreachable     the provider surely never saw the request
        ├── OutcomeUnknown  the provider may have acted; nobody here can tell
        └── BusinessRefusal the provider understood and said no

A driver turns foreign errors into these, in one place, `raise ... from`. Status, blame, retryability and the texts for people stand in the
table, once (RFC 9457).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROBLEMS_FILE = Path(__file__).parent.parent / "contracts" / "problems.yaml"


class Blame(StrEnum):
    """Whose fault it is; operators are woken for `platform` only."""

    CONSUMER = "consumer"
    PLATFORM = "platform"
    PROVIDER = "provider"
    NATIONAL = "national"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the problem table.

    `title` and `action` are texts for people by language (`vi`, `en`); `retryable` says whether the same request may succeed later;
    `type` is a registered problem type where there is one.
    """

    slug: str
    status: int
    blame: Blame
    retryable: bool
    title: Mapping[str, str]
    action: Mapping[str, str]
    type: str = ""

    def uri(self, issuer: str) -> str:
        """What names it: a registered type, or the hub's own."""
        return self.type or f"{issuer}/problems/{self.slug}"


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a value breaks its contract: JSON pointer (RFC 6901), reason without the value itself, rule; the line in XML.

    members: names there that the contract does not know, as they came; told to nobody.
    """

    pointer: str
    detail: str
    code: str
    line: int = field(default=0, compare=False)
    members: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a contract file: where (file, 1-based line or 0, pointer), which rule, why, and how to mend it."""

    file: str
    line: int
    pointer: str
    rule: str
    reason: str
    fix: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        mend = f" ({self.fix})" if self.fix else ""
        return f"{place}: {self.pointer or '/'}: {self.reason} [{self.rule}]{mend}"


class LgspError(Exception):
    """The root of every error that is ours."""


class SettingsError(LgspError):
    """The environment is incomplete or contradicts itself; names every key at once."""


class ContractError(LgspError):
    """A contract, manifest or mapping cannot be used; carries every finding, not only the first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = tuple(findings)


class MappingError(LgspError):
    """A value cannot be translated: bad dates, unknown codes; carries every violation, pointers into the canonical value."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("; ".join(f"{v.pointer}: {v.detail}" for v in violations))
        self.violations = tuple(violations)


class CodecError(LgspError):
    """Bytes cannot be read as what their contract promises.

    reason: one sentence without the value itself. pointer: JSON pointer (RFC 6901) into the native value, empty for the whole message.
    """

    def __init__(self, reason: str, *, pointer: str = "") -> None:
        super().__init__(f"{pointer}: {reason}" if pointer else reason)
        self.reason = reason
        self.pointer = pointer


class JsonError(CodecError):
    """Bytes are not JSON that means one thing only.

    pointer: JSON pointer of the place, or of the object around it. offset: byte offset of the place, if the text itself is broken.
    """

    def __init__(self, reason: str, *, pointer: str = "", offset: int | None = None) -> None:
        place = f" at byte {offset}" if offset is not None else f" at {pointer}" if pointer else ""
        super().__init__(reason + place)
        self.reason = reason
        self.pointer = pointer
        self.offset = offset

    @property
    def violation(self) -> Violation:
        """The same as a place in the body."""
        return Violation(self.pointer, str(self), "json")


class WssError(CodecError):
    """A message's WS-Security proves nothing.

    slug: the row of contracts/problems.yaml by which a consumer is told; a provider's answer is simply not understood.
    """

    def __init__(self, reason: str, *, slug: str = "wss-invalid") -> None:
        super().__init__(reason)
        self.slug = slug


class Fault(LgspError):
    """An exchange cannot go on.

    slug: a row of contracts/problems.yaml. detail: one sentence for this case, free of personal data. errors: the places in the body.
    retry_after_s: when to try again, if known. headers: more response headers.
    """

    may_have_acted = False

    def __init__(
        self,
        slug: str,
        detail: str = "",
        *,
        errors: Sequence[Violation] = (),
        retry_after_s: float | None = None,
        headers: Sequence[tuple[str, str]] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{slug}: {detail}" if detail else slug)
        self.problem = problems()[slug]
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s
        self.headers = tuple(headers)
        self.extra = extra or {}
        self.blame = self.problem.blame

    @property
    def slug(self) -> str:
        """The row of the problem table."""
        return self.problem.slug

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.problem.retryable

    def repeatable(self) -> Fault:
        """The same fault of a call that may be repeated without harm: whether it acted is not a question then."""
        same = Fault(self.slug, self.detail, errors=self.errors, retry_after_s=self.retry_after_s, headers=self.headers, extra=self.extra)
        same.blame = self.blame
        return same

    def after_acting(self) -> OutcomeUnknown:
        """The same fault once the provider has acted and nothing protects the call: nobody may send it again, so nobody is told to."""
        slug, detail = ("outcome-unknown", f"{self.slug} {self.detail}".strip()) if self.retryable else (self.slug, self.detail)
        acted = OutcomeUnknown(slug, detail, errors=self.errors, headers=self.headers, extra=self.extra)
        acted.blame = self.blame
        return acted


class Unreachable(Fault):
    """The provider surely never saw the request: refused, no route, no name, no free place, no session."""


class OutcomeUnknown(Fault):
    """The provider may have acted: a timeout, a cut or an unreadable answer after the request was sent."""

    may_have_acted = True


class BusinessRefusal(Fault):
    """The provider understood the request and said no; trying again changes nothing."""


@cache
def problems() -> Mapping[str, Problem]:
    """The problem table by slug, read once."""
    rows = yaml.load(PROBLEMS_FILE.read_bytes(), Loader=yaml.CSafeLoader)
    return MappingProxyType({slug: _problem(slug, row) for slug, row in rows.items()})


def _problem(slug: str, row: Mapping[str, Any]) -> Problem:
    return Problem(
        slug=slug,
        status=row["status"],
        blame=Blame(row["blame"]),
        retryable=row["retryable"],
        title=MappingProxyType(row["title"]),
        action=MappingProxyType(row["action"]),
        type=row.get("type", ""),
    )
