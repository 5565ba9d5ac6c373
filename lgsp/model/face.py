"""A service as SOAP consumers see it: compiled operations, and the WSDL that is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.errors import Violation


@dataclass(frozen=True, slots=True)
class SoapOperation:
    """How SOAP consumers speak one operation; pure.

    element: Clark name of the body's child that asks for it. actions: what SOAPAction and wsa:Action may say; reply_action: what the answer
    says. read: an opened envelope (lgsp/codec/soap/envelope.py) to parameters as texts, canonical value, violations with their lines.
    write: canonical reply to the answer's envelope, and what in it breaks the contract; one_way: there is no answer. binary: local names of
    the answer's elements that are base64 wherever they stand. recognise: bytes that
    are surely a valid request without header blocks to what `read` would give; None for all others. fault: name and value of a provider's
    typed fault to the element that the WSDL declares for it, nothing where it declares none or the value breaks it.
    """

    name: str
    element: str
    actions: frozenset[str]
    reply_action: str
    read: Callable[[Any], tuple[Mapping[str, str], Any, Sequence[Violation]]]
    write: Callable[[Any], tuple[bytes, Sequence[Violation]]]
    recognise: Callable[[bytes], tuple[Mapping[str, str], Any] | None]
    fault: Callable[[str, Any], bytes]
    one_way: bool = False
    binary: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SoapFace:
    """A service as SOAP consumers see it.

    versions: envelope namespaces that are spoken. operations: by version and element. documents: what `?wsdl` gives,
    the WSDL under "", what it imports by name; ADDRESS stands in them for the address of the service. single: all of them as one
    (`?singleWsdl`), made when it is first asked for.
    """

    versions: frozenset[str]
    operations: Mapping[tuple[str, str], SoapOperation]
    documents: Mapping[str, bytes]
    single: Callable[[], bytes]
