"""The naive way with the same packages: connexion's default stack validates both ways, a synchronous handler asks zeep.

Run as `python -m lgsp.bench.peers.naive PORT PROVIDER_URL`.
"""

from __future__ import annotations

import sys
import uuid
from typing import Any

import connexion
import uvicorn
import zeep
from connexion.options import SwaggerUIOptions
from connexion.resolver import Resolver

from lgsp.bench.peers.contract import WSDL, openapi_3_0
from lgsp.bench.peers.words import native_dossier, registration


class Desk:
    """The handlers of the contract's operations, with one zeep client for all threads."""

    def __init__(self, provider: str) -> None:
        client = zeep.Client(str(WSDL), transport=zeep.Transport(timeout=20, operation_timeout=20))
        self.port = client.create_service("{http://bench.lgsp.example/hoso/1.0}TiepNhanHoSoBinding", provider)

    def submit(self, body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Ask the provider and wait."""
        reply = self.port.NopHoSo(MaYeuCau=str(uuid.uuid4()), HoSo=native_dossier(body))
        return registration(reply), 200, {"Content-Type": "application/json"}


def application(provider: str) -> connexion.AsyncApp:
    """The gateway in front of one provider."""
    desk = Desk(provider)
    handlers = {"submitDossier": desk.submit, "storeDossier": desk.submit}
    app = connexion.AsyncApp(
        "lgsp.bench.peers.naive", validate_responses=True, strict_validation=True, swagger_ui_options=SwaggerUIOptions(swagger_ui=False)
    )
    app.add_api(openapi_3_0(), base_path="/bench-dossiers/1", resolver=Resolver(handlers.__getitem__))
    return app


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
