"""A land registry whose answers a test chooses, and the bundle by which a hub calls it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

CONSUMER_BODY = {"parcel": "123"}

ADAPTER = """
system: VN/GOV/H99/registry
title: {vi: Sổ đăng ký đất đai, en: Land registry}
owner: {vi: Sở Nông nghiệp và Môi trường, en: Department of Agriculture and Environment}
legal_basis: [Luật Đất đai 2024]
contact: Đầu mối kỹ thuật của sở
tier: provincial
binding: {kind: rest, contract: registry/v1/native.yaml, address: $env.registry.url, timeout_s: 5, in_flight: 8}
calls:
  findParcel: [{call: TraCuu, safe: true}]
  registerParcel: [{call: DangKy, key: MaYeuCau}]
services:
  - code: parcels
    version: 1.0.0
    contract: registry/v1/openapi.yaml
    data_class: internal
    operations:
      findParcel: {exchange: request_reply, mapping: parcel}
      registerParcel: {exchange: one_way, mapping: registration, retry: {first_s: 0.1, attempts: 3}}
"""

MAPPING = """
tables:
  land_kinds: [{ours: lua, theirs: '1'}, {ours: rung, theirs: '2'}]
parcel:
  request: {SoThua: parcel}
  reply:
    owner: HoTen
    kind: {from: LoaiDat, do: [{table: {name: land_kinds}}]}
registration:
  request:
    MaYeuCau: $message.id
    SoThua: parcel
    LoaiDat: {from: kind, do: [{table: {name: land_kinds}}]}
  reply: {number: SoDangKy}
"""

NATIVE = """
openapi: 3.1.0
info: {title: Sổ đăng ký, version: 1.0.0}
paths:
  /tra-cuu:
    post:
      operationId: TraCuu
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [SoThua], properties: {SoThua: {type: string}}}}}
      responses:
        '200':
          description: Kết quả
          content:
            application/json:
              schema:
                type: object
                additionalProperties: false
                properties: {HoTen: {type: string}, LoaiDat: {type: string}}
  /dang-ky:
    post:
      operationId: DangKy
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [MaYeuCau, SoThua, LoaiDat]
              properties: {MaYeuCau: {type: string}, SoThua: {type: string}, LoaiDat: {type: string}}
      responses:
        '200':
          description: Kết quả
          content: {application/json: {schema: {type: object, properties: {SoDangKy: {type: string}}}}}
"""

CONTRACT = """
openapi: 3.1.0
info: {title: Thửa đất, version: 1.0.0}
paths:
  /finds:
    post:
      operationId: findParcel
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [parcel], properties: {parcel: {type: string}}}}}
      responses:
        '200':
          description: Thửa đất
          content:
            application/json:
              schema: {type: object, required: [owner], properties: {owner: {type: string}, kind: {type: string}}}
  /registrations:
    post:
      operationId: registerParcel
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [parcel, kind], properties: {parcel: {type: string}, kind: {type: string}}}
      responses:
        '200': {description: Đã ghi, content: {application/json: {schema: {type: object, properties: {number: {type: string}}}}}}
        '202': {description: Đã nhận}
"""


class Registry:
    """An ASGI application; `asked` keeps what came."""

    def __init__(self) -> None:
        self.address = ""
        self.answer: Any = {}
        self.asked: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        self.asked.append(json.loads(body))
        content = json.dumps(self.answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def write_bundle(folder: Path) -> dict[str, Path]:
    """The adapter and its contracts; the settings that name them."""
    adapter, contracts = folder / "adapters" / "registry", folder / "contracts" / "openapi" / "registry" / "v1"
    for place in (adapter, contracts):
        place.mkdir(parents=True)
    for path, text in (
        (adapter / "adapter.yaml", ADAPTER),
        (adapter / "mapping.yaml", MAPPING),
        (contracts / "native.yaml", NATIVE),
        (contracts / "openapi.yaml", CONTRACT),
    ):
        path.write_text(text.lstrip(), encoding="utf-8")
    return {"adapters": folder / "adapters", "contracts": folder / "contracts"}
