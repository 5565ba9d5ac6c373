"""What a provider handed over, a file, a folder or a zip: finds the contract to start from, and unpacks nothing that leads elsewhere.

A folder is read as it stands, without links that lead out of it. A zip is unpacked into a folder of its own, as zipped.py reads it.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lgsp.contract.wsdl.source import open_source as open_wsdl
from lgsp.contract.zipped import MOST_FILES, read_zip
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENAPI = frozenset({".yaml", ".yml", ".json"})
WSDL = ".wsdl"
_NEEDED = frozenset({*OPENAPI, WSDL, ".xsd", ".xml"})
_LINE = re.compile(rb"""^\s*\{?\s*["']?(openapi|swagger)["']?\s*:""", re.MULTILINE)
_HEAD_BYTES = 64 << 10
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Origin:
    """The contract's own file, and the folder that its references must not leave."""

    main: Path
    root: Path


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Origin]:
    """The origin while the block runs. Raises ContractError with the reason."""
    if path.is_dir():
        yield _in_folder(path, path.name)
    elif zipfile.is_zipfile(path) or path.suffix.lower() == ".zip":
        with tempfile.TemporaryDirectory(prefix="lgsp-add-") as folder:
            unpack(path, Path(folder))
            yield _in_folder(Path(folder), path.name)
    else:
        yield Origin(path, path.parent)


def unpack(path: Path, to: Path) -> None:
    """Write what contracts are made of below `to`. Raises ContractError for anything that a contract does not need and an attack does."""
    for name, content in read_zip(path, _NEEDED).items():
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _in_folder(root: Path, name: str) -> Origin:
    """The one contract of a folder that is nobody else's part: its WSDL, else its OpenAPI document."""
    if any(each.suffix.lower() == WSDL for each in _files(root)):
        return Origin(root.resolve() / open_wsdl(root)[1], root)
    mains = [each for each in _files(root) if each.suffix.lower() in OPENAPI and _is_openapi(each)]
    if len(mains) != 1:
        told = ", ".join(each.relative_to(root).as_posix() for each in mains[:_SHOWN]) or "none"
        reason = f"one contract must be the one to start from; there are: {told}"
        raise ContractError([Finding(name, 0, "", "no-main", reason, "name the file")])
    return Origin(mains[0], root)


def _files(root: Path) -> list[Path]:
    inside = root.resolve()
    return [each for each in sorted(root.rglob("*"))[: 10 * MOST_FILES] if each.is_file() and each.resolve().is_relative_to(inside)]


def _is_openapi(path: Path) -> bool:
    with path.open("rb") as file:
        return _LINE.search(file.read(_HEAD_BYTES)) is not None
