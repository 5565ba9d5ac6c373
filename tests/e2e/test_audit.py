"""`lgsp audit` against a management door on a real socket, and the verifier on what it wrote."""

from __future__ import annotations

import asyncio
import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from lgsp import exchange
from lgsp.cli import app
from lgsp.drivers.sealer import Sealer, SigningKeys
from lgsp.evidence import verifier
from tests.e2e.management_door import Hub, listening_hub
from tests.unit.office import HUB, MAC_KEY, NOW, PASSWORD
from tests.unit.small_hub import SmallHub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from click.testing import Result

EXCHANGES = 9

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def carried(hub: Hub, count: int) -> str:
    """So many exchanges, each sealed under a head of its own; the id of the last."""
    small = await SmallHub(store=hub.store, now=NOW).open()
    sealer = Sealer(hub.store, HUB, MAC_KEY, SigningKeys(hub.store).newest)
    message = small.message()
    for number in range(count):
        message = small.message({"name": "Nguyễn Văn An", "n": number})
        await exchange.carry(message, small.ports)
        await sealer.seal_due("a", lambda: NOW, os.urandom)
    return message.id


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub() -> AsyncIterator[Hub]:
    async with listening_hub() as listening:
        yield listening


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def last(hub: Hub) -> str:
    return await carried(hub, EXCHANGES)


@pytest.fixture
def lgsp(hub: Hub, tmp_path: Path) -> Callable[..., Any]:
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "LGSP_HUB": hub.url, "LGSP_USER": "auditor", "LGSP_PASSWORD": PASSWORD}

    async def run(*words: str, **changes: str | None) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["audit", *words], env={**environment, **changes})

    return run


async def test_the_whole_tree_is_verified_and_compared_with_heads_that_left(lgsp: Any, tmp_path: Path) -> None:
    exported = await lgsp("export", "--out", str(tmp_path / "leaves.ndjson"))
    lines = [json.loads(line) for line in (tmp_path / "leaves.ndjson").read_text("utf-8").splitlines()]
    heads = [line for line in lines if "root" in line]
    (tmp_path / "heads.ndjson").write_text("".join(f"{json.dumps(head)}\n" for head in heads), "utf-8")
    forged = {**heads[4], "root": "00" * 32}
    (tmp_path / "forged.ndjson").write_text(json.dumps(forged), "utf-8")
    beyond = {**heads[-1], "size": 10_000}
    (tmp_path / "beyond.ndjson").write_text(json.dumps(beyond), "utf-8")

    whole = await lgsp("verify", "--heads", str(tmp_path / "heads.ndjson"))
    rewritten = await lgsp("verify", "--heads", str(tmp_path / "forged.ndjson"), "--json")
    shorter = await lgsp("verify", "--heads", str(tmp_path / "beyond.ndjson"), LGSP_LANG="vi")

    assert exported.exit_code == 0
    assert verifier.check_export(lines)
    assert (whole.exit_code, f"compared with {len(heads)} heads" in whole.stdout) == (0, True)
    assert (rewritten.exit_code, "history was rewritten" in json.loads(rewritten.stdout)["wrong"]["reason"]) == (1, True)
    assert (shorter.exit_code, "SAI" in shorter.stdout) == (1, True)


async def test_a_proof_is_a_file_that_needs_no_hub(lgsp: Any, last: str, tmp_path: Path) -> None:
    done = await lgsp("prove", last, "--withhold", "official", "--withhold", "dossier", "--out", str(tmp_path / "proof.json"))

    proof = json.loads((tmp_path / "proof.json").read_text("utf-8"))
    (leaf,) = proof["leaves"]
    assert done.exit_code == 0
    assert verifier.check_proof(proof)
    assert (leaf["fields"]["message"]["value"], set(leaf["fields"]["official"]), set(leaf["fields"]["dossier"])) == (
        last,
        {"digest"},
        {"digest"},
    )


async def test_the_report_counts_and_the_key_is_changed(lgsp: Any) -> None:
    found = json.loads((await lgsp("report", "--json")).stdout)
    shown = await lgsp("report", LGSP_LANG="vi")
    rotated = await lgsp("rotate", LGSP_USER="security-officer")

    assert {"consumer": "VN/GOV/H99/onestop", "operation": "parcels/find", "outcome": "delivered", "count": EXCHANGES} in found["exchanges"]
    assert "Gốc mới nhất" in shown.stdout
    assert re.search(r"[0-9a-f]{64}", rotated.stdout.replace("\n", ""))


@pytest.mark.parametrize("role", ["operator", "integrator", "admin"])
async def test_who_is_no_auditor_reads_no_evidence(lgsp: Any, last: str, role: str) -> None:
    assert (await lgsp("prove", last, LGSP_USER=role)).exit_code == 1


async def test_what_nobody_sealed_is_not_proven(lgsp: Any) -> None:
    done = await lgsp("prove", "0192f3a0-0000-7000-8000-00000000dead")

    assert (done.exit_code, "nothing about it is sealed" in done.stderr) == (1, True)


async def test_who_looked_is_asked_on_standard_input_and_told_as_json_table_and_page(hub: Hub, tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "LGSP_HUB": hub.url, "LGSP_USER": "auditor", "LGSP_PASSWORD": PASSWORD}
    page = tmp_path / "page.html"

    async def run(*words: str, language: str = "en", value: str = "CB001\n") -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["--lang", language, "audit", *words], input=value, env=environment)

    listed = json.loads((await run("official", "--json")).stdout)
    table = await run("dossier", language="vi", value="H99.1-261123-0001\n")
    printed = await run("official", "--html", str(page), language="vi")
    nothing = await run("subject", value="\n")
    reached = json.loads((await run("breach", "VN/GOV/H99/onestop", "--json", value="")).stdout)

    assert (listed["scope"]["accesses"], listed["accesses"][0]["consumer"]) == (EXCHANGES, "VN/GOV/H99/onestop")
    assert f"{EXCHANGES} lượt truy cập" in table.stdout
    assert (printed.exit_code, nothing.exit_code) == (0, 2)
    assert page.read_text("utf-8").startswith('<!doctype html>\n<html lang="vi">')
    assert "<script" not in page.read_text("utf-8")
    assert reached["scope"]["officials"] == ["CB001"]
