"""The command `lgsp`: an explicit list of its verbs, each in a file of its own."""

from __future__ import annotations

import typer

from lgsp.cli import audit, bench, consumer, person, soap
from lgsp.cli.add import add
from lgsp.cli.aside import cancel, set_aside
from lgsp.cli.bind import bind, unbind
from lgsp.cli.bridge import bridge
from lgsp.cli.check import check
from lgsp.cli.correct import correct
from lgsp.cli.dead import dead, unknown
from lgsp.cli.demo import demo
from lgsp.cli.diff import diff
from lgsp.cli.enforce import enforce, quarantined
from lgsp.cli.explain import explain
from lgsp.cli.grant import grant, rights, withdraw
from lgsp.cli.invocation import Verbs, settle_options
from lgsp.cli.lifespan import deprecate, retire, revive
from lgsp.cli.login import login
from lgsp.cli.mock import mock
from lgsp.cli.prove import prove
from lgsp.cli.publish import approve, history, nodes, publish, reject, rollback
from lgsp.cli.replay import replay
from lgsp.cli.serve import serve
from lgsp.cli.status import acts, services, status
from lgsp.cli.steer import circuit, hold, release
from lgsp.cli.subscribe import subscribe, subscriptions, unsubscribe
from lgsp.cli.table import table
from lgsp.cli.translate import translate
from lgsp.cli.try_ import try_
from lgsp.cli.uses import uses

app = typer.Typer(cls=Verbs, callback=settle_options, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

for name, verb in (
    ("serve", serve),
    ("demo", demo),
    ("add", add),
    ("check", check),
    ("diff", diff),
    ("uses", uses),
    ("translate", translate),
    ("mock", mock),
    ("bridge", bridge),
    ("publish", publish),
    ("approve", approve),
    ("reject", reject),
    ("rollback", rollback),
    ("history", history),
    ("nodes", nodes),
    ("deprecate", deprecate),
    ("retire", retire),
    ("revive", revive),
    ("bind", bind),
    ("unbind", unbind),
    ("try", try_),
    ("login", login),
    ("grant", grant),
    ("withdraw", withdraw),
    ("rights", rights),
    ("subscribe", subscribe),
    ("unsubscribe", unsubscribe),
    ("subscriptions", subscriptions),
    ("services", services),
    ("status", status),
    ("dead", dead),
    ("unknown", unknown),
    ("replay", replay),
    ("correct", correct),
    ("set-aside", set_aside),
    ("cancel", cancel),
    ("circuit", circuit),
    ("hold", hold),
    ("release", release),
    ("enforce", enforce),
    ("table", table),
    ("explain", explain),
    ("acts", acts),
    ("prove", prove),
):
    app.command(name)(verb)

app.add_typer(audit.app, name="audit")
app.add_typer(bench.app, name="bench")
app.add_typer(consumer.app, name="consumer")
app.add_typer(person.app, name="person")
app.add_typer(soap.app, name="soap")
app.add_typer(quarantined, name="quarantine")
