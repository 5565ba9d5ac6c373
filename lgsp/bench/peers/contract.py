"""Where the bench's contracts lie, and the OpenAPI one in the version that connexion reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

BUNDLE = Path(__file__).parent.parent / "bundle"
OPENAPI = BUNDLE / "contracts/openapi/bench_dossier/v1/openapi.yaml"
WSDL = BUNDLE / "contracts/wsdl/bench_dossier/v1/dossier.wsdl"


def openapi_3_0() -> dict[str, Any]:
    """The contract without what 3.0 does not know; its schemas mean the same in both."""
    document: dict[str, Any] = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))
    del document["jsonSchemaDialect"], document["info"]["summary"], document["info"]["license"]["identifier"]
    return document | {"openapi": "3.0.3"}
