"""What every foreign client meets: a hub with a service by a WSDL that people wrote, and one whose WSDL the hub made of an OpenAPI file."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from lgsp.config import HOME
from lgsp.contract.bridge.draft import Wish, draft_of
from lgsp.twin.serve import serving
from tests.e2e.hub import Running, running_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

STORE = """
openapi: 3.0.3
info: {title: Kho hồ sơ, version: 1.0.0}
paths:
  /ho-so:
    post:
      operationId: luuHoSo
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/HoSo'}}}}
      responses: {'201': {description: Đã lưu, content: {application/json: {schema: {$ref: '#/components/schemas/HoSo'}}}}}
  /ho-so/{ma}:
    get:
      operationId: xemHoSo
      parameters: [{name: ma, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: Hồ sơ, content: {application/json: {schema: {$ref: '#/components/schemas/HoSo'}}}}}
components:
  schemas:
    HoSo:
      type: object
      required: [ma, giayTo]
      properties:
        ma: {type: string}
        soTrang: {type: integer, format: int32}
        lePhi: {type: number}
        ghiChu: {type: string, nullable: true}
        giayTo: {type: array, items: {$ref: '#/components/schemas/GiayTo'}}
    GiayTo: {type: object, required: [loai], properties: {loai: {type: string}, ngay: {type: string, format: date}}}
"""


def store() -> Starlette:
    """The provider behind the OpenAPI file: it keeps what it is given."""
    kept: dict[str, object] = {}

    async def save(request: Request) -> JSONResponse:
        body = await request.json()
        kept[body["ma"]] = body
        return JSONResponse(body, 201)

    async def show(request: Request) -> JSONResponse:
        found = kept.get(request.path_params["ma"])
        return JSONResponse({"title": "không có"}, 404) if found is None else JSONResponse(found)

    return Starlette(routes=[Route("/ho-so", save, methods=["POST"]), Route("/ho-so/{ma}", show)])


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Running]:
    """A hub that serves `citizens` and `kho`, each in both tongues, with a consumer that may use both."""
    for kind in ("adapters", "contracts", "schemas"):
        shutil.copytree(HOME / kind, folder / kind)
    (folder / "kho.yaml").write_text(STORE)
    draft_of(folder / "kho.yaml", Wish(name="kho", data_class="internal")).write(folder)
    places = {"adapters": folder / "adapters", "contracts": folder / "contracts"}
    async with serving(store()) as address, running_hub(folder, more_bindings={"KHO_URL": address}, **places) as hub:
        await hub.register()
        yield hub
