"""A bundle's bytes: one tar for one content, read strictly; the SHA-256 of the bytes is what a bundle is called.

POSIX ustar without compression: names in order, no times, no owners. What is read is packed again and must give the same bytes, so a
second spelling of the same content (links, devices, long-name records, padding, what follows the end) is refused as a whole.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 8 << 20
MOST_FILES = 1_000
MOST_DEPTH = 10
LONGEST_NAME = 200
SUFFIXES = frozenset({".yaml", ".yml", ".json", ".wsdl", ".xsd", ".xml", ".xsl", ".xslt", ".md", ".txt", ".html"})
"""Data only (DESIGN decision 17)."""
_SEGMENT = re.compile(r"[\w][\w.-]*")
_PLACE = "bundle"


def pack(files: Mapping[str, bytes]) -> bytes:
    """The bundle of these contents by name; raises ContractError where one cannot be part of any."""
    findings = [finding for name in files for finding in _faults(name)]
    if len(files) > MOST_FILES:
        findings.append(_finding(f"has more than {MOST_FILES} files"))
    if findings:
        raise ContractError(findings)
    try:
        packed = _packed(files)
    except ValueError as error:  # ustar: 155 bytes of folders, 100 of the file
        raise ContractError([_finding(f"has a name that is too long: {error}")]) from error
    if len(packed) > MOST_BYTES:
        raise ContractError([_finding(f"is larger than {MOST_BYTES} bytes")])
    return packed


def unpack(content: bytes) -> Mapping[str, bytes]:
    """Contents by name; raises ContractError for anything that `pack` would not have made."""
    if len(content) > MOST_BYTES:
        raise ContractError([_finding(f"is larger than {MOST_BYTES} bytes")])
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:", encoding="utf-8", errors="strict") as archive:
            for member in archive:
                _take(archive, member, files)
        is_one = pack(files) == content
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise ContractError([_finding(f"is no archive of this hub: {error}")]) from error
    if not is_one:
        raise ContractError([_finding("is not packed as `lgsp publish` packs it", "publish the adapter's folder with `lgsp publish`")])
    return files


def digest_of(content: bytes) -> str:
    """What a bundle is called: `sha256:` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, files: dict[str, bytes]) -> None:
    findings = _faults(member.name)
    if member.type != tarfile.REGTYPE:  # `pack` writes no other; a sparse file would grow as it is read
        findings.append(Finding(member.name[:LONGEST_NAME], 0, "", _PLACE, "is a link, a folder or a device, not a plain file"))
    if member.name in files:
        findings.append(Finding(member.name[:LONGEST_NAME], 0, "", _PLACE, "is there twice"))
    if len(files) >= MOST_FILES:
        findings.append(_finding(f"has more than {MOST_FILES} files"))
    if findings:
        raise ContractError(findings)
    found = archive.extractfile(member)
    files[member.name] = b"" if found is None else found.read()


def _packed(files: Mapping[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:", format=tarfile.USTAR_FORMAT, encoding="utf-8") as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))
    return whole.getvalue()


def _faults(name: str) -> list[Finding]:
    """What is wrong with a name: it must stay inside, on every system, and name data."""
    shown, segments = name[:LONGEST_NAME], name.split("/")
    if len(name.encode("utf-8", "replace")) > LONGEST_NAME or len(segments) > MOST_DEPTH:
        return [Finding(shown, 0, "", _PLACE, f"its name is longer than {LONGEST_NAME} bytes or deeper than {MOST_DEPTH} folders")]
    if not all(_SEGMENT.fullmatch(segment) for segment in segments):
        return [Finding(shown, 0, "", _PLACE, "its name leads out of the bundle or has signs other than letters, digits, `.`, `-`, `_`")]
    if PurePosixPath(name).suffix.lower() not in SUFFIXES:
        return [Finding(shown, 0, "", _PLACE, "is no data: a bundle carries no programs", f"there may be {', '.join(sorted(SUFFIXES))}")]
    return []


def _finding(reason: str, fix: str = "") -> Finding:
    return Finding(_PLACE, 0, "", _PLACE, reason, fix)
