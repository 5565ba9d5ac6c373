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
from tests.e2e.people import PEOPLE, people

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
    """A hub that serves `citizens`, `kho` (of an OpenAPI file) and `nguoi-dan` (of a WSDL) in both tongues to one consumer."""
    for kind in ("adapters", "contracts", "schemas"):
        shutil.copytree(HOME / kind, folder / kind)
    (folder / "kho.yaml").write_text(STORE)
    for file, name in ((folder / "kho.yaml", "kho"), (PEOPLE, "nguoi_dan")):
        draft_of(file, Wish(name=name, data_class="internal")).write(folder)
    places = {"adapters": folder / "adapters", "contracts": folder / "contracts"}
    async with serving(store()) as first, serving(people()) as second:
        bound = {"KHO_URL": first, "NGUOI_DAN_URL": f"{second}/people"}
        async with running_hub(folder, more_bindings=bound, **places) as hub:
            await hub.register()
            yield hub
