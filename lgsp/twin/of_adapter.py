"""The stand-in of an adapter: the one that its folder brings along (twin.py), else one made of the provider's contract alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from lgsp.contract.openapi.read import read_openapi
from lgsp.contract.wsdl.files import read_documents
from lgsp.contract.wsdl.read import contract_of
from lgsp.contract.wsdl.source import open_source
from lgsp.errors import ContractError
from lgsp.twin.faults import FaultLayer
from lgsp.twin.rest import RestTwin
from lgsp.twin.serve import load_twin
from lgsp.twin.soap import SoapTwin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from starlette.types import ASGIApp

TWIN_ONLY = "twin-only"
"""What every account and key is at a twin that is made of a contract: it can tell that one is shown, not what it is worth."""
CALLED = frozenset({"rest", "soap"})


def twin_folders(adapters: Path) -> Sequence[Path]:
    """The folders of the adapters that have a stand-in, in the order of their names."""
    return sorted(path.parent for path in adapters.glob("*/adapter.yaml") if (path.parent / "twin.py").exists() or _is_called(path))


def twin_of(folder: Path, contracts: Path) -> FaultLayer:
    """The stand-in behind its fault layer. Raises ContractError."""
    return load_twin(folder) if (folder / "twin.py").exists() else FaultLayer(_stand_in(folder, contracts)[0])


def bindings_of(folder: Path, contracts: Path) -> Mapping[str, str]:
    """What a hub binds to reach it, NAME_URL and the like; `{address}` stands for the twin's."""
    if (folder / "twin.py").exists():
        return {f"{folder.name}_{key}".upper(): value for key, value in load_twin(folder).bindings.items()}
    manifest = _manifest(folder / "adapter.yaml")
    bound = dict.fromkeys(map(_key, manifest.get("uses", {}).values()), TWIN_ONLY)
    return {**bound, _key(manifest["binding"]["address"]): f"{{address}}{_stand_in(folder, contracts)[1]}"}


def _stand_in(folder: Path, contracts: Path) -> tuple[ASGIApp, str]:
    """The application and the path under which the provider's port is found."""
    binding = _manifest(folder / "adapter.yaml")["binding"]
    if binding["kind"] == "rest":
        return RestTwin(read_openapi(contracts / "openapi" / binding["contract"], contracts.parent)), ""
    documents = read_documents(*open_source(contracts / "wsdl" / binding["wsdl"]))
    twin = SoapTwin(contract_of(documents), documents)
    return twin, twin.paths[binding["port"]]


def _key(reference: str) -> str:
    return reference.removeprefix("$env.").replace(".", "_").upper()


def _is_called(path: Path) -> bool:
    try:
        return _manifest(path)["binding"]["kind"] in CALLED
    except ContractError:
        return False


def _manifest(path: Path) -> Mapping[str, Any]:
    """A look at the manifest alone; what is wrong with it, the hub tells when it compiles it."""
    try:
        found = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        found["binding"]["kind"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ContractError([]) from error
    return found  # type: ignore[no-any-return]  # a mapping, as was seen
