"""zeep alone as a codec, without its client and transport: value to envelope, and bytes to plain values by its own parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree
from zeep.helpers import serialize_object
from zeep.loader import parse_xml
from zeep.settings import Settings
from zeep.transports import Transport
from zeep.wsdl import Document

if TYPE_CHECKING:
    from pathlib import Path


class ZeepCodec:
    """One operation of a WSDL."""

    def __init__(self, wsdl: Path, operation: str) -> None:
        transport: Any = Transport()
        self._transport = transport
        self._settings = Settings()
        bindings: Any = Document(str(wsdl), transport).bindings
        self._operation = next(iter(bindings.values())).get(operation)

    def encode(self, native: dict[str, Any]) -> bytes:
        """A request as bytes."""
        content: bytes = etree.tostring(self._operation.create(**native).content, xml_declaration=True, encoding="UTF-8")
        return content

    def decode(self, data: bytes) -> Any:
        """An answer as plain values."""
        return plain(self._operation.process_reply(parse_xml(data.decode(), self._transport, settings=self._settings)))


def plain(value: Any) -> Any:
    """Zeep's objects as plain values, without what is absent."""
    found = serialize_object(value, dict)
    return _present(found)


def _present(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _present(item) for name, item in value.items() if item is not None}
    return [_present(item) for item in value] if isinstance(value, list) else value
