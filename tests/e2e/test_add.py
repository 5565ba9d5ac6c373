"""From a contract file to the first validated call: added files serve as they are, with the twins that are made of their contracts."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import secrets
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OPERATIONS = 50
LIMIT_S = 60.0
DESK = "VN/GOV/H99/onestop"


def openapi() -> str:
    """A contract of fifty operations with bodies, parameters, a key and schemas that refer to one another."""
    record = {
        "type": "object",
        "required": ["ma", "ho_ten"],
        "properties": {
            "ma": {"type": "string", "minLength": 1, "maxLength": 20},
            "ho_ten": {"type": "string"},
            "ngay_sinh": {"type": "string", "format": "date"},
            "giay_to": {"type": "array", "items": {"$ref": "#/components/schemas/GiayTo"}},
        },
    }
    paper = {"type": "object", "required": ["loai"], "properties": {"loai": {"enum": ["cccd", "khai_sinh"]}, "so": {"type": "integer"}}}
    answer = {"200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HoSo"}}}}}
    number = {"name": "so", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
    paths: dict[str, Any] = {}
    for place in range(OPERATIONS // 2):
        body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HoSo"}}}}
        paths[f"/so{place}"] = {"post": {"operationId": f"ghi{place}", "requestBody": body, "responses": answer}}
        paths[f"/so{place}/{{so}}"] = {"get": {"operationId": f"xem{place}", "parameters": [number], "responses": answer}}
    components = {
        "securitySchemes": {"khoa": {"type": "apiKey", "in": "header", "name": "X-Khoa"}},
        "schemas": {"HoSo": record, "GiayTo": paper},
    }
    facts = {"title": "Năm mươi", "version": "1.0.0"}
    return yaml.safe_dump({"openapi": "3.0.3", "info": facts, "security": [{"khoa": []}], "paths": paths, "components": components})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Hub:
    """`lgsp serve --twins` as a process, and the commands that speak to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data, self.admin, self.twin = free_port(), free_port(), free_port()
        self.environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith("LGSP_")},
            "LGSP_ENVIRONMENT": "development",
            "LGSP_DATABASE_URL": f"sqlite:///{folder / 'hub.db'}",
            "LGSP_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "LGSP_ADAPTERS": str(folder / "adapters"),
            "LGSP_CONTRACTS": str(folder / "contracts"),
            "LGSP_DATA_PORT": str(self.data),
            "LGSP_ADMIN_PORT": str(self.admin),
            "LGSP_HUB": f"http://127.0.0.1:{self.admin}",
            "LGSP_GATEWAY": f"http://127.0.0.1:{self.data}",
            "LGSP_ADMIN_PASSWORD": "mat-khau-thu-nghiem-1",
            "LGSP_USER": "admin",
            "LGSP_PASSWORD": "mat-khau-thu-nghiem-1",
            "XDG_CONFIG_HOME": str(folder / "config"),
        }

    async def lgsp(self, *words: str) -> str:
        """What a command prints; it must end well."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lgsp", *words, env=self.environ, stdout=PIPE, stderr=PIPE, cwd=self.folder
        )
        output, complaint = await process.communicate()
        assert process.returncode == 0, output.decode() + complaint.decode()
        return output.decode()

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        with (self.folder / "hub.log").open("wb") as log:
            command = (sys.executable, "-m", "lgsp", "serve", "--twins", "--twin-port", str(self.twin))
            served = {
                key: value for key, value in self.environ.items() if key not in {"LGSP_HUB", "LGSP_GATEWAY", "LGSP_USER", "LGSP_PASSWORD"}
            }
            process = await asyncio.create_subprocess_exec(*command, env=served, stdin=DEVNULL, stdout=log, stderr=log)
        try:
            await self._ready(process)
            yield
        finally:
            process.terminate()
            await process.wait()

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        async with httpx.AsyncClient() as client:
            while process.returncode is None:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"http://127.0.0.1:{self.admin}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
        pytest.fail((self.folder / "hub.log").read_text("utf-8"))


async def first_call(folder: Path, file: Path, *, twin: str) -> tuple[float, dict[str, Any], Hub]:
    """Seconds from the file to the first validated answer, with no file edited; and the answer. `twin`: what must be in the ledger."""
    hub = Hub(folder)
    begun = time.monotonic()
    told = json.loads(await hub.lgsp("add", str(file), "--json"))
    await hub.lgsp("check", told["name"])
    async with hub.served():
        await hub.lgsp("consumer", "add", DESK, "--save")
        await hub.lgsp("grant", DESK, told["service"], "-p", "xac-minh-ho-so")
        found = json.loads(await hub.lgsp("try", told["service"], "--json"))
        took = time.monotonic() - begun
        async with httpx.AsyncClient() as client:
            entries = (await client.get(f"http://127.0.0.1:{hub.twin}/_twin/ledger")).json()["entries"]
    assert [entry["effect"] for entry in entries] == [twin]
    return took, {**found, "operations": told["operations"]}, hub


async def test_an_openapi_file_of_fifty_operations_answers_within_a_minute_and_no_file_is_edited(tmp_path: Path) -> None:
    (tmp_path / "nam_muoi.yaml").write_text(openapi(), encoding="utf-8")

    took, found, _ = await first_call(tmp_path, tmp_path / "nam_muoi.yaml", twin="ghi0")

    assert (found["answer"]["status"], found["operations"]) == (200, OPERATIONS)
    assert took < LIMIT_S
