"""What a provider handed over, a file, a folder or a zip: finds the contract to start from, and unpacks nothing that leads elsewhere.

A folder is read as it stands, without links that lead out of it. A zip is unpacked into a folder of its own within limits: what an entry
says of its own size is not believed, and a name with `..`, an absolute name, a link or a name that comes twice refuses the whole.
"""

from __future__ import annotations

import contextlib
import re
import stat
import tempfile
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lgsp.contract.wsdl.source import MOST_BYTES, MOST_FILES, MOST_ZIP_BYTES
from lgsp.contract.wsdl.source import open_source as open_wsdl
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
    try:
        with zipfile.ZipFile(path) as archive:
            _extract(path.name, archive, to)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise ContractError([Finding(path.name, 0, "", "not-zip", "cannot be read as a zip file")]) from error


def _extract(name: str, archive: zipfile.ZipFile, to: Path) -> None:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    findings = [Finding(name, 0, "", rule, f"{entry.filename[:200]!r} {reason}") for entry in entries for rule, reason in _faults(entry)]
    doubled = [each for each, count in Counter(entry.filename for entry in entries).items() if count > 1]
    findings += [Finding(name, 0, "", "unique", f"{each[:200]!r} comes twice") for each in doubled]
    if len(entries) > MOST_FILES:
        findings = [Finding(name, 0, "", "too-many-files", f"more than {MOST_FILES} files")]
    if findings:
        raise ContractError(findings[:_SHOWN])
    left = MOST_ZIP_BYTES
    for entry in (each for each in entries if PurePosixPath(each.filename).suffix.lower() in _NEEDED):
        with archive.open(entry) as member:
            content = member.read(min(left, MOST_BYTES) + 1)
        left -= len(content)
        if len(content) > MOST_BYTES or left < 0:
            reason = f"{entry.filename} is larger than {MOST_BYTES} bytes, or the whole than {MOST_ZIP_BYTES}"
            raise ContractError([Finding(name, 0, "", "file-too-large", reason)])
        target = to / entry.filename
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _faults(entry: zipfile.ZipInfo) -> Iterator[tuple[str, str]]:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in entry.filename:
        yield "path-escape", "leads out of the zip"
    if stat.S_ISLNK(entry.external_attr >> 16):
        yield "path-escape", "is a link"
    if entry.flag_bits & 1:
        yield "not-zip", "is encrypted"


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
