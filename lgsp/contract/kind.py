"""What a file is that somebody hands in as a contract, by a look at its beginning: OpenAPI, WSDL, or why it is neither."""

from __future__ import annotations

import re
import zipfile
from enum import StrEnum
from typing import TYPE_CHECKING

from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from pathlib import Path

HEAD_BYTES = 64 << 10
FIX = "give an OpenAPI or Swagger file (.yaml, .json), or a WSDL 1.1 (.wsdl, .xml, or a zip or folder of it)"
_ROOT = re.compile(r"(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?:[^\[>]|\[.*?\])*>)*<(?:[\w.-]+:)?([\w.-]+)", re.DOTALL)
_VERSION = re.compile(r"""(?:^|[{,])\s*["']?(openapi|swagger|asyncapi|arazzo|overlay)["']?\s*:""", re.MULTILINE)
_ROOTS = {
    "description": "WSDL 2.0",
    "schema": "an XML schema",
    "html": "an HTML page",
    "envelope": "a SOAP message",
    "application": "a WADL",
}


class Kind(StrEnum):
    """Contracts that the hub reads."""

    OPENAPI = "OpenAPI"
    WSDL = "WSDL"


def kind_of(path: Path) -> Kind:
    """The kind of a file or folder. Raises ContractError that says what it is instead; what is wrong inside, its reader tells."""
    if not path.exists():
        raise _refused(path, "there is no such file", "")
    if path.is_dir() or path.suffix.lower() in {".wsdl", ".zip"}:
        return Kind.WSDL
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise _refused(path, f"cannot be read: {(error.strerror or 'unreadable').lower()}", "") from error
    text = _text(head)
    if text is None:
        if zipfile.is_zipfile(path):
            return Kind.WSDL
        raise _refused(path, "is not text")
    root = _ROOT.match(text)
    if root is not None:
        return _of_xml(path, root[1])
    version = _VERSION.search(text)
    if version is not None and version[1] in {"openapi", "swagger"}:
        return Kind.OPENAPI
    if version is not None:
        raise _refused(path, f"is an {version[1]} document, no contract of a service")
    raise _refused(path, "is empty" if not text.strip() else "is neither XML nor a document with the word `openapi` or `swagger`")


def _of_xml(path: Path, root: str) -> Kind:
    if root == "definitions":
        return Kind.WSDL
    raise _refused(path, f"is {_ROOTS.get(root.lower(), f'XML, its root element `{root}`')}, no WSDL 1.1")


def _text(head: bytes) -> str | None:
    encoding = "utf-16" if head[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    text = head.decode(encoding, "replace")
    return None if "\0" in text else text


def _refused(path: Path, reason: str, fix: str = FIX) -> ContractError:
    return ContractError([Finding(path.name, 0, "", "kind", reason, fix)])


__all__ = ["Kind", "kind_of"]
