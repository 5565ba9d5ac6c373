"""Who looked at whose data: as JSON, as lines, or as a page fit to print, in Vietnamese and English."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgsp.cli.invocation import AsJson, invocation

if TYPE_CHECKING:
    from lgsp.cli.invocation import Invocation

Since = Annotated[str, typer.Option(help="only since then, RFC 3339: 2026-11-23T08:00:00+07:00")]
Until = Annotated[str, typer.Option(help="only before then, RFC 3339")]
Page = Annotated[Path | None, typer.Option("--html", help="write a page fit to print")]

COLUMNS = ("at", "agency", "official", "purpose", "basis", "dossier", "operation", "outcome", "fields")
STYLE = (
    "@page{size:A4 landscape;margin:12mm}body{font:11px/1.35 'Times New Roman',serif;margin:0}h1{font-size:17px}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #555;padding:3px 5px;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}thead{display:table-header-group}tr{break-inside:avoid}"
)


def subject(ctx: typer.Context, *, since: Since = "", until: Until = "", html: Page = None, as_json: AsJson = False) -> None:
    """Who looked at one person's data; their number is read from standard input."""
    _tell(invocation(ctx), {"by": "subject", "value": _read(), "since": since, "until": until}, html, as_json=as_json)


def official(ctx: typer.Context, *, since: Since = "", until: Until = "", html: Page = None, as_json: AsJson = False) -> None:
    """What one official looked at; their code is read from standard input."""
    _tell(invocation(ctx), {"by": "official", "value": _read(), "since": since, "until": until}, html, as_json=as_json)


def dossier(ctx: typer.Context, *, since: Since = "", until: Until = "", html: Page = None, as_json: AsJson = False) -> None:
    """What was looked at for one dossier; its code is read from standard input."""
    _tell(invocation(ctx), {"by": "dossier", "value": _read(), "since": since, "until": until}, html, as_json=as_json)


def breach(
    ctx: typer.Context,
    consumer: Annotated[str, typer.Argument(help="the consumer whose access is in doubt: VN/GOV/...")],
    *,
    since: Since = "",
    until: Until = "",
    html: Page = None,
    as_json: AsJson = False,
) -> None:
    """What one consumer got in a time: how many people and dossiers, which officials, operations and fields."""
    _tell(invocation(ctx), {"by": "consumer", "value": consumer, "since": since, "until": until}, html, as_json=as_json)


def _read() -> str:
    """One line that is in no argument, no address, no history of a shell."""
    value = typer.prompt("", hide_input=True, prompt_suffix="") if sys.stdin.isatty() else sys.stdin.readline()
    if not value.strip():
        raise typer.BadParameter("expected one line on standard input")
    return str(value).strip()


def _tell(run: Invocation, asked: dict[str, str], page: Path | None, *, as_json: bool) -> None:
    found = run.hub().ask("POST", "/evidence/accesses", {name: value for name, value in asked.items() if value})
    if page is not None:
        page.write_text(printed(run, found), "utf-8")
        run.tell("saved", path=page)
    elif as_json:
        run.show_json(found)
    else:
        run.table(COLUMNS, [_cells(each) for each in found["accesses"]])
        run.tell("scope", **_scope(found))


def printed(run: Invocation, found: dict[str, Any]) -> str:
    """The page; it needs nothing from anywhere, and runs nothing."""
    heads = "".join(f"<th>{escape(run.say(name))}</th>" for name in COLUMNS)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(each))}</tr>\n" for each in found["accesses"])
    title = escape(run.say("accesses_title"))
    facts = f"{run.say('scope', **_scope(found))} {run.say('accesses_note', hub=found['hub'], at=found['at'])}"
    return (
        f'<!doctype html>\n<html lang="{run.language}"><head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style></head>\n'
        f"<body><h1>{title}</h1><p>{escape(facts)}</p>\n<table><thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></body></html>\n"
    )


def _cells(each: dict[str, Any]) -> tuple[str, ...]:
    agency = f"{each['agency']} ({each['consumer']})" if each["agency"] else each["consumer"]
    texts = {**each, "agency": agency, "fields": ", ".join(each["fields"])}
    return tuple(str(texts[name]) for name in COLUMNS)


def _scope(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found["scope"][name] for name in ("accesses", "people", "dossiers")}
