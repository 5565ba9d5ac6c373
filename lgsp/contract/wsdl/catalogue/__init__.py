"""The local catalogue: schemas of SOAP and of what usually rides on it, so that no import of theirs needs the network.

Those that xmlschema ships are read from there; the others were written here from their specifications, with the declarations that messages
use, and are as free as the rest of this project.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

PREFIX = "catalogue:"
_HERE = "lgsp.contract.wsdl.catalogue"
_XMLSCHEMA = "xmlschema"


@dataclass(frozen=True, slots=True)
class Entry:
    """One schema: its namespace, where it is published, and where it lies."""

    namespace: str
    locations: tuple[str, ...]
    package: str
    path: str

    @property
    def file(self) -> str:
        """The name under which it stands among a WSDL's documents."""
        return PREFIX + self.path.rpartition("/")[2]

    def read(self) -> bytes:
        """The schema's text."""
        return files(self.package).joinpath(self.path).read_bytes()


_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity"
ENTRIES = (
    Entry(
        "http://www.w3.org/XML/1998/namespace", ("http://www.w3.org/2001/xml.xsd", "http://www.w3.org/2001/03/xml.xsd"), _HERE, "xml.xsd"
    ),
    Entry("http://schemas.xmlsoap.org/soap/envelope/", (), _XMLSCHEMA, "schemas/WSDL/soap-envelope.xsd"),
    Entry("http://schemas.xmlsoap.org/soap/encoding/", (), _XMLSCHEMA, "schemas/WSDL/soap-encoding.xsd"),
    Entry("http://www.w3.org/2003/05/soap-envelope", (), _HERE, "soap-envelope-12.xsd"),
    Entry("http://www.w3.org/2003/05/soap-encoding", (), _HERE, "soap-encoding-12.xsd"),
    Entry(
        "http://www.w3.org/2005/08/addressing",
        ("http://www.w3.org/2006/03/addressing/ws-addr.xsd", "http://www.w3.org/2005/08/addressing/ws-addr.xsd"),
        _HERE,
        "ws-addr.xsd",
    ),
    Entry("http://schemas.xmlsoap.org/ws/2004/08/addressing", (), _HERE, "ws-addr-2004-08.xsd"),
    Entry(f"{_OASIS}-secext-1.0.xsd", (), _HERE, "wss-secext.xsd"),
    Entry(f"{_OASIS}-utility-1.0.xsd", (), _HERE, "wss-utility.xsd"),
    Entry(
        "http://www.w3.org/2000/09/xmldsig#",
        (
            "http://www.w3.org/TR/xmldsig-core/xmldsig-core-schema.xsd",
            "http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd",
        ),
        _XMLSCHEMA,
        "schemas/DSIG/xmldsig-core-schema.xsd",
    ),
    Entry("http://www.w3.org/2004/08/xop/include", (), _HERE, "xop.xsd"),
    Entry("http://www.w3.org/2005/05/xmlmime", (), _HERE, "xmlmime.xsd"),
    Entry("http://www.w3.org/2004/11/xmlmime", (), _HERE, "xmlmime-2004-11.xsd"),
    Entry("http://ws-i.org/profiles/basic/1.1/xsd", ("http://ws-i.org/profiles/basic/1.1/swaref.xsd",), _HERE, "swaref.xsd"),
    Entry("http://x-road.eu/xsd/xroad.xsd", (), _HERE, "xroad.xsd"),
    Entry("http://x-road.eu/xsd/identifiers", ("http://x-road.eu/xsd/identifiers.xsd",), _HERE, "xroad-identifiers.xsd"),
    Entry("http://x-road.eu/xsd/representation.xsd", (), _HERE, "xroad-representation.xsd"),
    Entry("http://x-road.eu/xsd/security-token.xsd", (), _HERE, "xroad-security-token.xsd"),
)
_BY_NAMESPACE = {entry.namespace: entry for entry in ENTRIES}
_BY_LOCATION = {place: entry for entry in ENTRIES for place in (entry.namespace, *entry.locations)}
_BY_FILE = {entry.file: entry for entry in ENTRIES}


def catalogued(*, namespace: str = "", location: str = "", file: str = "") -> Entry | None:
    """The entry of a namespace, of a location where the schema is published, or of a document's name."""
    return _BY_NAMESPACE.get(namespace) or _BY_LOCATION.get(location) or _BY_FILE.get(file)


__all__ = ["ENTRIES", "PREFIX", "Entry", "catalogued"]
