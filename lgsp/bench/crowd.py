"""Many services for the bench: each an adapter of its own with ten operations, five of them with variables in their path."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from lgsp.bench.hub import BUNDLE

if TYPE_CHECKING:
    from pathlib import Path

OPERATIONS = 10
MANIFEST = """system: VN/GOV/H00/{name}
title: {{vi: Dịch vụ để đo, en: A service of the bench}}
owner: {{vi: Nhóm phát triển nền tảng, en: The platform's developers}}
legal_basis: [Không có; chỉ chạy trên máy đo]
contact: Nhóm phát triển nền tảng
tier: provincial
binding: {{kind: rest, contract: {name}/v1/native.yaml, address: $env.bench_entry.url, timeout_s: 20, in_flight: 8}}
services:
  - code: {code}
    version: 1.0.0
    contract: {name}/v1/openapi.yaml
    data_class: internal
    operations:
"""
OPERATION = "      store{at}: {{exchange: one_way, native: Ghi{at}, mapping: entry}}\n"
MAPPING = """entry:
  request:
    MaHoSo: dossier
    TrangThai: state
    NoiDung: note
    NguoiGui: {{const: '{mark}'}}
  reply:
    dossier: MaHoSo
  drops:
    request: {{steps: the bench sends none}}
"""
TEXT = {"type": "string", "minLength": 1, "maxLength": 400}
STEPS = {"type": "array", "maxItems": 50, "items": {"type": "object", "properties": {"at": TEXT, "by": TEXT, "paid": {"type": "number"}}}}
OURS = {"dossier": TEXT, "state": {"type": "string", "enum": ["received", "assessed", "answered"]}, "note": TEXT}
THEIRS = {"MaHoSo": TEXT, "TrangThai": TEXT, "NoiDung": TEXT, "NguoiGui": TEXT}


def write_crowd(root: Path, services: int) -> None:
    """The bench's own adapters and so many more, under `root`."""
    shutil.copytree(BUNDLE, root)
    for number in range(services):
        write_service(root, number, "a")


def write_service(root: Path, number: int, mark: str) -> str:
    """One of them, as its mapping marks what it sends; its name."""
    name, code = f"crowd_{number:03}", f"crowd-{number:03}"
    folder, contracts = root / "adapters" / name, root / "contracts" / "openapi" / name / "v1"
    for place in (folder, contracts):
        place.mkdir(parents=True, exist_ok=True)
    operations = "".join(OPERATION.format(at=at) for at in range(OPERATIONS))
    (folder / "adapter.yaml").write_text(MANIFEST.format(name=name, code=code) + operations, "utf-8")
    (folder / "mapping.yaml").write_text(MAPPING.format(mark=mark), "utf-8")
    ours = {f"/entries{at}{'/{matter}' if at % 2 else ''}": f"store{at}" for at in range(OPERATIONS)}
    theirs = {f"/ghi{at}": f"Ghi{at}" for at in range(OPERATIONS)}
    _write(contracts / "openapi.yaml", ours, {**OURS, "steps": STEPS}, {"dossier": TEXT})
    _write(contracts / "native.yaml", theirs, THEIRS, {"MaHoSo": TEXT})
    return name


def _write(path: Path, operations: dict[str, str], asked: dict[str, Any], told: dict[str, Any]) -> None:
    paths = {}
    for address, name in operations.items():
        required = [field for field in asked if field != "steps"]
        body = {"type": "object", "required": required, "properties": asked}
        reply = {"type": "object", "required": list(told), "properties": told}
        operation: dict[str, Any] = {"operationId": name, "requestBody": {"required": True, "content": _json(body)}}
        operation["responses"] = {"200": {"description": "-", "content": _json(reply)}}
        if "{" in address:
            operation["parameters"] = [{"name": "matter", "in": "path", "required": True, "schema": TEXT}]
        paths[address] = {"post": operation}
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "-", "version": "1.0.0"}, "paths": paths}), "utf-8")


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
