"""An OpenAPI contract as the hub publishes it: at the hub's address, with only the operations that its reader may use.

What the hub asks beside the contract is added: the token, and the purpose headers (required where the data are personal).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.contract.openapi.read import operations_of
from lgsp.model.agreed import DataClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.model.agreed import Service

HEADERS: Mapping[str, tuple[bool, str]] = {
    "Lgsp-Purpose": (True, "Mục đích, như quyền truy cập nêu / Purpose, as the access right has it"),
    "Lgsp-Official": (True, "Mã cán bộ / Code of the official"),
    "Lgsp-Public-Service": (True, "Mã thủ tục hành chính / Code of the public service"),
    "Lgsp-Dossier": (True, "Mã hồ sơ / Code of the dossier"),
    "Lgsp-Represented-Party": (False, "Đơn vị được đại diện / The member that is represented"),
}
"""Our request headers, each with whether personal data need it, and what it says."""

SCHEME = "token"


def published_openapi(service: Service, allowed: frozenset[str]) -> bytes:
    """The document as JSON, with the operations of these names."""
    document: dict[str, Any] = dict(service.document)
    is_personal = any(each.data_class is DataClass.PERSONAL for each in service.operations)
    ending = {"deprecated": True} if any(each.notices for each in service.operations) else {}
    paths: dict[str, dict[str, Any]] = {}
    for _, key, method, operation in operations_of(document):
        if operation["operationId"] in allowed:
            own = {str(each.get("name")).lower() for each in operation["parameters"]}
            headers = [_header(name, required=must and is_personal) for name, (must, _) in HEADERS.items() if name.lower() not in own]
            paths.setdefault(key, {})[method] = {**operation, **ending, "parameters": [*operation["parameters"], *headers]}
    components = {**document.get("components", {}), "securitySchemes": {SCHEME: _token()}}
    document |= {
        "servers": [{"url": f"/{service.code}/{service.major}"}],
        "security": [{SCHEME: []}],
        "paths": paths,
        "components": components,
    }
    return json.encode(document)


def _header(name: str, *, required: bool) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"name": name, "in": "header", "required": required, "description": HEADERS[name][1], "schema": schema}


def _token() -> dict[str, Any]:
    return {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}}}
