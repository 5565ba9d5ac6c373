"""From a contract file to the first validated call: added files serve as they are, with the twins that are made of their contracts."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import resource
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


def free_ports(count: int) -> list[int]:
    """So many in a row."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(socket.socket())
        first.bind(("127.0.0.1", 0))
        found = [int(first.getsockname()[1])]
        try:
            for place in range(1, count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", found[0] + place))
                found.append(found[0] + place)
        except (OSError, OverflowError):
            found = []
    return found or free_ports(count)


class Hub:
    """`lgsp serve --twins` as a process, and the commands that speak to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data, self.admin, self.twin, _ = free_ports(4)
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
            if process.returncode is None:
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


def wsdl() -> str:
    """A WSDL of fifty operations over one schema."""
    elements, messages, operations, bindings = [], [], [], []
    for place in range(OPERATIONS):
        name = f"TraCuu{place}"
        elements += [f'<xs:element name="{name}" type="t:Hoi"/>', f'<xs:element name="{name}Response" type="t:Dap"/>']
        messages += [f'<w:message name="{name}{end}"><w:part name="p" element="t:{name}{end}"/></w:message>' for end in ("", "Response")]
        operations.append(f'<w:operation name="{name}"><w:input message="t:{name}"/><w:output message="t:{name}Response"/></w:operation>')
        body = '<s:body use="literal"/>'
        ends = f"<w:input>{body}</w:input><w:output>{body}</w:output>"
        bindings.append(f'<w:operation name="{name}"><s:operation soapAction="urn:{name}"/>{ends}</w:operation>')
    return f"""<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
 xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:lgsp:nam-muoi" targetNamespace="urn:lgsp:nam-muoi">
<w:types><xs:schema targetNamespace="urn:lgsp:nam-muoi" elementFormDefault="qualified">
<xs:complexType name="Hoi"><xs:sequence><xs:element name="SoDinhDanh"><xs:simpleType><xs:restriction base="xs:string">
<xs:pattern value="[0-9]{{12}}"/></xs:restriction></xs:simpleType></xs:element><xs:element name="NgaySinh" type="xs:date" minOccurs="0"/>
</xs:sequence></xs:complexType>
<xs:complexType name="Dap"><xs:sequence><xs:element name="HoTen" type="xs:string"/><xs:element name="SoBanGhi" type="xs:int"/>
<xs:element name="GiayTo" type="t:GiayTo" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
<xs:complexType name="GiayTo"><xs:sequence><xs:element name="Loai" type="xs:string"/></xs:sequence></xs:complexType>
{"".join(elements)}</xs:schema></w:types>{"".join(messages)}
<w:portType name="P">{"".join(operations)}</w:portType>
<w:binding name="B" type="t:P"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>{"".join(bindings)}</w:binding>
<w:service name="HaiMuoi"><w:port name="Cong" binding="t:B"><s:address location="http://twin.example/dich-vu"/></w:port></w:service>
</w:definitions>"""


def spent_s() -> float:
    """Processor time of the commands and the hub so far, told beside the clock's."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def called(hub: Hub, service: str) -> dict[str, Any]:
    """The answer of the service's first example, asked as any consumer would."""
    await hub.lgsp("grant", DESK, service, "-p", "xac-minh-ho-so")
    answer: dict[str, Any] = json.loads(await hub.lgsp("try", service, "--json"))["answer"]
    return answer


async def test_an_openapi_file_and_a_wsdl_of_fifty_operations_answer_within_a_minute_and_no_file_is_edited(tmp_path: Path) -> None:
    (tmp_path / "nam_muoi.yaml").write_text(openapi(), encoding="utf-8")
    (tmp_path / "nam_muoi.wsdl").write_text(wsdl(), encoding="utf-8")
    hub = Hub(tmp_path)
    begun, spent = time.monotonic(), spent_s()
    told = [json.loads(await hub.lgsp("add", f"nam_muoi.{kind}", "--json")) for kind in ("yaml", "wsdl")]
    await hub.lgsp("check")
    async with hub.served():
        await hub.lgsp("consumer", "add", DESK, "--save")
        answers = [await called(hub, each["service"]) for each in told]
        took = time.monotonic() - begun
        async with httpx.AsyncClient() as client:
            twins = sorted((each["name"], hub.twin + place) for place, each in enumerate(sorted(told, key=lambda each: each["name"])))
            ledgers = [(await client.get(f"http://127.0.0.1:{port}/_twin/ledger")).json()["entries"] for _, port in twins]
    spent = spent_s() - spent
    sys.stdout.write(f"two files of {OPERATIONS} operations to their first answers: {took:.1f} s, {spent:.1f} s of processor time\n")

    assert [(answer["status"], each["operations"]) for answer, each in zip(answers, told, strict=True)] == [(200, OPERATIONS)] * 2
    assert {"HoTen", "SoBanGhi"} <= set(answers[1]["body"])
    assert [len(ledger) for ledger in ledgers] == [1, 1]
    assert took < LIMIT_S
