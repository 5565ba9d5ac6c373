"""Where the documents of a WSDL come from: a folder or a zip file, and nothing outside of it."""

from __future__ import annotations

import posixpath
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from lgsp.contract.zipped import MOST_BYTES, read_zip
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DOCUMENTS = frozenset({".wsdl", ".xsd", ".xml"})


class TooLarge(Exception):
    """A document beyond MOST_BYTES."""


class LeadsOut(Exception):
    """A link in the folder that leads out of it."""


class Files(Protocol):
    """Bytes by their path (POSIX, relative, inside)."""

    def read(self, file: str) -> bytes | None:
        """The bytes of a file, None if there is none; TooLarge or LeadsOut where it must not be read."""

    def names(self) -> list[str]:
        """The paths of the WSDL files that there are, sorted."""


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """A folder; links that lead out of it lead nowhere."""

    root: Path

    def read(self, file: str) -> bytes | None:
        try:
            path = (self.root / file).resolve()
            if not path.is_relative_to(self.root):
                raise LeadsOut
            if not path.is_file():
                return None
            if path.stat().st_size > MOST_BYTES:
                raise TooLarge
            return path.read_bytes()
        except (OSError, ValueError, RuntimeError):  # no such name, too long a name, a circle of links
            return None

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*.wsdl"))


@dataclass(frozen=True, slots=True)
class ZipFiles:
    """A zip file, read into memory within limits."""

    contents: Mapping[str, bytes]

    def read(self, file: str) -> bytes | None:
        return self.contents.get(file)

    def names(self) -> list[str]:
        return sorted(name for name in self.contents if name.lower().endswith(".wsdl"))


def open_source(path: Path, root: Path | None = None) -> tuple[Files, str]:
    """Files and the name of the main WSDL: a WSDL with its folder (or `root` around it), a folder, or a zip with one WSDL to start from."""
    if path.is_dir():
        files: Files = FolderFiles(path.resolve())
    elif path.suffix.lower() == ".zip" or (path.suffix.lower() != ".wsdl" and zipfile.is_zipfile(path)):
        files = ZipFiles(read_zip(path, DOCUMENTS))
    else:
        base = (root or path.parent).resolve()
        return FolderFiles(base), path.resolve().relative_to(base).as_posix()
    return files, _main(files, path.name)


def _main(files: Files, name: str) -> str:
    """The one WSDL that no other one imports."""
    names = files.names()
    texts = {each: files.read(each) or b"" for each in names}
    starts = [
        each for each in names if not any(posixpath.basename(each).encode() in text for other, text in texts.items() if other != each)
    ]
    if len(starts) != 1:
        told = ", ".join(starts or names) or "none"
        raise ContractError(
            [Finding(name, 0, "", "no-main", f"one WSDL must be the one to start from; there are: {told}", "name the file")]
        )
    return starts[0]


def beside(file: str, location: str) -> str | None:
    """The path that a relative location means in a file; None if it leads out."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(file), unquote(urlsplit(location).path)))
    return None if path.startswith(("../", "/")) or path in {"..", "."} else path


def is_remote(location: str) -> bool:
    """Whether a location names a scheme or a host."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return True
    return bool(parts.scheme or parts.netloc)


__all__ = ["Files", "FolderFiles", "LeadsOut", "TooLarge", "ZipFiles", "beside", "is_remote", "open_source"]
