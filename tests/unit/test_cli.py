"""The commands where no hub is needed: check, the words, what is remembered, the curl lines."""

from __future__ import annotations

import json
import re
import shutil
import stat
from string import Formatter

import pytest
import typer
from typer.testing import CliRunner

from contracts.test_wsdl import wsdl
from lgsp.cli import app, keep
from lgsp.cli.try_ import Trial
from lgsp.cli.wire import send
from lgsp.cli.words import WORDS, say
from lgsp.config import HOME


def lgsp(*words: str):
    return CliRunner().invoke(app, list(words), env={"LGSP_LANG": "en"})


def test_the_adapters_of_this_checkout_have_no_findings():
    done = lgsp("check", "population")

    assert (done.exit_code, done.stdout) == (0, "population: no findings.\n")


def test_check_names_file_line_and_reason_and_ends_with_1(tmp_path):
    shutil.copytree(HOME / "adapters" / "population", tmp_path / "population")
    manifest = tmp_path / "population" / "adapter.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("exchange: request_reply", "exchange: sometimes"), "utf-8")

    done = lgsp("check", "--adapters", str(tmp_path))
    findings = json.loads(lgsp("check", "--adapters", str(tmp_path), "--json").stdout)

    assert (done.exit_code, findings[0]["file"].endswith("adapter.yaml"), findings[0]["line"] > 0) == (1, True, True)
    assert re.match(r"\S*adapter\.yaml:\d+: ", done.stdout)


@pytest.mark.parametrize(
    "words", [("cancel", "--reason", "r"), ("set-aside", "--reason", "r"), ("unknown", "--dead", "--reason", "r"), ("replay",)]
)
def test_a_message_that_is_named_is_not_a_dry_run(words):
    done = lgsp("--hub", "http://127.0.0.1:1", *words, "01a2-message", "--dry-run")

    assert (done.exit_code, "choose by options" in done.stderr) == (2, True)


def test_check_of_a_folder_that_is_no_adapter_is_wrong_usage():
    done = lgsp("check", "nobody")

    assert (done.exit_code, "adapter.yaml" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xml", "<html><body/></html>", "is an HTML page, no WSDL 1.1"),
        ("a.xml", '<?xml version="1.0"?><!-- x --><d:description xmlns:d="http://www.w3.org/ns/wsdl"/>', "is WSDL 2.0, no WSDL 1.1"),
        ("a.yaml", "asyncapi: 3.0.0\n", "is an asyncapi document"),
        ("a.yaml", "system: VN/GOV/H99/x\n", "is neither XML nor a document with the word `openapi` or `swagger`"),
        ("a.json", "", "is empty"),
        ("a.yaml", "\0\1", "is not text"),
    ],
)
@pytest.mark.parametrize(
    "verb", [("bridge",), ("mock",), ("check",), ("diff", str(HOME / "contracts" / "openapi" / "population" / "v1" / "openapi.yaml"))]
)
def test_what_is_no_contract_is_told_by_what_it_is(tmp_path, verb, name, content, reason):
    (tmp_path / name).write_text(content)

    done = lgsp(*verb, str(tmp_path / name))

    assert done.exit_code in {1, 2}
    assert f"{name}: /: {reason}" in done.stdout


def test_a_contract_alone_is_checked_whatever_its_file_is_called(tmp_path):
    for name, content in (("a.xml", wsdl()), ("b.yaml", "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: {}\n")):
        (tmp_path / name).write_text(content)

    done = lgsp("check", str(tmp_path / "a.xml"), str(tmp_path / "b.yaml"))

    assert (done.exit_code, done.stdout) == (0, "a.xml, b.yaml: no findings.\n")


def test_check_of_a_contract_that_is_not_there_says_so():
    done = lgsp("check", "nowhere.wsdl")

    assert (done.exit_code, done.stdout) == (1, "nowhere.wsdl: /: there is no such file [kind]\n1 findings.\n")


def test_diff_of_a_wsdl_with_itself_has_no_changes(tmp_path):
    (tmp_path / "a.wsdl").write_text(wsdl())

    done = lgsp("diff", str(tmp_path / "a.wsdl"), str(tmp_path / "a.wsdl"))

    assert (done.exit_code, done.stdout) == (0, "No changes.\n")


def test_both_languages_fill_in_the_same_values():
    fields = {key: [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts] for key, texts in WORDS.items()}

    assert [key for key, (vi, en) in fields.items() if vi != en] == []
    assert (say("vi", "yes"), say("en", "yes")) == ("có", "yes")


def test_what_is_remembered_is_for_its_owner_only_and_by_hub(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    keep.remember(keep.SESSIONS, "http://one", {"token": "1"})
    path = keep.remember(keep.SESSIONS, "http://two", {"token": "2"})

    assert (keep.recall(keep.SESSIONS, "http://one"), keep.recall(keep.SESSIONS, "http://three")) == ({"token": "1"}, {})
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)


def test_the_curl_lines_quote_what_a_shell_would_read(tmp_path):
    trial = Trial("POST", "http://127.0.0.1:8080/citizens/1/lookups", {"Lgsp-Dossier": "it's $HOME"}, tmp_path / "a b.request.json")

    token, call = trial.curl("http://127.0.0.1:8080").splitlines()

    assert token.startswith('TOKEN=$(curl -s -u "$LGSP_CLIENT_ID:$LGSP_CLIENT_SECRET"')
    assert "'Lgsp-Dossier: it'\"'\"'s $HOME'" in call
    assert call.endswith(f"@'{tmp_path}/a b.request.json'")


@pytest.mark.parametrize("url", ["localhost:8090", "ftp://hub", "http://"])
def test_an_address_without_a_scheme_or_host_is_wrong_usage(url):
    with pytest.raises(typer.BadParameter):
        send("GET", url, {})


def test_every_verb_tells_what_it_does():
    commands = typer.main.get_command(app).commands

    assert {"serve", "check", "consumer", "grant", "status", "dead", "replay", "try", "explain", "bench", "login", "person"} <= set(
        commands
    )
    assert [name for name, command in commands.items() if not command.help] == []
