"""One run of a command: which hub, which language, who; how it prints, and what its exit code says.

Exit codes: 1 the hub refused or something was found wrong, 2 wrong usage, 3 the hub is not reachable.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from lgsp.cli.hub import RefusedError, RemoteHub, signed_in
from lgsp.cli.wire import NotReachableError
from lgsp.cli.words import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REFUSED, USAGE, NOT_REACHABLE = 1, 2, 3
DEFAULT_HUB = "http://127.0.0.1:8090"

AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs instead of a table for people")]


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the options before the verb, and the environment, said."""

    hub_url: str
    language: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Invocation({self.hub_url!r}, {self.language!r}, {self.user!r}, password=***)"

    def hub(self) -> RemoteHub:
        """The hub, with a session if there is one."""
        return signed_in(self.hub_url, self.language, self.user, self.password)

    def say(self, key: str, **values: object) -> str:
        """A sentence in the language of this run."""
        return say(self.language, key, **values)

    def line(self, text: str) -> None:
        """One line for people, as it is: nothing in it is markup."""
        Console().print(text, markup=False, highlight=False, soft_wrap=True)

    def tell(self, key: str, **values: object) -> None:
        """A sentence for people."""
        self.line(self.say(key, **values))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table with translated headings; cells as they are."""
        from rich.text import Text  # noqa: PLC0415  # with the table, only where one is printed

        table = Table(*(self.say(heading) for heading in headings), header_style="bold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console().print(table)

    def show_json(self, value: Any) -> None:
        """JSON on standard output."""
        typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


class Verbs(TyperGroup):
    """The commands of lgsp; the one place where a failure becomes a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb."""
        language = str(ctx.params.get("lang") or "en")
        try:
            return super().invoke(ctx)
        except RefusedError as refused:
            _complain(language, refused.problem)
            raise typer.Exit(REFUSED) from refused
        except NotReachableError as error:
            typer.echo(f"{say(language, 'not_reachable')}: {error}\n{say(language, 'start_hint')}", err=True)
            raise typer.Exit(NOT_REACHABLE) from error


def settle_options(
    ctx: typer.Context,
    hub: Annotated[str, typer.Option(envvar="LGSP_HUB", help="management address of the hub")] = DEFAULT_HUB,
    lang: Annotated[str, typer.Option(envvar="LGSP_LANG", help="vi or en")] = "en",
    user: Annotated[str, typer.Option(envvar="LGSP_USER", help="name to sign in with")] = "",
    password: Annotated[str, typer.Option(envvar="LGSP_PASSWORD", hidden=True)] = "",
) -> None:
    """The data hub of a province: run it, check its adapters, steer it."""
    if lang not in {"vi", "en"}:
        raise typer.BadParameter("expected vi or en", param_hint="--lang")
    ctx.obj = Invocation(hub.rstrip("/"), lang, user, password)


def invocation(ctx: typer.Context) -> Invocation:
    """What `settle_options` left for the verb."""
    found = ctx.obj
    if not isinstance(found, Invocation):
        raise typer.BadParameter("run this verb through lgsp")
    return found


def _complain(language: str, problem: dict[str, Any]) -> None:
    typer.echo(problem.get("title", ""), err=True)
    if problem.get("detail"):
        typer.echo(problem["detail"], err=True)
    for error in problem.get("errors", ()):
        typer.echo(f"  {error.get('pointer')}: {error.get('detail')}", err=True)
    if problem.get("status") == 401:  # noqa: PLR2004  # RFC 9110: the one that signing in can mend
        typer.echo(say(language, "sign_in_hint"), err=True)
    if problem.get("traceId"):
        typer.echo(f"traceId: {problem['traceId']}", err=True)
