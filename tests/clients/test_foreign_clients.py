"""Clients that nobody here wrote, generated from what the hub publishes: each calls both services, and understands answers and faults."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.clients.scene import scene
from tests.conftest import missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from tests.e2e.hub import Running

HERE = Path(__file__).parent
NODE = HERE / "node" / "node_modules" / "soap"
TYPESCRIPT = HERE / "typescript" / "node_modules"
STRICTLY = ("--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--lib", "es2022,dom", "--module", "nodenext")
SERVICES = ("citizens", "kho", "nguoi-dan")
GENERATOR = HERE.parents[1] / ".venv-clients" / "bin" / "openapi-python-client"
FETCH = (sys.executable, "{here}/fetch.py")
PATIENCE_S = 120
CLASSES = ("Citizens.cs", "Kho.cs", "People.cs", "lgsp.cs")
PROXIES = ("soapC.cpp", "soapCitizensSoap11Proxy.cpp", "soapKho1SoapProxy.cpp", "soapPeopleSoapProxy.cpp")
WSDL, SINGLE = "{hub}/%s/1/soap?wsdl", "{hub}/%s/1/soap?singleWsdl"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Client:
    """A client: the tools that it needs, and the commands that generate, build and run it; the last one prints a JSON object."""

    needs: Sequence[str | Path]
    steps: Sequence[Sequence[str]]

    def lacks(self) -> str:
        """The tools that are not here."""
        return ", ".join(str(need) for need in self.needs if shutil.which(need) is None and not Path(need).is_dir())

    async def run(self, hub: Running, folder: Path) -> str:
        """The output of the last command."""
        words = {"hub": hub.data, "token": hub.token, "here": str(HERE), "python": str(GENERATOR.with_name("python"))}
        output = b""
        for step in self.steps:
            argv = [part.format(**words) for part in step]
            output = await _run(argv, folder)
        return output.decode()


async def _run(argv: Sequence[str], folder: Path) -> bytes:
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
    process = await asyncio.create_subprocess_exec(*argv, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, **pipes)
    try:
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, f"{argv[0]}: {output.decode(errors='replace')[-3000:]}"
    return output


def _rest(service: str) -> Sequence[Sequence[str]]:
    return (
        (*FETCH, f"{{hub}}/{service}/1/openapi.json", f"{service}.json", "{token}"),
        (str(GENERATOR), "generate", "--path", f"{service}.json", "--output-path", f"{service.replace('-', '_')}_client", "--meta", "none"),
    )


CLIENTS: Mapping[str, Client] = {
    "PHP SoapClient": Client(["php"], [["php", "{here}/php/client.php", "{hub}", "{token}"]]),
    "node soap": Client(["node", NODE], [["node", "{here}/node/client.js", "{hub}", "{token}"]]),
    "gSOAP": Client(
        ["wsdl2h", "soapcpp2", "g++"],
        [
            ["wsdl2h", "-s", "-o", "lgsp.h", WSDL % "citizens", WSDL % "kho", SINGLE % "nguoi-dan"],
            ["soapcpp2", "-1", "-C", "-j", "-L", "-x", "-c++11", "lgsp.h"],
            ["g++", "-O0", "-w", "-std=c++11", "-I.", "{here}/gsoap/client.cpp", *PROXIES, "-lgsoap++", "-o", "client"],
            ["./client", "{hub}", "{token}"],
        ],
    ),
    ".NET": Client(
        ["wsdl", "xsd", "mcs", "mono"],
        [
            ["wsdl", "-nologo", "-n:Citizens", "-o:Citizens.cs", WSDL % "citizens"],
            ["wsdl", "-nologo", "-n:Kho", "-o:Kho.cs", SINGLE % "kho"],
            ["wsdl", "-nologo", "-n:People", "-o:People.cs", SINGLE % "nguoi-dan"],
            [
                sys.executable,
                "-c",
                "import sys, urllib.request as r; r.urlretrieve(*sys.argv[1:])",
                "{hub}/kho/1/soap?xsd=lgsp.xsd",
                "lgsp.xsd",
            ],
            ["xsd", "lgsp.xsd", "/c", "/namespace:Problems"],
            [
                "mcs",
                "-nologo",
                "-warn:0",
                "-r:System.Web.Services.dll",
                "-out:client.exe",
                "{here}/dotnet/Client.cs",
                *CLASSES,
            ],
            ["mono", "client.exe", "{hub}", "{token}"],
        ],
    ),
    "openapi-typescript": Client(
        ["node", TYPESCRIPT],
        [
            *((*FETCH, f"{{hub}}/{service}/1/openapi.json", f"{service}.json", "{token}") for service in SERVICES),
            ["ln", "-s", str(TYPESCRIPT), "node_modules"],
            ["cp", "{here}/typescript/client.mts", "client.mts"],
            *(["node", "node_modules/openapi-typescript/bin/cli.js", f"{service}.json", "-o", f"{service}.d.ts"] for service in SERVICES),
            ["node", "node_modules/typescript/bin/tsc", *STRICTLY, "client.mts"],
            ["node", "client.mjs", "{hub}", "{token}"],
        ],
    ),
    "openapi-python-client": Client(
        [GENERATOR], [*(step for service in SERVICES for step in _rest(service)), ["{python}", "{here}/rest/client.py", "{hub}", "{token}"]]
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spoken(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mapping[str, asyncio.Task[str]]]:
    """What each client whose tools are here understood; they all run at the same time."""
    async with scene(tmp_path_factory.mktemp("hub")) as hub:
        able = {name: client for name, client in CLIENTS.items() if not client.lacks()}
        tasks = {name: asyncio.create_task(client.run(hub, tmp_path_factory.mktemp("client"))) for name, client in able.items()}
        yield tasks
        await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_foreign_client_understands_answers_and_faults(name: str, spoken: Mapping[str, asyncio.Task[str]]) -> None:
    if name not in spoken:
        missing(f"{name}: not here: {CLIENTS[name].lacks()} (`make clients` and .ci/run install them)")

    understood = json.loads((await spoken[name]).strip().splitlines()[-1])

    assert understood == {
        "citizen": "Nguyễn Văn An",
        "pages": 12,
        "fee": "15000.5",
        "papers": ["Đơn đề nghị", "CCCD"],
        "faults": ["purpose-not-allowed The access right does not cover this purpose", "provider-refused The provider refused"],
        "trouble": 404,
    }
