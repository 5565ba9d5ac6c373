"""An adapter that tests publish again and again: each edition stamps its letter on the request and on the answer, so a mix of two shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from lgsp.contract.adapter.bundle import bundle_adapter

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

MANIFEST = """
system: VN/GOV/H99/stamps
title: {{vi: Cấp dấu, en: Stamps}}
owner: {{vi: Văn phòng, en: Office}}
legal_basis: [Nghị định 118/2025/NĐ-CP]
contact: Đầu mối kỹ thuật
tier: provincial
binding: {{kind: rest, contract: stamps/v1/native.yaml, address: $env.stamps.url, timeout_s: 5, in_flight: {in_flight}}}
{uses}services:
{services}"""
SERVICE = """  - code: stamps
    version: {major}.0.0
    contract: stamps/v{major}/openapi.yaml
    data_class: internal
    operations:
      {ask}: {{exchange: request_reply, native: DongDau, mapping: stamp}}
"""
KEEP = "      keepStamp: {exchange: one_way, native: DongDau, mapping: stamp}\n"
MAPPING = """
stamp:
  request:
    So: number
    Dau: {{const: {letter}}}
  reply:
    number: So
    asked: Dau
    made: {{const: {letter}}}
"""
NUMBER = {"type": "object", "required": ["number"], "properties": {"number": {"type": "integer"}}}


def write_adapter(root: Path, letter: str, *, majors: tuple[int, ...] = (1,), keeps: bool = True, **more: Any) -> Path:
    """The folder of one edition; in_flight, uses: of its manifest; needs: one more field that a request must have."""
    folder, contracts = root / "adapters" / "stamps", root / "contracts" / "openapi" / "stamps"
    folder.mkdir(parents=True, exist_ok=True)
    services = "".join(SERVICE.format(major=each, ask=_name(each)) + (KEEP if keeps and each == 1 else "") for each in majors)
    uses = more.get("uses", "")
    (folder / "adapter.yaml").write_text(MANIFEST.format(services=services, in_flight=more.get("in_flight", 16), uses=uses), "utf-8")
    drops = f"  drops:\n    request: {{{more['needs']}: the provider takes none}}\n" if "needs" in more else ""
    (folder / "mapping.yaml").write_text(MAPPING.format(letter=letter) + drops, "utf-8")
    for major in majors:
        paths = {"/stamps": _name(major), **({"/stamps/kept": "keepStamp"} if keeps and major == 1 else {})}
        _write(
            contracts / f"v{major}" / "openapi.yaml", f"{major}.0.0", paths, (_asked(more.get("needs")), _told("number", "asked", "made"))
        )
    _write(contracts / "v1" / "native.yaml", "1.0.0", {"/dau": "DongDau"}, (_native(), _native()))
    return folder


def bundled(root: Path, letter: str, **more: Any) -> bytes:
    """The bundle of one edition."""
    return bundle_adapter(write_adapter(root, letter, **more), root / "contracts")


def stamping(mark: str = "") -> Starlette:
    """The provider: it gives back what it was asked with, or its own mark."""

    async def stamp(request: Request) -> JSONResponse:
        asked = await request.json()
        return JSONResponse({**asked, **({"Dau": mark} if mark else {})})

    return Starlette(routes=[Route("/dau", stamp, methods=["POST"])])


def _name(major: int) -> str:
    return f"askStamp{'' if major == 1 else major}"


def _asked(needs: str | None) -> dict[str, Any]:
    if needs is None:
        return NUMBER
    return {**NUMBER, "required": ["number", needs], "properties": {**NUMBER["properties"], needs: {"type": "string"}}}


def _told(*names: str) -> dict[str, Any]:
    properties = {name: {"type": "integer" if name == "number" else "string"} for name in names}
    return {"type": "object", "required": list(names), "properties": properties}


def _native() -> dict[str, Any]:
    return {"type": "object", "required": ["So", "Dau"], "properties": {"So": {"type": "integer"}, "Dau": {"type": "string"}}}


def _write(path: Path, version: str, paths: dict[str, str], shapes: tuple[Any, Any]) -> None:
    request, reply = ({"content": {"application/json": {"schema": shape}}} for shape in shapes)
    operations = {
        address: {
            "post": {"operationId": name, "requestBody": {"required": True, **request}, "responses": {"200": {"description": "-", **reply}}}
        }
        for address, name in paths.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"openapi": "3.1.0", "info": {"title": "Stamps", "version": version}, "paths": operations}
    path.write_text(json.dumps(document), "utf-8")
