"""Reads a zip that somebody hands over: documents by name, within limits, and nothing that leads elsewhere.

What an entry says of its own size is not believed; a name with `..`, an absolute name, a link or a name that comes twice refuses the whole.
"""

from __future__ import annotations

import posixpath
import stat
import zipfile
import zlib
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

MOST_BYTES = 8 * 1024 * 1024
MOST_ZIP_BYTES = 32 * 1024 * 1024
MOST_FILES = 400
_SHOWN = 6
_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)


def read_zip(path: Path, suffixes: Collection[str]) -> Mapping[str, bytes]:
    """The documents whose names end so, by POSIX path. Raises ContractError with every reason."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(path.name, archive, suffixes)
    except _UNREADABLE as error:
        raise ContractError([Finding(path.name, 0, "", "not-zip", "cannot be read as a zip file")]) from error


def _read(name: str, archive: zipfile.ZipFile, suffixes: Collection[str]) -> Mapping[str, bytes]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    findings = [Finding(name, 0, "", rule, f"{entry.filename[:200]!r} {reason}") for entry in entries for rule, reason in _faults(entry)]
    doubled = [each for each, count in Counter(map(_place, entries)).items() if count > 1]
    findings += [Finding(name, 0, "", "unique", f"{each[:200]!r} comes twice") for each in doubled]
    if len(entries) > MOST_FILES:
        findings = [Finding(name, 0, "", "too-many-files", f"more than {MOST_FILES} files")]
    if findings:
        raise ContractError(findings[:_SHOWN])
    contents: dict[str, bytes] = {}
    left = MOST_ZIP_BYTES
    for entry in (each for each in entries if PurePosixPath(each.filename).suffix.lower() in suffixes):
        with archive.open(entry) as member:
            content = contents[_place(entry)] = member.read(min(left, MOST_BYTES) + 1)
        left -= len(content)
        if len(content) > MOST_BYTES or left < 0:
            reason = f"{entry.filename} is larger than {MOST_BYTES} bytes, or the whole than {MOST_ZIP_BYTES}"
            raise ContractError([Finding(name, 0, "", "file-too-large", reason)])
    return contents


def _place(entry: zipfile.ZipInfo) -> str:
    return posixpath.normpath(entry.filename.replace("\\", "/"))


def _faults(entry: zipfile.ZipInfo) -> Iterator[tuple[str, str]]:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in entry.filename:
        yield "path-escape", "leads out of the zip"
    if stat.S_ISLNK(entry.external_attr >> 16):
        yield "path-escape", "is a link"
    if entry.flag_bits & 1:
        yield "not-zip", "is encrypted"
