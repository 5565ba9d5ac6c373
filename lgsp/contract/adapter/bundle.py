"""One adapter as a bundle: which files belong to it, and the way back from a bundle to a compiled adapter.

A bundle is laid out as the project is (`adapters/NAME`, `contracts/`, `schemas/`), so that one code reads both. `hooks.json` names the
digest of the hooks that the mapping calls: the Python itself ships with a release, and a hub without the same file refuses the bundle.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lgsp.contract.adapter.folder import WSDL
from lgsp.contract.adapter.manifest import read_manifest
from lgsp.contract.archive import pack, unpack
from lgsp.contract.openapi.bundle import files_of
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOOKS, HOOKS_DIGEST = "hooks.py", "hooks.json"
OWN = ("adapter.yaml", "mapping.yaml", "README.md")
BESIDE_WSDL = (".wsdl", ".xsd")


def bundle_adapter(folder: Path, contracts: Path) -> bytes:
    """The bundle of an adapter's folder; raises ContractError with every finding."""
    return pack(gather(folder, contracts))


def gather(folder: Path, contracts: Path) -> Mapping[str, bytes]:
    """What belongs to the adapter, by its name in the bundle."""
    manifest, root = read_manifest(folder), contracts.resolve().parent
    paths: dict[str, Path] = {}
    for name in _contracts_of(manifest.value, manifest.binding):
        for path in _with_references(contracts, name, root):
            paths[_name(path, contracts.resolve(), root)] = path
    if any("deadline" in operation for _, _, _, operation in manifest.operations()):
        paths |= {f"contracts/{path.name}": path for path in contracts.glob("holidays.yaml")}
    own = [folder / name for name in OWN] + sorted((folder / "examples").rglob("*"))
    paths |= {f"adapters/{folder.name}/{path.relative_to(folder).as_posix()}": path for path in own if path.is_file()}
    files = {name: path.read_bytes() for name, path in paths.items()}
    if (folder / HOOKS).exists():
        stated = {"sha256": _sha256(folder / HOOKS)}
        files[f"adapters/{folder.name}/{HOOKS_DIGEST}"] = json.dumps(stated).encode()
    return files


def adapter_in(content: bytes) -> str:
    """The name of the one adapter in a bundle; raises ContractError."""
    return _adapter_name(unpack(content))


@contextmanager
def laid_out(content: bytes, shipped: Path) -> Iterator[tuple[Path, Path]]:
    """The bundle in a folder of its own while the block runs: its adapter and its contracts. `shipped`: the adapters of this release."""
    files = unpack(content)
    name = _adapter_name(files)
    hooks = _hooks(files, name, shipped)
    with TemporaryDirectory(prefix="lgsp-bundle-") as place:
        root = Path(place)
        if hooks is not None:
            files = {**files, f"adapters/{name}/{HOOKS}": hooks}
        try:
            _write(root, files)
        except OSError as error:
            reason, fix = f"cannot be laid out on this node: {error.strerror}", "free its temporary folder, or name another by TMPDIR"
            raise ContractError([Finding("bundle", 0, "", "bundle", reason, fix)]) from error
        yield root / "adapters" / name, root / "contracts"


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    (root / "contracts").mkdir()
    for file, data in files.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _contracts_of(declared: Mapping[str, object], binding: Mapping[str, str]) -> list[str]:
    named = [service.get(key) for service in declared["services"] for key in ("contract", "wsdl")]  # type: ignore[attr-defined]
    named += [binding.get("contract"), binding.get("wsdl")]
    return [name for name in dict.fromkeys(named) if name]


def _with_references(contracts: Path, name: str, root: Path) -> list[Path]:
    if name.endswith(WSDL):
        beside = (contracts / "wsdl" / name).resolve().parent
        return sorted(path for path in beside.rglob("*") if path.suffix.lower() in BESIDE_WSDL and path.is_file())
    return files_of(contracts / "openapi" / name, root)


def _name(path: Path, contracts: Path, root: Path) -> str:
    """In a bundle the contracts' folder is called `contracts`, wherever it lies here."""
    if path.is_relative_to(contracts):
        return f"contracts/{path.relative_to(contracts).as_posix()}"
    return path.relative_to(root).as_posix()


def _adapter_name(files: Mapping[str, bytes]) -> str:
    names = {name.split("/")[1] for name in files if name.startswith("adapters/") and name.count("/") > 1}
    strays = [name for name in files if name.split("/")[0] not in {"adapters", "contracts", "schemas"}]
    if len(names) != 1 or strays or f"adapters/{min(names)}/adapter.yaml" not in files:
        reason = f"holds {', '.join(strays[:3])}" if strays else f"must hold one adapter with its adapter.yaml, not {len(names)}"
        raise ContractError([Finding("bundle", 0, "", "bundle", reason)])
    return min(names)


def _hooks(files: Mapping[str, bytes], name: str, shipped: Path) -> bytes | None:
    """The hooks of this release, where the bundle was made with the same; None where it uses none."""
    stated = files.get(f"adapters/{name}/{HOOKS_DIGEST}")
    if stated is None:
        return None
    path = shipped / name / HOOKS
    found = path.read_bytes() if path.is_file() else None
    if found is None or json.dumps({"sha256": hashlib.sha256(found).hexdigest()}).encode() != stated:
        told = "has other hooks" if found is not None else "has no such hooks"
        fix = "hooks are Python and ship with a release: upgrade the hub first"
        raise ContractError([Finding(f"{name}/{HOOKS}", 0, "", "hook", f"the release of this hub {told}", fix)])
    return found


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
